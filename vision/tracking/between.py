"""Where objects are in the frames between two detections."""

from typing import Any, Final, Literal, cast

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from vision.errors import VisionError
from vision.structures import Frame
from vision.tracking.patience import LOST_UPDATES
from vision.tracking.protocol import Tracker
from vision.tracking.visual import VisualTracker

__all__ = ["BETWEEN", "Follower", "create_follower"]

Between = Literal["predict", "visual"]
BETWEEN: Final[tuple[Between, ...]] = ("predict", "visual")

# Nothing is said of an object that has not been seen for longer, or for one update of those that
# its tracker waits for: a source with a frame every four seconds is followed, too.
_HORIZON_SECONDS: Final = 1.0
_FORGET_SECONDS: Final = 3.0
_NEW_VELOCITY: Final = 0.6
# A visual tracker costs milliseconds for every object and frame.
_FOLLOWED: Final = 6
_SMALLEST: Final = 1.0


class Follower:
    """Wraps a tracker for "detect in every n-th frame".

    Call ``update`` for a frame that was looked at and ``follow`` for one that was not. Between
    detections an object goes on as fast as its last sightings say, by their timestamps, and keeps
    its size; with ``visual`` the strongest few are looked for in the picture instead. For that a
    copy of the last detection's picture is kept, since a frame belongs to whoever draws on it.

    Args:
        tracker: Gives the ids.
        between: ``predict`` or ``visual``.
    """

    def __init__(self, tracker: Tracker, between: Between = "predict") -> None:
        self._tracker = tracker
        self._visual = between == "visual"
        self._horizon = max(_HORIZON_SECONDS, tracker.patience / LOST_UPDATES)
        self._memory = max(_FORGET_SECONDS, tracker.patience)
        self.reset()

    @property
    def patience(self) -> float:
        """Seconds of the source after which a track that was not seen is over."""
        return self._tracker.patience

    def reset(self) -> None:
        """Forget all objects, as after a cut."""
        self._tracker.reset()
        self._shown: sv.Detections = _empty()
        self._looked_at: float | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._believed = _HORIZON_SECONDS
        self._velocities: dict[int, NDArray[np.float64]] = {}
        self._sightings: dict[int, tuple[float, NDArray[np.float64]]] = {}
        self._visual_trackers: dict[int, VisualTracker] | None = None

    def update(self, detections: sv.Detections, frame: Frame) -> sv.Detections:
        """Return the tracked detections of a frame that the detector has seen.

        ``data["predicted"]`` is (N,) bool, False everywhere.
        """
        tracked = self._tracker.update(detections, frame)
        self._learn(tracked, frame.timestamp)
        tracked.data["predicted"] = np.zeros(len(tracked), np.bool_)
        if self._looked_at is not None:
            # What was measured over seconds holds for seconds, and no longer.
            self._believed = max(_HORIZON_SECONDS, frame.timestamp - self._looked_at)
        self._shown, self._looked_at = tracked, frame.timestamp
        self._visual_trackers = None
        if self._visual and len(tracked):
            self._picture = _copied(frame.image, self._picture)
        return tracked

    def follow(self, frame: Frame) -> sv.Detections:
        """Return where the objects of the last detection are now.

        Boxes are inside the picture; objects that have left it are not returned. Masks and
        keypoints move with their boxes; confidence is that of the last sighting.
        ``data["predicted"]`` is (N,) bool, True everywhere.
        """
        if self._looked_at is None or len(self._shown) == 0:
            return _empty()
        elapsed = frame.timestamp - self._looked_at
        if not 0 <= elapsed <= self._horizon:
            return _empty()
        moved = self._expected(min(elapsed, self._believed))
        if self._visual:
            self._look(moved, frame)
        shift = _centres(moved) - _centres(self._shown.xyxy)
        limits = np.array([frame.width, frame.height] * 2, np.float32)
        boxes = np.clip(moved, 0.0, limits)
        inside = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] >= _SMALLEST).all(axis=1))
        followed = cast(sv.Detections, self._shown[inside])
        followed.xyxy = boxes[inside]
        _shift_parts(followed, shift[inside])
        followed.data["predicted"] = np.ones(len(followed), np.bool_)
        return followed

    def _expected(self, elapsed: float) -> NDArray[np.float32]:
        assert self._shown.tracker_id is not None
        velocities = np.array([self._velocities[i] for i in self._shown.tracker_id.tolist()])
        shift = np.tile(velocities * elapsed, 2)
        return (self._shown.xyxy + shift).astype(np.float32)

    def _learn(self, tracked: sv.Detections, now: float) -> None:
        """Take up velocities from these sightings and the ones before."""
        assert tracked.tracker_id is not None
        for track, centre in zip(
            tracked.tracker_id.tolist(), _centres(tracked.xyxy).astype(np.float64), strict=True
        ):
            before = self._sightings.get(track)
            velocity = self._velocities.get(track)
            if before is None or not 0 < now - before[0] <= self._memory:
                velocity = np.zeros(2)
            else:
                measured = (centre - before[1]) / (now - before[0])
                first = velocity is None or not velocity.any()
                velocity = measured if first else velocity + _NEW_VELOCITY * (measured - velocity)
            self._sightings[track] = (now, centre)
            self._velocities[track] = velocity
        self._forget(now)

    def _forget(self, now: float) -> None:
        gone = [
            track
            for track, (seen, _) in self._sightings.items()
            if not 0 <= now - seen <= self._memory
        ]
        for track in gone:
            del self._sightings[track], self._velocities[track]

    def _look(self, boxes: NDArray[np.float32], frame: Frame) -> None:
        """Put boxes where the visual trackers see their objects; the others stay predicted."""
        if self._visual_trackers is None:
            self._visual_trackers = self._start_visual()
        for row, visual in self._visual_trackers.items():
            found = visual.follow(frame.image)
            if found is None:
                continue
            size = float((boxes[row, 2:] - boxes[row, :2]).max())
            # A visual tracker never says that it sticks to the background.
            if np.abs(_centres(found[None]) - _centres(boxes[row][None])).max() <= size:
                boxes[row] = found

    def _start_visual(self) -> dict[int, VisualTracker]:
        assert self._picture is not None
        strength = self._shown.confidence
        rows = np.arange(len(self._shown)) if strength is None else np.argsort(-strength)
        started: dict[int, VisualTracker] = {}
        for row in rows[:_FOLLOWED].tolist():
            visual = VisualTracker()
            if visual.start(self._picture, self._shown.xyxy[row]):
                started[row] = visual
        return started


def create_follower(tracker: Tracker, between: str = "predict") -> Follower:
    """Return a follower around a tracker.

    Raises:
        VisionError: ``unknown_between``.
    """
    for name in BETWEEN:
        if between == name:
            return Follower(tracker, name)
    known = " and ".join(BETWEEN)
    raise VisionError(
        "unknown_between", f"Between detections there are {known}, but no {between!r}."
    )


def _copied(image: NDArray[np.uint8], old: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return a copy of a picture, in the memory of an older one where it fits."""
    if old is None or old.shape != image.shape:
        return image.copy()
    np.copyto(old, image)
    return old


def _centres(boxes: NDArray[Any]) -> NDArray[np.float32]:
    centres: NDArray[np.float32] = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centres


def _shift_parts(detections: sv.Detections, shift: NDArray[np.float32]) -> None:
    """Move keypoints and masks by (N, 2) pixels."""
    keypoints = detections.data.get("keypoints")
    if keypoints is not None and len(keypoints):
        moved = np.array(keypoints, np.float32)
        seen = moved[..., 2:3] > 0
        moved[..., :2] += np.where(seen, shift[:, None, :], 0.0)
        detections.data["keypoints"] = moved
    if isinstance(detections.mask, CompactMask):
        detections.mask = _shift_masks(detections.mask, shift)
    elif detections.mask is not None:
        steps = np.rint(shift).astype(int).tolist()
        shifted = [
            _shift_mask(mask, dx, dy) for mask, (dx, dy) in zip(detections.mask, steps, strict=True)
        ]
        detections.mask = np.array(shifted, np.bool_).reshape(detections.mask.shape)


def _shift_masks(masks: CompactMask, shift: NDArray[np.float32]) -> CompactMask:
    height, width = masks.image_shape
    parts = [
        masks[row : row + 1].with_offset(round(dx), round(dy), (height, width))
        for row, (dx, dy) in enumerate(shift.tolist())
    ]
    return CompactMask.merge(parts) if parts else masks


def _shift_mask(mask: NDArray[np.bool_], dx: int, dy: int) -> NDArray[np.bool_]:
    height, width = mask.shape
    moved = np.zeros_like(mask)
    to_y, to_x = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    from_y, from_x = slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0))
    if abs(dy) < height and abs(dx) < width:
        moved[to_y, to_x] = mask[from_y, from_x]
    return moved


def _empty() -> sv.Detections:
    detections = sv.Detections.empty()
    detections.tracker_id = np.empty(0, np.int64)
    detections.data["predicted"] = np.empty(0, np.bool_)
    return detections

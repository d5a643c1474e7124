"""Draws on the frames of a video, in place: one object per video, since trails and heat add up."""

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.analytics.heat import HeatMap
from vision.drawing.annotate import draw_box, draw_label, draw_mask
from vision.drawing.palette import class_color, color_to_bgr
from vision.drawing.styles import DRAWN
from vision.motion import MotionResult

__all__ = ["FrameDrawer"]

TRAIL_SECONDS: Final = 2.5
_HEAT_OPACITY: Final = 0.55
_MOTION_COLOR: Final = (40, 200, 255)
_SHADOW: Final = (20, 20, 20)


class FrameDrawer:
    """Draws what was found in a video, frame by frame.

    Colours follow the track, so that two people side by side are told apart.

    Args:
        styles: Of `vision.drawing.styles.DRAWN`.
        width: Of the frames, in pixels.
        height: Of the frames, in pixels.
    """

    def __init__(self, styles: Collection[str], *, width: int, height: int) -> None:
        unknown = set(styles) - set(DRAWN)
        if unknown:
            raise ValueError(f"expected styles of {DRAWN}, got {sorted(unknown)}")
        self._styles = frozenset(styles)
        shorter = min(width, height)
        self._thickness = max(1, round(shorter / 320))
        self._text_size = max(10, round(shorter / 36))
        self._trails: dict[int, deque[tuple[float, int, int]]] = {}
        self._heat = HeatMap(width, height) if "heat" in styles else None

    def draw(
        self,
        image: NDArray[np.uint8],
        detections: sv.Detections,
        *,
        timestamp: float,
        activities: Mapping[int, str] | None = None,
        motion: MotionResult | None = None,
    ) -> None:
        """Draw on a frame.

        Args:
            image: (H, W, 3) uint8 BGR; changed.
            detections: With ``tracker_id`` where objects are tracked.
            timestamp: Seconds of the video.
            activities: What tracks do, by their id.
            motion: Where something moves.
        """
        ids = _track_ids(detections)
        boxes = np.asarray(detections.xyxy, np.float64)
        if self._heat is not None:
            self._heat.add(boxes)
            self._heat.blend(image, _HEAT_OPACITY)
        if "masks" in self._styles:
            for index, track in enumerate(ids):
                draw_mask(image, detections, boxes[index], index, _color(track))
        if "trails" in self._styles:
            self._draw_trails(image, ids, boxes, timestamp)
        if "boxes" in self._styles:
            self._draw_boxes(image, detections, ids, activities or {})
            if motion is not None:
                for area in motion.areas:
                    draw_box(image, np.asarray(area, np.float64), _MOTION_COLOR, 1)

    def _draw_boxes(
        self,
        image: NDArray[np.uint8],
        detections: sv.Detections,
        ids: list[int],
        activities: Mapping[int, str],
    ) -> None:
        boxes = np.asarray(detections.xyxy, np.float64)
        names = detections.data.get("class_name")
        for index, track in enumerate(ids):
            draw_box(image, boxes[index], _color(track), self._thickness)
        for index, track in enumerate(ids):
            words = [str(names[index]) if names is not None else "object", str(track)]
            if activities.get(track):
                words.append(activities[track].replace("_", " "))
            label = " ".join(words)
            color = class_color(track)
            draw_label(image, boxes[index], label, color, self._text_size, self._thickness)

    def _draw_trails(
        self,
        image: NDArray[np.uint8],
        ids: list[int],
        boxes: NDArray[np.float64],
        timestamp: float,
    ) -> None:
        for track, box in zip(ids, boxes, strict=True):
            trail = self._trails.setdefault(track, deque())
            trail.append((timestamp, round((box[0] + box[2]) / 2), round(box[3])))
        for track in list(self._trails):
            trail = self._trails[track]
            while trail and trail[0][0] < timestamp - TRAIL_SECONDS:
                trail.popleft()
            if not trail:
                del self._trails[track]
            elif len(trail) > 1:
                points = np.array([point[1:] for point in trail], np.int32)
                for color, more in ((_SHADOW, 2), (_color(track), 0)):
                    cv2.polylines(image, [points], False, color, self._thickness + 1 + more)


def _track_ids(detections: sv.Detections) -> list[int]:
    if detections.tracker_id is None:
        return list(range(len(detections)))
    return [int(track) for track in detections.tracker_id]


def _color(track: int) -> tuple[int, int, int]:
    return color_to_bgr(class_color(track))

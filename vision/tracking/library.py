"""ByteTrack, BoT-SORT, OC-SORT and SORT of the ``trackers`` package (Apache-2.0)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, cast

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.structures import Frame
from vision.tracking.camera import CameraMotion
from vision.tracking.clock import SteadyClock
from vision.tracking.kinds import kinds_of
from vision.tracking.patience import longest_step

__all__ = ["LibraryTracker", "make_botsort", "make_bytetrack", "make_ocsort", "make_sort"]

# A detector answers from 0.1 or 0.25 on. What it is sure of starts tracks; ByteTrack and BoT-SORT
# continue them with what it is not. The library's own 0.6 and 0.7 suit stronger detectors.
HIGH: Final = 0.4
ACTIVATE: Final = 0.5

_LIBRARY_RATE: Final = 30.0  # its lost buffer counts frames of this rate

MakeCore = Callable[[float, int], Any]
"""Takes updates per second and the lost buffer, gives a tracker of the library."""


@dataclass(slots=True)
class _Kind:
    """The library's tracker of one kind of object, and our ids of its tracks.

    The library confirms a track with its second sighting. Where more are asked for, ``hits`` counts
    those in a row of tracks without an id: set to more, OC-SORT would take an id away for as many
    sightings whenever its object is missed once.
    """

    core: Any
    ids: dict[int, int] = field(default_factory=dict)
    hits: dict[int, int] = field(default_factory=dict)


class LibraryTracker:
    """Runs one tracker of the library for each kind of object that is in the picture.

    Args:
        make_core: Makes a tracker of the library.
        rate: Updates per second.
        patience: Seconds after which a track that was not seen is over.
        minimum_hits: Sightings in a row before an object gets its id, from 2 on.
        motion: Estimates how the camera moved, for a tracker that wants to know.
    """

    def __init__(
        self,
        make_core: MakeCore,
        *,
        rate: float,
        patience: float,
        minimum_hits: int = 2,
        motion: CameraMotion | None = None,
    ) -> None:
        self._make_core = make_core
        self._rate = rate
        self.patience = patience
        self._minimum_hits = minimum_hits
        self._longest = longest_step(rate, patience)
        self._motion = motion
        self._next_id = count(1)
        self._kinds: dict[int, _Kind] = {}
        self._clock = SteadyClock(rate, self._longest)

    def update(self, detections: sv.Detections, frame: Frame) -> sv.Detections:
        """Return the rows of confirmed tracks with their ids (see `Tracker`)."""
        self._clock.advance(frame.timestamp)
        self._wait(self._clock.skipped)
        if self._motion is not None:
            self._motion.observe(frame.image, detections.xyxy)
        kinds = kinds_of(detections)
        rows: list[NDArray[np.int64]] = []
        ids: list[int] = []
        for kind in self._kinds.keys() | set(kinds.tolist()):
            of_kind = np.flatnonzero(kinds == kind)
            found, tracks = self._update_kind(kind, detections, of_kind, frame)
            rows.append(of_kind[found])
            ids += tracks
        order = np.concatenate(rows) if rows else np.empty(0, np.int64)
        # In the order of the detections, whatever kind they are.
        positions = np.argsort(order, kind="stable")
        tracked = cast(sv.Detections, detections[order[positions]])
        tracked.tracker_id = np.asarray(ids, np.int64)[positions]
        return tracked

    def reset(self) -> None:
        """Forget all objects; ids go on."""
        self._kinds.clear()
        self._clock = SteadyClock(self._rate, self._longest)
        if self._motion is not None:
            self._motion.reset()

    def _update_kind(
        self,
        kind: int,
        detections: sv.Detections,
        rows: NDArray[np.int64],
        frame: Frame,
    ) -> tuple[NDArray[np.int64], list[int]]:
        """Return positions in ``rows`` that are confirmed, and their ids."""
        state = self._kinds.get(kind)
        if state is None:
            state = self._kinds[kind] = _Kind(self._start_core())
        # The rows' positions travel as class ids: the library hands rows back in its own order.
        bare = sv.Detections(
            xyxy=detections.xyxy[rows],
            confidence=None if detections.confidence is None else detections.confidence[rows],
            class_id=np.arange(len(rows)),
        )
        image = frame.image if self._motion is not None else None
        answer = state.core.update(bare, frame=image, timestamp=self._clock.motion)
        if not state.core.tracks:
            del self._kinds[kind]
        known = answer.tracker_id >= 0
        ids = np.array(self._ids(state, answer.tracker_id[known].tolist()), np.int64)
        return answer.class_id[known][ids > 0], ids[ids > 0].tolist()

    def _wait(self, seconds: float) -> None:
        """Count time against the tracks' patience that their motion knows nothing of."""
        if seconds > 0:
            for state in self._kinds.values():
                for track in state.core.tracks:
                    track.time_since_update_seconds += seconds

    def _start_core(self) -> Any:
        core = self._make_core(self._rate, math.ceil(_LIBRARY_RATE * self.patience))
        # To the millisecond, and not to a thirtieth of a second.
        core.maximum_time_without_update = self.patience
        if self._motion is not None:
            core.cmc = self._motion
        return core

    def _ids(self, state: _Kind, given: list[int]) -> list[int]:
        """Return our ids; 0 of tracks that have not been seen often enough."""
        waiting = dict.fromkeys(state.hits, 0)
        for number in given:
            if number in state.ids:
                continue
            hits = state.hits.get(number, 1) + 1
            if hits >= self._minimum_hits:
                state.ids[number] = next(self._next_id)
                waiting.pop(number, None)
            else:
                waiting[number] = hits
        state.hits = waiting
        self._forget_dead(state)
        return [state.ids.get(number, 0) for number in given]

    def _forget_dead(self, state: _Kind) -> None:
        if len(state.ids) + len(state.hits) <= 2 * len(state.core.tracks) + 64:
            return
        alive = {track.tracker_id for track in state.core.tracks}
        state.ids = {number: ours for number, ours in state.ids.items() if number in alive}
        state.hits = {number: hits for number, hits in state.hits.items() if number in alive}


def make_bytetrack(rate: float, lost: int) -> Any:
    """Return ByteTrack: Zhang et al., ECCV 2022, https://arxiv.org/abs/2110.06864."""
    from trackers import ByteTrackTracker
    from trackers.utils.state_representations import XCYCSRStateEstimator

    return ByteTrackTracker(
        lost_track_buffer=lost,
        frame_rate=rate,
        track_activation_threshold=ACTIVATE,
        high_conf_det_threshold=HIGH,
        minimum_consecutive_frames=2,
        minimum_iou_threshold=0.2,
        # Centre, area and shape: fewer lost ids than corners, on TUD-Campus and synthetic scenes.
        state_estimator_class=XCYCSRStateEstimator,
    )


def make_botsort(rate: float, lost: int) -> Any:
    """Return BoT-SORT without re-identification: https://arxiv.org/abs/2206.14651."""
    from trackers import BoTSORTTracker

    return BoTSORTTracker(
        lost_track_buffer=lost,
        frame_rate=rate,
        track_activation_threshold=ACTIVATE,
        high_conf_det_threshold=HIGH,
        minimum_consecutive_frames=2,
        # A second sighting confirms in the first frame, too.
        instant_first_frame_activation=False,
    )


def make_ocsort(rate: float, lost: int) -> Any:
    """Return OC-SORT: Cao et al., CVPR 2023, https://arxiv.org/abs/2203.14360."""
    from trackers import OCSORTTracker
    from trackers.utils.state_representations import XYXYStateEstimator

    # It does not count the sighting that starts a track: 1 is the second one.
    minimum = 1
    tracker = OCSORTTracker(
        lost_track_buffer=lost,
        frame_rate=rate,
        high_conf_det_threshold=HIGH,
        minimum_consecutive_frames=minimum,
        minimum_iou_threshold=0.3,
        state_estimator_class=XYXYStateEstimator,
    )
    # In its first frames it would confirm all that it sees.
    tracker.frame_count = minimum + 1
    return tracker


def make_sort(rate: float, lost: int) -> Any:
    """Return SORT: Bewley et al., ICIP 2016, https://arxiv.org/abs/1602.00763."""
    from trackers import SORTTracker

    return SORTTracker(
        lost_track_buffer=lost,
        frame_rate=rate,
        track_activation_threshold=ACTIVATE,
        minimum_consecutive_frames=2,
        minimum_iou_threshold=0.2,
    )

"""The people before one camera, as the thread that looks at it knows them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from video_analysis.services.live.setups import CameraSetup
from video_analysis.services.live.subscribers import TrackId
from video_analysis.services.recognising.looking import People, people_in
from video_analysis.services.recognising.tracks import LOOK_SECONDS, SeenTrack
from vision.pipeline.results import FrameResult
from vision.structures import Frame

SWEEP_SECONDS: Final = 1.0
GONE_SECONDS: Final = 2.0
"""Beyond the tracker's own patience."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame that is worth a look at faces.

    Attributes:
        tracks: Of the people, in their order.
        due: (N,) bool, whose faces are wanted.
    """

    scene: SceneFaces
    frame: Frame
    people: People
    tracks: list[SeenTrack]
    due: NDArray[np.bool_]


class SceneFaces:
    """The tracked people of one camera.

    `see` belongs to the thread that looks at the camera and costs microseconds; what is known of
    a track is changed by the one thread that looks at faces.

    Args:
        setup: The camera.
        track_id: Names tracks.
    """

    def __init__(self, setup: CameraSetup, track_id: TrackId) -> None:
        self.setup = setup
        self.track_id = track_id
        self.over = False
        self._gone_after = (setup.config.patience or 2.0) + GONE_SECONDS
        self._tracks: dict[int, SeenTrack] = {}
        self._handed = self._swept = float("-inf")

    @property
    def tracks(self) -> list[SeenTrack]:
        """Those that are followed now; from any thread."""
        return list(self._tracks.values())

    def see(self, result: FrameResult) -> tuple[Look | None, list[SeenTrack]]:
        """Take a frame.

        Returns:
            What is worth a look at faces, if anything is, and tracks that have ended.
        """
        now = time.monotonic()
        frame = result.frame
        self._note(result, now)
        ended = self._sweep(now) if now - self._swept >= SWEEP_SECONDS else []
        if now - self._handed < LOOK_SECONDS:
            return None, ended
        people = people_in(result.detections, detected=result.detected)
        tracks = [self._track(number, frame, now) for number in people.numbers.tolist()]
        wanted = np.array([track.due <= now for track in tracks], bool)
        if not wanted.any():
            return None, ended
        self._handed = now
        return Look(self, frame, people, tracks, wanted), ended

    def finish(self) -> list[SeenTrack]:
        """End all tracks; return them."""
        self.over = True
        ended = list(self._tracks.values())
        self._tracks.clear()
        for track in ended:
            track.over = True
        return ended

    def _note(self, result: FrameResult, now: float) -> None:
        """Note who is still there."""
        numbers = result.detections.tracker_id
        if numbers is None or not self._tracks:
            return
        for number in numbers.tolist():
            track = self._tracks.get(number)
            if track is not None:
                track.seen, track.end = now, result.frame.wall_clock

    def _track(self, number: int, frame: Frame, now: float) -> SeenTrack:
        row = self.track_id(number)
        track = self._tracks.get(number)
        if track is None or track.id != row:  # after half an hour a track goes on in another row
            groups = track is None or track.groups
            if track is not None:
                self._tracks[-number] = track  # ends with the next sweep
                track.seen = float("-inf")
            moment = frame.wall_clock
            track = SeenTrack(row, number, moment, moment, now, groups=groups)
            self._tracks[number] = track
        return track

    def _sweep(self, now: float) -> list[SeenTrack]:
        self._swept = now
        gone = [key for key, track in self._tracks.items() if now - track.seen > self._gone_after]
        ended = [self._tracks.pop(key) for key in gone]
        for track in ended:
            track.over = True
        return ended

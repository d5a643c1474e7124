"""Gathers what an analysis finds, compactly, until it is stored as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from video_analysis.models import Event, Track, TrajectoryChunk, VideoAnalysis
from vision.activity import ActivityEvent
from vision.encoding.trajectories import pack_trajectories
from vision.motion import MotionEvent
from vision.pipeline.collect import EndedMotion, EndedTrack
from vision.pipeline.video import VideoSummary

ROWS = 500
PLAIN_FIGURES = (
    *("path_length", "displacement", "mean_speed", "top_speed", "mean_speed_bh", "top_speed_bh"),
    *("direction_changes", "entry_side", "exit_side"),
)


class ResultWriter:
    """Tracks and events on their way into the database; their pictures go to a file at once.

    Args:
        snapshots: Where the JPEGs go, one after the other.
    """

    def __init__(self, snapshots: Path) -> None:
        self.class_counts: Counter[str] = Counter()
        self._file = snapshots.open("wb")
        self._chunks: list[TrajectoryChunk] = []
        self._tracks: list[list[Track]] = []
        self._events: list[Event] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add_tracks(self, ended: Sequence[EndedTrack]) -> None:
        """Take tracks that have ended, as one chunk."""
        trajectories = [track.trajectory for track in ended]
        self._chunks.append(
            TrajectoryChunk(
                number=len(self._chunks),
                start=min(float(item.times[0]) for item in trajectories),
                end=max(float(item.times[-1]) for item in trajectories),
                tracks=len(trajectories),
                points=sum(len(item.times) for item in trajectories),
                data=pack_trajectories(trajectories),
            )
        )
        self._tracks.append([self._track(at, track) for at, track in enumerate(ended)])
        self.class_counts.update(item.class_name for item in trajectories)

    def add_events(self, summary: VideoSummary) -> None:
        """Take what happened, in the order in which it began."""
        events = [self._motion(motion) for motion in summary.motion]
        events += [activity_row(event) for event in summary.activities]
        self._events = sorted(events, key=lambda event: (event.start, event.kind, event.label))

    def store(self, analysis: VideoAnalysis) -> None:
        """Write the rows of an analysis that has none; to be called in a transaction."""
        for chunk, tracks in zip(self._chunks, self._tracks, strict=True):
            chunk.analysis = analysis
            chunk.save(force_insert=True)
            for track in tracks:
                track.analysis = analysis
                track.chunk = chunk
            Track.objects.bulk_create(tracks, batch_size=ROWS)
        for number, event in enumerate(self._events):
            event.analysis = analysis
            event.number = number
        Event.objects.bulk_create(self._events, batch_size=ROWS)

    def _track(self, position: int, ended: EndedTrack) -> Track:
        track = track_row(ended)
        track.position = position
        track.snapshot_offset, track.snapshot_size = self._keep(ended.snapshot)
        return track

    def _motion(self, motion: EndedMotion) -> Event:
        row = motion_row(motion.event)
        row.snapshot_offset, row.snapshot_size = self._keep(motion.snapshot)
        return row

    def _keep(self, jpeg: bytes | None) -> tuple[int | None, int]:
        """Write a picture, and return where it is and how long."""
        if jpeg is None:
            return None, 0
        offset = self._file.tell()
        self._file.write(jpeg)
        return offset, len(jpeg)


def track_row(ended: EndedTrack) -> Track:
    """Build, but do not store, the row of a track."""
    trajectory, figures = ended.trajectory, ended.figures
    return Track(
        number=trajectory.track_id,
        class_id=trajectory.class_id,
        class_name=trajectory.class_name,
        start=float(trajectory.times[0]),
        end=float(trajectory.times[-1]),
        points=len(trajectory.times),
        confidence=float(np.mean(trajectory.confidence)),
        **{name: getattr(figures, name) for name in PLAIN_FIGURES},
    )


def motion_row(event: MotionEvent) -> Event:
    """Build, but do not store, the row of motion."""
    left, top, right, bottom = (round(float(value), 1) for value in event.peak_area)
    return Event(
        kind=Event.Kind.MOTION,
        start=event.start,
        end=event.end,
        peak_share=event.peak_share,
        peak_time=event.peak_time,
        area=[left, top, round(right - left, 1), round(bottom - top, 1)],
    )


def activity_row(event: ActivityEvent) -> Event:
    """Build, but do not store, the row of what somebody did, or people did together."""
    return Event(
        kind=event.kind,
        label=event.label,
        tracks=[int(number) for number in event.track_ids],
        start=event.start,
        end=event.end,
        confidence=event.confidence,
        reason=event.reason[:300],
    )

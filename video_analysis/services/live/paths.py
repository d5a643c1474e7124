"""The paths of a camera's tracks, gathered until they have ended."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import supervision as sv

from video_analysis.services.live.changes import TrackBatch, TrackRow
from vision.encoding.trajectories import group_trajectories, pack_trajectories
from vision.structures import Frame
from vision.structures.trajectories import Trajectory
from vision.tracking.recorder import TrajectoryRecorder

LOOK_SECONDS = 2.0
BATCH_SECONDS = 10.0
BATCH_TRACKS = 200
LONGEST_SECONDS = 1800.0
"""What is in the picture for longer is written in parts: memory stays flat."""


class TrackPaths:
    """Records the tracks of one camera from one cut to the next.

    Args:
        camera_id: Of the camera.
        width: Of the pictures.
        height: Of the pictures.
        patience: Seconds after which a track that was not seen is over.
    """

    def __init__(self, camera_id: int, *, width: int, height: int, patience: float) -> None:
        self._camera_id = camera_id
        self._size = (width, height)
        self._gone_after = patience + 1.0
        self._recorder = TrajectoryRecorder()
        self._ids: dict[int, uuid.UUID] = {}
        self._ended: list[Trajectory] = []
        self._began: float | None = None
        self._looked_at = 0.0
        self._handed_at = 0.0
        self._last: Frame | None = None

    def id_of(self, track_id: int) -> uuid.UUID:
        """Return the id of a track's row, also before there is one."""
        known = self._ids.get(track_id)
        if known is None:
            known = self._ids[track_id] = uuid.uuid4()
        return known

    def add(self, detections: sv.Detections, frame: Frame) -> list[TrackBatch]:
        """Take what was tracked in a frame; return what is ready to be written, mostly nothing."""
        now = frame.timestamp
        self._last = frame
        if self._began is None:
            self._began = self._looked_at = self._handed_at = now
        self._recorder.add(detections, now)
        if now - self._looked_at < LOOK_SECONDS:
            return []
        self._looked_at = now
        if now - self._began >= LONGEST_SECONDS:
            return self.finish()
        self._ended += self._recorder.take_finished(now - self._gone_after)
        due = now - self._handed_at >= BATCH_SECONDS or len(self._ended) >= BATCH_TRACKS
        return self._hand_over(now) if due else []

    def finish(self) -> list[TrackBatch]:
        """End all tracks; whoever is still there begins a new row."""
        if self._last is None:
            return []
        self._ended += self._recorder.finish()
        batches = self._hand_over(self._last.timestamp)
        self._recorder = TrajectoryRecorder()
        self._ids.clear()
        self._began = None
        return batches

    def _hand_over(self, now: float) -> list[TrackBatch]:
        self._handed_at = now
        ended, self._ended = self._ended, []
        return [self._batch(group) for group in group_trajectories(ended, tracks=BATCH_TRACKS)]

    def _batch(self, group: list[Trajectory]) -> TrackBatch:
        first = min(item.start for item in group)
        moved = [replace(item, times=item.times - first) for item in group]
        return TrackBatch(
            camera_id=self._camera_id,
            start=self._moment(first),
            end=self._moment(max(item.end for item in group)),
            width=self._size[0],
            height=self._size[1],
            points=sum(len(item) for item in group),
            data=pack_trajectories(moved),
            tracks=[self._row(item) for item in group],
        )

    def _row(self, item: Trajectory) -> TrackRow:
        return TrackRow(
            id=self._take_id(item.track_id),
            number=item.track_id,
            class_name=item.class_name,
            start=self._moment(item.start),
            end=self._moment(item.end),
            points=len(item),
            confidence=float(np.mean(item.confidence)),
        )

    def _take_id(self, track_id: int) -> uuid.UUID:
        known = self.id_of(track_id)
        del self._ids[track_id]
        return known

    def _moment(self, seconds: float) -> datetime:
        assert self._last is not None
        return self._last.wall_clock + timedelta(seconds=seconds - self._last.timestamp)

"""The points of all tracks of a video in the order of time, some seconds of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from video_analysis.models import VideoAnalysis
from vision.encoding.trajectories import unpack_trajectories
from vision.structures.trajectories import Trajectory

WINDOW_SECONDS = 10.0
_SLACK = 1e-3
"""Times in a chunk are rounded; those of its row are not."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The points of some seconds, ordered by time and track.

    Attributes:
        kinds: Class id and name by number of track.
        starts: (K + 1,) frame k has the points ``starts[k]`` up to ``starts[k + 1]``.
        times: (N,) float64 seconds.
        tracks: (N,) int64 numbers of tracks.
        boxes: (N, 4) float32 xyxy pixels.
        confidence: (N,) float32, 0..1.
        detected: (N,) bool.
    """

    kinds: Mapping[int, tuple[int, str]]
    starts: NDArray[np.int64]
    times: NDArray[np.float64]
    tracks: NDArray[np.int64]
    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    detected: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Packed trajectories of some tracks, read when they are wanted.

    Attributes:
        start: Seconds of the earliest point.
        read: Gives what `vision.encoding.trajectories` has packed; None when it is gone.
    """

    start: float
    read: Callable[[], bytes | None]

    def unpack(self) -> list[Trajectory]:
        """Return the trajectories; none of a chunk that is gone.

        Raises:
            VisionError: ``bad_trajectories``, when it is damaged.
        """
        data = self.read()
        return unpack_trajectories(data) if data is not None else []


def stored_chunks(analysis: VideoAnalysis) -> list[Chunk]:
    """The chunks of a video in the order in which their tracks ended."""
    rows = analysis.chunks.order_by("number").values_list("pk", "start")
    return [Chunk(start, partial(_read, analysis, pk)) for pk, start in rows]


def iterate_windows(
    chunks: Iterable[Chunk], *, seconds: float = WINDOW_SECONDS
) -> Iterator[Window]:
    """Yield all points, a few seconds at a time; only chunks with some of them are in memory.

    Args:
        chunks: Those of one video.
        seconds: Length of a window.

    Raises:
        VisionError: ``bad_trajectories``, when what is stored is damaged.
    """
    waiting = sorted(chunks, key=lambda chunk: chunk.start, reverse=True)
    active: list[list[Trajectory]] = []
    begin = 0.0
    while waiting or active:
        if not active:
            begin = waiting[-1].start - _SLACK
        until = begin + seconds
        while waiting and waiting[-1].start - _SLACK < until:
            active.append(waiting.pop().unpack())
        window = _cut([item for chunk in active for item in chunk], begin, until)
        if window is not None:
            yield window
        active = [chunk for chunk in active if any(item.end >= until for item in chunk)]
        begin = until


def _read(analysis: VideoAnalysis, pk: int) -> bytes | None:
    data = analysis.chunks.filter(pk=pk).values_list("data", flat=True).first()
    return bytes(data) if data is not None else None


def _cut(trajectories: list[Trajectory], begin: float, until: float) -> Window | None:
    parts = []
    for item in trajectories:
        first, last = np.searchsorted(item.times, (begin, until))
        if last > first:
            parts.append((item, slice(first, last)))
    if not parts:
        return None
    times = np.concatenate([item.times[part] for item, part in parts])
    tracks = np.concatenate(
        [np.full(part.stop - part.start, item.track_id, np.int64) for item, part in parts]
    )
    order = np.lexsort((tracks, times))
    times = times[order]
    _, firsts = np.unique(times, return_index=True)
    return Window(
        kinds={item.track_id: (item.class_id, item.class_name) for item, _ in parts},
        starts=np.append(firsts, len(times)),
        times=times,
        tracks=tracks[order],
        boxes=np.concatenate([item.boxes[part] for item, part in parts])[order],
        confidence=np.concatenate([item.confidence[part] for item, part in parts])[order],
        detected=np.concatenate([item.detected[part] for item, part in parts])[order],
    )

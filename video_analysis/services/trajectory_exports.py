"""The way of one track as a file, however long it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.models import DetectionSession
from video_analysis.models import Track, VideoAnalysis
from video_analysis.services.exports import (
    VideoExport,
    left_top_size,
    measured_rate,
    stem_of,
    trajectory_csv,
)
from video_analysis.services.facts import track_facts
from vision.encoding.motchallenge import trajectories_to_motchallenge
from vision.structures.trajectories import Trajectory

POINTS_AT_ONCE = 5000
Writer = Callable[[VideoAnalysis, Track, Trajectory], Iterator[bytes]]


def export_trajectory(
    session: DetectionSession, track: Track, trajectory: Trajectory, form: str
) -> VideoExport:
    """Write the way of one track as a file.

    Args:
        session: The session over its video.
        track: The track.
        trajectory: Its way.
        form: A key of ``TRAJECTORY_EXPORTS``.

    Raises:
        DetectorError: ``unknown_format``.
    """
    if form not in TRAJECTORY_EXPORTS:
        message = f"The format is one of {', '.join(TRAJECTORY_EXPORTS)}."
        raise DetectorError("unknown_format", message, fields={"format": message})
    write, media_type, ending = TRAJECTORY_EXPORTS[form]
    name = f"{stem_of(session.name)}-track-{track.number}{ending}"
    return VideoExport(write(session.video, track, trajectory), media_type, name)


def _json(analysis: VideoAnalysis, track: Track, trajectory: Trajectory) -> Iterator[bytes]:
    """One list for each kind of value, written some thousands of points at a time."""
    figures = track_facts(track, analysis)
    head = {name: figures[name] for name in ("number", "class", "class_id")}
    yield _dump({**head, "figures": figures})[:-1]
    boxes = left_top_size(trajectory.boxes)
    feet = np.column_stack((boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3])).round(2)
    columns: dict[str, NDArray[Any]] = {
        "times": trajectory.times.round(5),
        "boxes": boxes,
        "feet": feet,
        "confidence": trajectory.confidence.astype(np.float64).round(3),
        "detected": trajectory.detected,
    }
    for name, values in columns.items():
        yield b',"%s":[' % name.encode()
        for at in range(0, len(values), POINTS_AT_ONCE):
            yield (b"," if at else b"") + _dump(values[at : at + POINTS_AT_ONCE].tolist())[1:-1]
        yield b"]"
    yield b"}"


def _csv(analysis: VideoAnalysis, track: Track, trajectory: Trajectory) -> Iterator[bytes]:
    return trajectory_csv(trajectory)


def _mot(analysis: VideoAnalysis, track: Track, trajectory: Trajectory) -> Iterator[bytes]:
    rate = measured_rate(analysis.statistics, analysis.rate)
    yield trajectories_to_motchallenge([trajectory], rate=rate).encode()


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


TRAJECTORY_EXPORTS: Mapping[str, tuple[Writer, str, str]] = {
    "json": (_json, "application/json", ".json"),
    "csv": (_csv, "text/csv; charset=utf-8", ".csv"),
    "mot": (_mot, "text/plain; charset=utf-8", "-mot.txt"),
}

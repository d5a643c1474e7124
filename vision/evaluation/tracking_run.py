"""Runs trackers over sequences: figures of quality where there is ground truth, and the speed."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.evaluation.tracking import (
    COMBINED,
    TrackedSequence,
    TrackingMetrics,
    evaluate_sequences,
)
from vision.evaluation.tracking_folder import MotSequence
from vision.structures import Frame
from vision.tracking import create_tracker

__all__ = ["Detect", "TrackerRow", "detect_sequence", "evaluate_tracker", "track"]

Detect = Callable[[Sequence[NDArray[np.uint8]]], list[sv.Detections]]
"""Takes (H, W, 3) BGR images, gives the detections of each."""

_BATCH: Final = 8
# The trackers that look at the picture, and not only at boxes.
_LOOKING: Final = ("botsort",)


@dataclass(frozen=True, slots=True)
class TrackerRow:
    """One line of the table.

    Attributes:
        sequence: Its name, or ``COMBINED``.
        tracker: The tracker's name.
        frames: Frames that were tracked.
        boxes: Boxes with an id.
        tracks: Different ids.
        frames_per_second: Of the tracker alone.
        metrics: None without ground truth.
    """

    sequence: str
    tracker: str
    frames: int
    boxes: int
    tracks: int
    frames_per_second: float
    metrics: TrackingMetrics | None


def evaluate_tracker(
    name: str,
    sequences: Sequence[tuple[MotSequence, Sequence[sv.Detections]]],
) -> list[TrackerRow]:
    """Run one tracker over sequences; a row each, and ``COMBINED`` where more than one has truth.

    Args:
        name: One of ``vision.tracking.TRACKERS``.
        sequences: Each with its detections per frame.

    Raises:
        VisionError: ``unknown_tracker``, or what is wrong with a picture.
    """
    results: dict[str, list[sv.Detections]] = {}
    seconds: dict[str, float] = {}
    for sequence, detections in sequences:
        looking = name in _LOOKING and sequence.has_pictures
        blank = sequence.blank_frames(len(detections))
        frames = sequence.read_frames() if looking else blank
        results[sequence.name], seconds[sequence.name] = track(
            name, detections, frames, rate=sequence.rate
        )
    judged = {
        sequence.name: TrackedSequence(
            sequence.truth,
            _as_long(results[sequence.name], len(sequence.truth)),
            sequence.ignored,
        )
        for sequence, _ in sequences
        if sequence.truth is not None
    }
    metrics = evaluate_sequences(judged) if judged else {}
    rows = [_row(key, name, results[key], seconds[key], metrics.get(key)) for key in results]
    if len(judged) > 1:
        rows.append(_combined([row for row in rows if row.metrics], metrics[COMBINED]))
    return rows


def track(
    name: str, detections: Sequence[sv.Detections], frames: Iterable[Frame], *, rate: float
) -> tuple[list[sv.Detections], float]:
    """Run a tracker over a sequence.

    Returns:
        What it answers per frame, and the seconds that it took, without reading frames.
    """
    tracker = create_tracker(name, rate=rate)
    answers: list[sv.Detections] = []
    seconds = 0.0
    for found, frame in zip(detections, frames, strict=False):
        started = time.perf_counter()
        answers.append(tracker.update(found, frame))
        seconds += time.perf_counter() - started
    return answers, seconds


def detect_sequence(
    sequence: MotSequence,
    detect: Detect,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[sv.Detections]:
    """Return what a detector finds in the frames of a sequence.

    Args:
        sequence: With pictures.
        detect: Called with a few images at a time.
        on_progress: Called with (frames done, frames in all).

    Raises:
        VisionError: ``no_pictures``, or what is wrong with a picture.
    """
    found: list[sv.Detections] = []
    frames = sequence.read_frames()
    while batch := [frame.image for frame in islice(frames, _BATCH)]:
        found += detect(batch)
        if on_progress is not None:
            on_progress(len(found), max(sequence.frames, len(found)))
    if not found:
        raise VisionError("no_pictures", f"{sequence.name} has no frames.")
    return found


def _as_long(results: list[sv.Detections], frames: int) -> list[sv.Detections]:
    """Frames that were not there have no results; results beyond the truth do not count."""
    missing = [sv.Detections.empty() for _ in range(frames - len(results))]
    return (results + missing)[:frames]


def _row(
    sequence: str,
    tracker: str,
    results: Sequence[sv.Detections],
    seconds: float,
    metrics: TrackingMetrics | None,
) -> TrackerRow:
    ids = [frame.tracker_id for frame in results if frame.tracker_id is not None]
    return TrackerRow(
        sequence=sequence,
        tracker=tracker,
        frames=len(results),
        boxes=sum(len(frame) for frame in results),
        tracks=len(np.unique(np.concatenate(ids))) if ids else 0,
        frames_per_second=len(results) / seconds if seconds > 0 else 0.0,
        metrics=metrics,
    )


def _combined(rows: Sequence[TrackerRow], metrics: TrackingMetrics) -> TrackerRow:
    frames = sum(row.frames for row in rows)
    seconds = sum(row.frames / row.frames_per_second for row in rows if row.frames_per_second)
    return TrackerRow(
        sequence=COMBINED,
        tracker=rows[0].tracker,
        frames=frames,
        boxes=sum(row.boxes for row in rows),
        tracks=sum(row.tracks for row in rows),
        frames_per_second=frames / seconds if seconds else 0.0,
        metrics=metrics,
    )

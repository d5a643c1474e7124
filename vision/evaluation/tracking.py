"""How good a tracker is: HOTA, CLEAR MOT and identity measures.

Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021;
Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics", 2008; Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking", 2016. Computed by the ``trackers`` package, whose figures are those of TrackEval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.tracking.iou import box_iou

__all__ = ["COMBINED", "MATCH_IOU", "TrackedSequence", "TrackingMetrics", "evaluate_sequences"]

COMBINED: Final = "COMBINED"
"""The name of the figures over all sequences, as TrackEval has it."""

MATCH_IOU: Final = 0.5
"""From this IoU on a box is right, for MOTA, MOTP, IDF1 and their relatives."""


@dataclass(frozen=True, slots=True)
class TrackingMetrics:
    """The measures of one sequence, or of all; shares are 0..1 (MOTA may be below 0).

    Attributes:
        HOTA: Geometric mean of DetA and AssA, averaged over IoU thresholds 0.05 to 0.95.
        DetA: How well objects are found.
        AssA: How well they keep their ids.
        LocA: Mean IoU of matched boxes.
        MOTA: 1 - (FN + FP + IDSW) / boxes in the ground truth.
        MOTP: Mean IoU of the boxes that match at IoU 0.5.
        IDF1: F1 of boxes under the best one-to-one assignment of ids.
        IDP: Its precision.
        IDR: Its recall.
        IDSW: How often an object got another id.
        Frag: How often an object's track was interrupted.
        MT: Objects tracked for more than 80% of their time.
        PT: Those between.
        ML: Objects tracked for less than 20%.
        TP: Boxes that are right.
        FP: Boxes that nothing is in.
        FN: Boxes that were missed.
        frames: Frames of the sequence.
    """

    HOTA: float
    DetA: float
    AssA: float
    LocA: float
    MOTA: float
    MOTP: float
    IDF1: float
    IDP: float
    IDR: float
    IDSW: int
    Frag: int
    MT: int
    PT: int
    ML: int
    TP: int
    FP: int
    FN: int
    frames: int


@dataclass(frozen=True, slots=True, eq=False)
class TrackedSequence:
    """Ground truth and what a tracker made of it, one entry per frame each.

    Attributes:
        truth: Detections with ``tracker_id``.
        results: Detections with ``tracker_id``; as many frames.
        ignored: (N, 4) xyxy boxes per frame that are neither right nor wrong (people on vehicles,
            reflections); None where there are none.
    """

    truth: Sequence[sv.Detections]
    results: Sequence[sv.Detections]
    ignored: Sequence[NDArray[np.float32]] | None = None


def evaluate_sequences(sequences: Mapping[str, TrackedSequence]) -> dict[str, TrackingMetrics]:
    """Return the measures of each sequence by its name, and those of all as ``COMBINED``.

    Raises:
        ValueError: A sequence has not as many frames of results as of ground truth, or detections
            without ``tracker_id``.
    """
    from trackers.eval import (
        aggregate_clear_metrics,
        aggregate_hota_metrics,
        aggregate_identity_metrics,
    )

    figures = {name: _figures(sequence) for name, sequence in sequences.items()}
    answers = {name: _metrics(*parts) for name, parts in figures.items()}
    hota, clear, identity = zip(*figures.values(), strict=True) if figures else ((), (), ())
    answers[COMBINED] = _metrics(
        aggregate_hota_metrics(list(hota)),
        aggregate_clear_metrics(list(clear)),
        aggregate_identity_metrics(list(identity)),
    )
    return answers


def _figures(sequence: TrackedSequence) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    from trackers.eval import (
        compute_clear_metrics,
        compute_hota_metrics,
        compute_identity_metrics,
    )

    results = sequence.results
    if len(sequence.truth) != len(results):
        raise ValueError(f"{len(sequence.truth)} frames of truth, {len(results)} of results")
    if sequence.ignored is not None:
        triples = zip(sequence.truth, results, sequence.ignored, strict=True)
        results = [_without_ignored(truth, found, boxes) for truth, found, boxes in triples]
    true_ids, found_ids = _numbered(sequence.truth), _numbered(results)
    overlaps = [
        box_iou(truth.xyxy, found.xyxy)
        for truth, found in zip(sequence.truth, results, strict=True)
    ]
    return (
        compute_hota_metrics(true_ids, found_ids, overlaps),
        compute_clear_metrics(true_ids, found_ids, overlaps, threshold=MATCH_IOU),
        compute_identity_metrics(true_ids, found_ids, overlaps, threshold=MATCH_IOU),
    )


def _numbered(frames: Sequence[sv.Detections]) -> list[NDArray[np.int64]]:
    """Return the ids of each frame, numbered from 0 without gaps."""
    ids = [_ids(frame) for frame in frames]
    known = np.unique(np.concatenate(ids)) if ids else np.empty(0, np.int64)
    return [np.searchsorted(known, of_frame) for of_frame in ids]


def _ids(frame: sv.Detections) -> NDArray[np.int64]:
    if len(frame) == 0:
        return np.empty(0, np.int64)
    if frame.tracker_id is None:
        raise ValueError("detections need tracker_id to be evaluated")
    return np.asarray(frame.tracker_id, np.int64)


def _without_ignored(
    truth: sv.Detections, found: sv.Detections, ignored: NDArray[np.float32]
) -> sv.Detections:
    """Return the found boxes but for those that fit an ignored one best."""
    from scipy.optimize import linear_sum_assignment

    if len(ignored) == 0 or len(found) == 0:
        return found
    boxes = np.concatenate((truth.xyxy, ignored))
    overlap = box_iou(boxes, found.xyxy)
    overlap[overlap < MATCH_IOU - np.finfo(float).eps] = 0
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    matched = overlap[rows, columns] > 0
    kept = np.ones(len(found), np.bool_)
    kept[columns[matched & (rows >= len(truth))]] = False
    answer = found[kept]
    assert isinstance(answer, sv.Detections)
    return answer


def _metrics(
    hota: Mapping[str, Any], clear: Mapping[str, Any], identity: Mapping[str, Any]
) -> TrackingMetrics:
    shares: dict[str, Any] = {
        **{name: float(hota[name]) for name in ("HOTA", "DetA", "AssA", "LocA")},
        **{name: float(clear[name]) for name in ("MOTA", "MOTP")},
        **{name: float(identity[name]) for name in ("IDF1", "IDP", "IDR")},
    }
    counts = {name: int(clear[name]) for name in ("IDSW", "Frag", "MT", "PT", "ML")}
    return TrackingMetrics(
        **shares,
        **counts,
        TP=int(clear["CLR_TP"]),
        FP=int(clear["CLR_FP"]),
        FN=int(clear["CLR_FN"]),
        frames=int(clear["CLR_Frames"]),
    )

"""What leaves a network: the few anchors worth looking at, not yet decoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.detection.letterbox import Bucket

__all__ = [
    "OUTPUT_NAMES",
    "STRIDES",
    "Candidates",
    "Query",
    "anchor_table",
    "decode_boxes",
    "logit",
    "select_candidates",
    "sigmoid",
]

STRIDES = (8, 16, 32)
"""Pixels per cell of the three detection levels."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which anchors a caller wants to see.

    Attributes:
        confidence: 0..1; only anchors above it are candidates.
        classes: Wanted class ids, or None for all.
        input_size: Longer side of the network's input in pixels, a multiple of 32; None is the
            model's own.
    """

    confidence: float = 0.25
    classes: tuple[int, ...] | None = None
    input_size: int | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Anchors of one picture above the confidence threshold, in no particular order.

    Attributes:
        anchors: (N,) index into the bucket's anchor table.
        logits: (N,) float32, the best class's logit.
        class_ids: (N,) the best class.
        distributions: (N, 4 * bins) float32 logits of the four side distances.
        features: Further per-anchor outputs by name, each (N, C) float32
            (``"coefficients"`` of the masks, ``"keypoints"`` of the joints).
        maps: Whole-picture outputs by name (``"prototypes"``, (C, H, W) float32).
    """

    anchors: NDArray[np.int64]
    logits: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    distributions: NDArray[np.float32]
    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.anchors)


PER_ANCHOR_FEATURES = ("coefficients", "keypoints")
PER_PICTURE_MAPS = ("prototypes",)
OUTPUT_NAMES = ("boxes", "scores", "labels", *PER_ANCHOR_FEATURES, *PER_PICTURE_MAPS)
"""Outputs that a network may have, by the names that the exporter gives them."""


def select_candidates(outputs: Mapping[str, NDArray[Any]], row: int, query: Query) -> Candidates:
    """Copy the candidates of one picture out of the network's output tensors.

    Args:
        outputs: ``scores`` (B, A) logits, ``labels`` (B, A), ``boxes`` (B, 4 * bins, A), and where
            the network has them ``coefficients`` (B, C, A), ``prototypes`` (B, C, H, W) and
            ``keypoints`` (B, 3 * joints, A).
        row: Position in the batch.
        query: What the caller wants.
    """
    scores = outputs["scores"][row]
    anchors = np.flatnonzero(scores > logit(query.confidence))
    labels = outputs["labels"][row][anchors]
    if query.classes is not None:
        wanted = np.isin(labels, query.classes)
        anchors, labels = anchors[wanted], labels[wanted]

    def pick(name: str) -> NDArray[np.float32]:
        picked = outputs[name][row][:, anchors].T
        return np.ascontiguousarray(picked, dtype=np.float32)

    # Maps are copied only when there is something to draw: they are the largest output.
    maps: tuple[str, ...] = PER_PICTURE_MAPS if len(anchors) else ()
    return Candidates(
        anchors=anchors,
        logits=scores[anchors].astype(np.float32, copy=False),
        class_ids=labels.astype(np.int64, copy=False),
        distributions=pick("boxes"),
        features={name: pick(name) for name in PER_ANCHOR_FEATURES if name in outputs},
        maps={name: outputs[name][row].astype(np.float32) for name in maps if name in outputs},
    )


def decode_boxes(candidates: Candidates, bucket: Bucket) -> NDArray[np.float32]:
    """Return (N, 4) xyxy boxes in bucket pixels.

    Each side distance is the expectation of a discrete distribution over ``bins`` cells
    (Generalized Focal Loss, https://arxiv.org/abs/2006.04388, equation 6).
    """
    count = len(candidates)
    logits = candidates.distributions.reshape(count, 4, candidates.distributions.shape[1] // 4)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(logits.shape[2], dtype=np.float32)
    distances = (weights @ bins) / weights.sum(axis=2)
    centres, strides = anchor_table(bucket)
    centre = centres[candidates.anchors]
    corners = np.concatenate((centre - distances[:, :2], centre + distances[:, 2:]), axis=1)
    boxes: NDArray[np.float32] = corners * strides[candidates.anchors, None]
    return boxes


@lru_cache(maxsize=64)
def anchor_table(bucket: Bucket) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cell centres (A, 2) as x, y in cells, and the stride (A,) of every anchor."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = bucket[0] // stride, bucket[1] // stride
        y, x = np.mgrid[0:rows, 0:columns].reshape(2, -1)
        centres.append(np.stack((x, y), axis=1) + 0.5)
        strides.append(np.full(rows * columns, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def logit(probability: float) -> float:
    """Return the logit of a probability; 0 and 1 give minus and plus infinity."""
    with np.errstate(divide="ignore"):
        return float(np.log(np.float64(probability)) - np.log1p(-np.float64(probability)))


def sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logistic function of every value."""
    # Clipped where float32 saturates anyway, so that exp cannot overflow.
    result: NDArray[np.float32] = 1 / (1 + np.exp(-values.clip(-88, 88)))
    return result

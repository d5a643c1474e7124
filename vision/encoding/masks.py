"""Masks as COCO run-length codes of the whole picture."""

from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from supervision.detection.compact_mask import CompactMask

from vision.encoding.polygons import rle_to_polygons
from vision.encoding.runs import Rle, column_spans, runs_of

__all__ = ["Rle", "masks_to_rle", "rle_area", "rle_to_polygons"]


def masks_to_rle(detections: sv.Detections) -> list[Rle]:
    """Encode the masks of detections, in their order; an empty list when there are none.

    A CompactMask is re-scoped from its boxes to the picture by arithmetic on the runs; no mask is
    ever as large as the picture.
    """
    masks = detections.mask
    if masks is None or len(detections) == 0:
        return []
    if isinstance(masks, CompactMask):
        return _encode_compact(masks)
    return [_text(coco_mask.encode(np.asfortranarray(mask, np.uint8))) for mask in masks]


def rle_area(rle: Rle) -> int:
    """Return the number of pixels that a mask covers."""
    return int(runs_of(rle)[1::2].sum())


def _encode_compact(masks: CompactMask) -> list[Rle]:
    height, width = masks.image_shape
    # The crops' codes have no public name; they are the one thing that makes this cheap.
    crops = zip(masks._rles, masks._crop_shapes.tolist(), masks.offsets.tolist(), strict=True)
    return [
        _compress(_rescope(runs.astype(np.int64), crop[0], offset, height, width), height, width)
        for runs, crop, offset in crops
    ]


def _rescope(
    runs: NDArray[np.int64], crop_height: int, offset: list[int], height: int, width: int
) -> NDArray[np.int64]:
    """Return the run lengths on the whole picture of a mask that is coded on a crop of it."""
    spans = column_spans(runs, crop_height)
    columns = (spans[:, 0] + offset[0]) * height + offset[1]
    starts, stops = columns + spans[:, 1], columns + spans[:, 2]
    # Runs that touch become one: a crop as high as the picture goes on in its next column.
    apart = starts[1:] != stops[:-1]
    starts = starts[np.concatenate(([True], apart))] if len(starts) else starts
    stops = stops[np.concatenate((apart, [True]))] if len(stops) else stops
    edges = np.empty(2 * len(starts) + 2, np.int64)
    edges[0], edges[-1] = 0, height * width
    edges[1:-1:2], edges[2:-1:2] = starts, stops
    lengths = np.diff(edges)
    return lengths[:-1] if len(lengths) > 1 and lengths[-1] == 0 else lengths


def _compress(runs: NDArray[np.int64], height: int, width: int) -> Rle:
    uncompressed: Any = {"size": [height, width], "counts": runs}
    return _text(coco_mask.frPyObjects(uncompressed, height, width))


def _text(code: object) -> Rle:
    assert isinstance(code, dict)
    height, width = code["size"]
    counts = code["counts"]
    text = counts.decode("ascii") if isinstance(counts, bytes) else str(counts)
    return Rle(size=[int(height), int(width)], counts=text)

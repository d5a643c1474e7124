"""Outlines of masks."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.encoding.runs import Rle, column_spans, runs_of

_TOLERANCE: Final = 0.5
_CORNERS: Final = np.ones((2, 2), np.uint8)


def rle_to_polygons(rle: Rle, *, tolerance: float = _TOLERANCE) -> list[list[float]]:
    """Trace a mask.

    Args:
        rle: COCO code of a mask.
        tolerance: How far an outline may leave the mask's edge when its points are thinned
            (Douglas-Peucker), in pixels.

    Returns:
        One ring per part and per hole, each flat as x, y, x, y, ... in picture pixels, where pixel
        (0, 0) covers 0..1. Holes wind the other way, so even-odd and non-zero filling agree.
        Largest part first, each part followed by its holes; empty for an empty mask.
    """
    return [ring.ravel().tolist() for part in trace_parts(rle, tolerance) for ring in part]


def trace_parts(rle: Rle, tolerance: float = _TOLERANCE) -> list[list[NDArray[np.float64]]]:
    """Return the parts of a mask, largest first: (K, 2) rings, the outline and then its holes."""
    spans = column_spans(runs_of(rle), rle["size"][0])
    if not len(spans):
        return []
    left, top = int(spans[0, 0]), int(spans[:, 1].min())
    crop = _paint(spans - (left, top, top))
    # Outlines run through pixel corners, not centres, or every object would lose half a pixel
    # all around. A corner belongs to the object if one of the four pixels at it does.
    corners = cv2.dilate(crop, _CORNERS, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    contours, hierarchy = cv2.findContours(
        corners, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top)
    )
    parts = []
    for index, (_, _, child, parent) in enumerate(hierarchy[0].tolist()):
        if parent >= 0:
            continue
        part = [contours[index]]
        while child >= 0:
            part.append(contours[child])
            child = int(hierarchy[0][child][0])
        parts.append(part)
    parts.sort(key=lambda part: cv2.contourArea(part[0]), reverse=True)
    thinned = [[_thin(ring, tolerance) for ring in part] for part in parts]
    return [[ring for ring in part if len(ring) >= 3] for part in thinned if len(part[0]) >= 3]


def _paint(spans: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the mask of column spans on a canvas with a border of one pixel before, two after."""
    width, height = int(spans[-1, 0]) + 3, int(spans[:, 2].max()) + 3
    steps = np.zeros(width * height + 1, np.int8)
    columns = (spans[:, 0] + 1) * height + 1
    # Spans of a column that touch were one run, so no step is hit twice from the same side.
    np.add.at(steps, columns + spans[:, 1], 1)
    np.add.at(steps, columns + spans[:, 2], -1)
    filled = np.cumsum(steps[:-1], dtype=np.int8).astype(np.uint8)
    return np.ascontiguousarray(filled.reshape(width, height).T)


def _thin(ring: cv2.typing.MatLike, tolerance: float) -> NDArray[np.float64]:
    thin = cv2.approxPolyDP(ring, tolerance, closed=True)
    return np.asarray(thin, np.float64).reshape(-1, 2)

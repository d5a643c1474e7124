"""Records as YOLO label files: one row per object, everything as a share of the picture."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vision.encoding.polygons import trace_parts
from vision.encoding.records import ObjectRecord


def yolo_labels(records: Sequence[ObjectRecord], *, width: int, height: int) -> str:
    """Return the text of a label file.

    Without masks a row is ``class x_center y_center width height``; as soon as one record has a
    mask every row is ``class x1 y1 x2 y2 ...``, because readers take a file as one or the other.
    A mask of several parts becomes one outline, its parts joined by bridges without width; a
    record without a mask gives the corners of its box.

    Args:
        records: Objects of one picture.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """
    size = np.array([width, height], np.float64)
    outlined = any(record.mask is not None for record in records)
    rows = []
    for record in records:
        start = np.array([record.x, record.y])
        extent = np.array([record.width, record.height])
        # The clipped box, so that no share leaves 0..1.
        low, high = np.clip(start, 0, size), np.clip(start + extent, 0, size)
        if outlined:
            numbers = _outline(record, low, high) / size
        else:
            numbers = np.stack(((low + high) / 2, high - low)) / size
        shares = np.clip(numbers, 0, 1).ravel()
        rows.append(" ".join([str(record.class_id), *(f"{share:.6f}" for share in shares)]))
    return "".join(f"{row}\n" for row in rows)


def yolo_classes(names: Iterable[str]) -> str:
    """Return the text of ``classes.txt``: one name per line, in the order of the class ids."""
    return "".join(f"{' '.join(name.split())}\n" for name in names)


def _outline(
    record: ObjectRecord, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    parts = trace_parts(record.mask) if record.mask is not None else []
    rings = [ring for part in parts for ring in part]
    if not rings:
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    joined = rings[0]
    for ring in rings[1:]:
        joined = _bridge(joined, ring)
    return joined


def _bridge(ring: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Walk ``ring`` to its nearest point, around ``other``, and back the same way."""
    distances = ((ring[:, None] - other[None]) ** 2).sum(axis=2)
    here, there = np.unravel_index(int(distances.argmin()), distances.shape)
    around = np.roll(other, -int(there), axis=0)
    return np.concatenate((ring[: here + 1], around, around[:1], ring[here:]))

"""Which classes a detector takes for one another.

A track never leaves its kind: a person does not become the car that passes. Within a kind a
detector changes its mind from frame to frame (a van is a car, then a truck), and the track
must not break there.
"""

from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

__all__ = ["kinds_of"]

_MIXED_UP: Final = (
    ("car", "truck", "bus", "train"),
    ("bicycle", "motorcycle"),
    ("cat", "dog"),
    ("horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe"),
)

# Far above every class id, so that kinds of names and kinds of ids do not meet.
_FIRST_KIND: Final = 1 << 20
_KIND_OF_NAME: Final = {
    name: _FIRST_KIND + index for index, names in enumerate(_MIXED_UP) for name in names
}


def kinds_of(detections: sv.Detections) -> NDArray[np.int64]:
    """Return (N,) numbers that are equal where two detections may be the same object.

    The kind of a class that stands alone is its class id; without class ids all is one kind.
    """
    if detections.class_id is None:
        return np.zeros(len(detections), np.int64)
    kinds = np.asarray(detections.class_id, np.int64)
    names = detections.data.get("class_name")
    if names is None or len(kinds) == 0:
        return kinds
    # One look-up per class and not per detection.
    classes, rows, inverse = np.unique(kinds, return_index=True, return_inverse=True)
    known = [
        _KIND_OF_NAME.get(str(names[row]), own)
        for row, own in zip(rows.tolist(), classes.tolist(), strict=True)
    ]
    return np.array(known, np.int64)[inverse]

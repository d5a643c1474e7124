"""Instance masks at picture resolution, computed inside each box only.

A mask is a weighted sum of prototypes, interpolated bilinearly to the picture and cut at zero
(YOLACT, https://arxiv.org/abs/1904.02689, section 3.2). Nothing here is as large as the picture
times the number of objects.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from vision.detection.letterbox import Letterbox

__all__ = ["build_masks"]


def build_masks(
    prototypes: NDArray[np.float32] | None,
    coefficients: NDArray[np.float32],
    boxes: NDArray[np.float32],
    letterbox: Letterbox,
) -> tuple[CompactMask, NDArray[np.bool_]]:
    """Return the masks that have a pixel, and (N,) which of the objects they belong to.

    Args:
        prototypes: (C, H, W) float32 over the whole bucket; None only when there is no object.
        coefficients: (N, C) float32.
        boxes: (N, 4) float32 xyxy in picture pixels, clipped to the picture.
        letterbox: How the picture lies in the bucket.
    """
    runs: list[NDArray[np.int32]] = []
    frames: list[tuple[int, int, int, int]] = []
    drawn = np.zeros(len(boxes), dtype=np.bool_)
    if prototypes is not None:
        grid = _Grid(prototypes, letterbox)
        for index, box in enumerate(boxes):
            # The pixels whose position p satisfies x1 <= p < x2, as the reference cuts them.
            x1, y1, x2, y2 = (math.ceil(value) for value in box)
            if x2 <= x1 or y2 <= y1:
                continue
            lengths = _run_lengths(grid.crop(coefficients[index], x1, y1, x2, y2))
            if len(lengths) > 1:
                drawn[index] = True
                runs.append(lengths)
                frames.append((x1, y1, x2 - x1, y2 - y1))
    table = np.array(frames, dtype=np.int32).reshape(-1, 4)
    mask = CompactMask(
        runs,
        crop_shapes=np.ascontiguousarray(table[:, [3, 2]]),
        offsets=np.ascontiguousarray(table[:, :2]),
        image_shape=(letterbox.height, letterbox.width),
    )
    return mask, drawn


class _Grid:
    """The part of the prototypes that lies under the picture, and the way there."""

    def __init__(self, prototypes: NDArray[np.float32], letterbox: Letterbox) -> None:
        _, rows, columns = prototypes.shape
        per_cell_y = letterbox.bucket[0] / rows
        per_cell_x = letterbox.bucket[1] / columns
        self._prototypes = prototypes
        self._scale_x = letterbox.gain_x / per_cell_x
        self._scale_y = letterbox.gain_y / per_cell_y
        self._shift_x = letterbox.left / per_cell_x - 0.5
        self._shift_y = letterbox.top / per_cell_y - 0.5

    def crop(
        self, coefficients: NDArray[np.float32], x1: int, y1: int, x2: int, y2: int
    ) -> NDArray[np.bool_]:
        """Return the mask inside a box, transposed: (x2 - x1, y2 - y1).

        Transposed because run lengths go down the columns, which then lie in one piece.
        """
        rows = self._span(y1, y2, self._scale_y, self._shift_y, self._prototypes.shape[1])
        columns = self._span(x1, x2, self._scale_x, self._shift_x, self._prototypes.shape[2])
        patch = self._prototypes[:, rows, columns]
        logits = (coefficients @ patch.reshape(len(patch), -1)).reshape(patch.shape[1:])
        # Pixel centres: picture x + 0.5 is prototype (x + 0.5) * scale + shift.
        to_patch = np.array(
            [
                [self._scale_y, 0, (y1 + 0.5) * self._scale_y + self._shift_y - rows.start],
                [0, self._scale_x, (x1 + 0.5) * self._scale_x + self._shift_x - columns.start],
            ]
        )
        drawn = cv2.warpAffine(
            np.ascontiguousarray(logits.T),
            to_patch,
            (y2 - y1, x2 - x1),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        inside: NDArray[np.bool_] = np.asarray(drawn) > 0
        return inside

    @staticmethod
    def _span(start: int, stop: int, scale: float, shift: float, size: int) -> slice:
        """Return the prototype cells that the pixels start..stop-1 are interpolated from."""
        first = math.floor((start + 0.5) * scale + shift)
        last = math.floor((stop - 0.5) * scale + shift) + 1
        first = min(max(first, 0), size - 1)
        return slice(first, min(max(last, first), size - 1) + 1)


def _run_lengths(transposed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return COCO's column-major run lengths, beginning with the unset pixels."""
    flat = transposed.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    lengths = np.diff(edges).astype(np.int32)
    return np.concatenate(([np.int32(0)], lengths)) if flat[0] else lengths

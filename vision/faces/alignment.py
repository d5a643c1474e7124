"""Turns a face upright and to its place: what dlib's network expects to see."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.faces.dlib_format import FACE_SIZE

__all__ = ["align", "similarity"]

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_PADDING: Final = 0.25
_PLACES: Final = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
# Where dlib puts the five landmarks of a face in a square of side 1, before the padding.

_PYRAMID_SHIFT: Final = np.array([-0.25, 0.25])
# By so many pixels dlib's pictures of half the size lie beside those of OpenCV.


def similarity(landmarks: NDArray[np.float64]) -> Matrix:
    """Return the (2, 3) map from picture to face picture that fits five landmarks best."""
    wanted = (_PADDING + _PLACES) / (2 * _PADDING + 1) * FACE_SIZE
    from_centre, to_centre = wanted.mean(axis=0), landmarks.mean(axis=0)
    # As complex numbers the best turn with a scale is one division. The errors that are smallest
    # are those in the picture, so what is fitted is the way back.
    before, after = (wanted - from_centre) @ (1, 1j), (landmarks - to_centre) @ (1, 1j)
    turn = complex((np.conj(before) * after).sum()) / float((np.abs(before) ** 2).sum())
    if turn == 0:
        turn = 1.0 + 0j
    size = abs(turn)
    # dlib counts from the first pixel's centre to the last one's, on both sides of the map.
    turn *= max(1.0, FACE_SIZE * size - 1) / ((FACE_SIZE - 1) * size)
    middle = to_centre + _as_matrix(turn / abs(turn) * size) @ (FACE_SIZE / 2 - from_centre)
    matrix = np.linalg.inv(_as_matrix(turn))
    return np.column_stack((matrix, (FACE_SIZE - 1) / 2 - matrix @ middle))


def _as_matrix(turn: complex) -> Matrix:
    return np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])


def align(image: Image, matrix: Matrix) -> Image:
    """Return the face picture, (150, 150, 3), as dlib would cut it out: one affine warp."""
    crop, offset = _surroundings(image, matrix)
    warp = matrix.copy()
    warp[:, 2] += matrix[:, :2] @ offset
    # A warp looks at four pixels each: what is to shrink to less than half is reduced before.
    while np.hypot(*warp[:, 0]) < 0.5 and min(crop.shape[:2]) > 1:
        crop = cv2.pyrDown(crop).astype(np.uint8, copy=False)
        warp[:, :2] *= 2
        warp[:, 2] -= warp[:, :2] @ _PYRAMID_SHIFT
    size = (FACE_SIZE, FACE_SIZE)
    # In floats, because dlib cuts fractions off where a warp of bytes would round them.
    face = cv2.warpAffine(crop.astype(np.float32), warp, size, flags=cv2.INTER_LINEAR)
    if not _is_inside(crop, warp):
        known = cv2.warpAffine(np.ones(crop.shape[:2], np.float32), warp, size)
        face[known < 0.999] = 0
    return (face + 1e-3).astype(np.uint8)


def _is_inside(crop: Image, warp: Matrix) -> bool:
    seen = _corners_seen(warp)
    return bool((seen >= 0).all() and (seen <= np.array(crop.shape[1::-1]) - 1).all())


def _corners_seen(matrix: Matrix) -> NDArray[np.float64]:
    """Return where the corners of the face picture lie in the picture."""
    last = FACE_SIZE - 1
    corners = np.array([(0, 0), (last, 0), (0, last), (last, last)], float)
    seen: NDArray[np.float64] = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return seen


def _surroundings(image: Image, matrix: Matrix) -> tuple[Image, NDArray[np.float64]]:
    """Return the part of a picture that a warp sees, and where it begins."""
    height, width = image.shape[:2]
    seen = _corners_seen(matrix)
    margin = 4 / np.hypot(*matrix[:, 0]) + 4
    low = np.clip(np.floor(seen.min(axis=0) - margin), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0) + margin), low + 1, (width, height)).astype(int)
    return image[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)

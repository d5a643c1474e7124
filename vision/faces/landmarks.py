"""dlib's landmarks of faces that somebody else has found."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.faces.dlib_thread import DlibModels
from vision.faces.found import Found

__all__ = ["dlib_frames", "five_landmarks"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_SIZE: Final = 0.928
_SPREAD: Final = 1.62
_OFFSET: Final = (-0.009, -0.018)
# Fitted to 94 faces of the shared pictures that both YuNet and dlib's HOG find: dlib's square is
# so many times the geometric mean of YuNet's sides, or the spread of YuNet's landmarks, and its
# centre lies so many of its own sides from their mean. The sides scatter by 7.6% (10% by the
# spread), the centres by 4%: dlib's own search goes in steps of 20% and 8 pixels.

_FRAMES: Final = ((0.0, 0.0, 0.92), (0.0, 0.0, 1.0), (0.0, 0.0, 1.1))
# How far each frame is moved, in its own sides, and how much larger it is. The mean of three is
# nearer to what dlib finds by itself: embeddings move by 0.048 on average, with one by 0.053.

_MORE_FRAMES: Final = tuple(
    (x, y, size)
    for x in (-0.08, 0.0, 0.08)
    for y in (-0.08, 0.0, 0.08)
    for size in (0.9, 1.0, 1.12)
)
_TOLERANCE: Final = 0.15
# Of the 94 faces one has its eyes farther from where YuNet sees them: a dark face in half profile,
# whose landmarks are wrong in the three frames and right in others.

_MARGIN: Final = 0.6


def dlib_frames(found: Found, width: int, height: int) -> Floats:
    """Return (N, 4) squares as dlib's own detector frames these faces.

    Boxes are cut off at the edges of the picture (width, height): for those that reach one the
    landmarks have a say in how large the face is.
    """
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).astype(np.float64).clip(1)
    marks = found.landmarks.astype(np.float64)
    middle = marks.mean(axis=1)
    spread = np.sqrt(((marks - middle[:, None]) ** 2).sum(axis=(1, 2)))
    is_cut = (found.boxes <= 0) | (found.boxes >= (width, height, width, height))
    size = _SIZE * np.sqrt(sides.prod(axis=1))
    size = np.where(is_cut.any(axis=1), (size + _SPREAD * spread) / 2, size)
    centre = middle + size[:, None] * np.array(_OFFSET)
    half = size[:, None] / 2
    return np.concatenate((centre - half, centre + half), axis=1)


def five_landmarks(models: DlibModels, image: Image, found: Found) -> Floats:
    """Return (N, 5, 2): corners of the left eye, of the right eye, outer first, and the nose.

    For dlib's thread. Several frames are tried for a face, and those count whose eyes lie where
    its detector has seen them.
    """
    frames = dlib_frames(found, image.shape[1], image.shape[0])
    marks = [
        _marks_of_face(models.five_points, image, frame, seen)
        for frame, seen in zip(frames, found.landmarks, strict=True)
    ]
    return np.array(marks, np.float64).reshape(-1, 5, 2)


def _marks_of_face(
    predictor: Any, image: Image, frame: Floats, seen: NDArray[np.float32]
) -> Floats:
    crop, corner = _surroundings(image, frame)
    frame = frame - np.tile(corner, 2)
    eyes = seen[:2].astype(np.float64) - corner
    # A little of the face's height, for profiles, whose eyes are close to one another.
    height = np.hypot(*(seen[:2].mean(axis=0) - seen[3:].mean(axis=0)))
    unit = float(np.hypot(*(eyes[0] - eyes[1])) + height / 4)
    marks = _predict(predictor, crop, frame, _FRAMES)
    away = _distances(marks, eyes, unit)
    if unit > 0 and np.median(away) > _TOLERANCE:
        marks = np.concatenate((marks, _predict(predictor, crop, frame, _MORE_FRAMES)))
        away = _distances(marks, eyes, unit)
        chosen = away <= away.min() + 0.02
    else:
        chosen = away <= max(_TOLERANCE, float(away.min()))
    mean: Floats = marks[chosen].mean(axis=0) + corner
    return mean


def _surroundings(image: Image, frame: Floats) -> tuple[Image, Floats]:
    """Return a face with what is around it, RGB, and its upper left corner."""
    limits = np.array(image.shape[1::-1])
    margin = _MARGIN * (frame[2] - frame[0])
    left, top = np.clip(frame[:2] - margin, 0, limits - 1).astype(int).tolist()
    right, bottom = np.clip(frame[2:] + margin, (left + 1, top + 1), limits).astype(int).tolist()
    crop = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2RGB)
    return crop.astype(np.uint8, copy=False), np.array([left, top], np.float64)


def _predict(
    predictor: Any, crop: Image, frame: Floats, moves: tuple[tuple[float, float, float], ...]
) -> Floats:
    """Return the landmarks in frames that are moved and grown, (M, 5, 2)."""
    import dlib

    middle, side = (frame[:2] + frame[2:]) / 2, frame[2] - frame[0]
    marks = []
    for x, y, size in moves:
        centre, half = middle + side * np.array((x, y)), side * size / 2
        corners = np.rint(np.concatenate((centre - half, centre + half))).astype(int).tolist()
        marks.append(
            [(part.x, part.y) for part in predictor(crop, dlib.rectangle(*corners)).parts()]
        )
    return np.array(marks, np.float64)


def _distances(marks: Floats, eyes: Floats, unit: float) -> Floats:
    """Return how far the middles of both eyes are from where they were seen, in units."""
    right, left = marks[:, 2:4].mean(axis=1), marks[:, 0:2].mean(axis=1)
    apart = np.hypot(*(right - eyes[0]).T) + np.hypot(*(left - eyes[1]).T)
    return np.asarray(apart / 2 / max(unit, 1e-6), np.float64)

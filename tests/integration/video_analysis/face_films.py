"""Films of people whose faces are on photographs: a photograph that moves over a grey wall."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.encoding.video import VideoWriter

SIZE = (640, 480)
RATE = 10
# Photographs of the shared data, and the part of each that shows the person.
PEOPLE = {
    "obama": ("known/test/obama1.jpg", (45, 41, 1209, 826)),
    "kit": ("known/test/johnsnow_test1.jpg", (0, 88, 759, 1149)),
    "alex": ("known/test/alex_lacamoire1.jpg", (357, 15, 1346, 1009)),
}
ENROLLED = {
    "obama": ("known/train/obama/obama.jpg", "known/train/obama/obama2.jpg"),
    "kit": ("known/train/kit_harington/john1.jpeg", "known/train/kit_harington/john2.jpeg"),
    "alex": ("known/train/alex_lacamoire/img1.jpg",),
}


def photographs(data: Path, person: str) -> list[bytes]:
    """Return the photographs by which a person is enrolled; none of them is in a film."""
    return [(data / "faces" / name).read_bytes() for name in ENROLLED[person]]


def make_face_film(
    path: Path, data: Path, person: str, *, seconds: float = 8.0, height: int = 380
) -> Path:
    """Write a film in which a person goes to and fro before a wall.

    Args:
        path: Where to, with the suffix ``.mp4``.
        data: The folder of test data.
        person: Of ``PEOPLE``.
        seconds: How long it is.
        height: Of the person, in pixels; the film has 640 x 480.
    """
    cutout = _cutout(data, person, height)
    wall = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    noise = np.random.default_rng(5).integers(0, 12, wall.shape, np.uint8)
    room = SIZE[0] - cutout.shape[1]
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], rate=RATE) as writer:
        for index in range(round(seconds * RATE)):
            phase = index / RATE
            left = round(room * (0.5 - 0.45 * np.cos(phase * 0.8)))
            top = round((SIZE[1] - height) * 0.8 + 4 * np.sin(phase * 5))
            image = wall + np.roll(noise, index * 37, axis=1)
            bright = cv2.convertScaleAbs(cutout, alpha=0.95 + 0.05 * np.sin(phase))
            image[top : top + height, left : left + cutout.shape[1]] = bright
            writer.write(image, phase)
    return path


def _cutout(data: Path, person: str, height: int) -> NDArray[np.uint8]:
    name, (x1, y1, x2, y2) = PEOPLE[person]
    image = cv2.imread(str(data / "faces" / name))
    part = image[y1:y2, x1:x2]
    width = min(SIZE[0] - 40, round(part.shape[1] * height / part.shape[0]))
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)

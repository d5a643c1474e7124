"""The pictures and weights that the benchmarks run on.

Real ones when ``SIGHTLINE_TEST_DATA`` and ``VISION_WEIGHTS_DIR`` name them; otherwise seeded
blobs of colour and seeded random networks of the same architectures, so that speed and parity never
go unmeasured.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.benchmark.networks import random_picture, write_random_weights
from vision.export.process import ultralytics_environment

Picture = NDArray[np.uint8]
CARDS = ("yolov8n", "yolov8n-seg")


@dataclass(frozen=True)
class Material:
    weights_dir: Path
    pictures_dir: Path | None
    real_weights: bool

    def weights(self, card: str) -> Path:
        return self.weights_dir / f"{card}.pt"

    def video(self, name: str) -> Path | None:
        """A real clip, if there is one: speed on made-up pictures would say little."""
        data = os.environ.get("SIGHTLINE_TEST_DATA")
        path = Path(data) / "videos" / name if data else None
        return path if path is not None and path.exists() else None

    @property
    def annotations(self) -> Path | None:
        path = self.pictures_dir / "instances.json" if self.pictures_dir else None
        return path if path and path.exists() else None


def find_material(scratch: Path) -> Material:
    data = os.environ.get("SIGHTLINE_TEST_DATA")
    pictures = Path(data) / "images" / "coco" if data else None
    if pictures is not None and not pictures.is_dir():
        pictures = None
    named = os.environ.get("VISION_WEIGHTS_DIR")
    if named and all((Path(named) / f"{card}.pt").exists() for card in CARDS):
        return Material(Path(named).resolve(), pictures, real_weights=True)
    return Material(make_random_weights(scratch / "weights"), pictures, real_weights=False)


def make_random_weights(folder: Path) -> Path:
    """Networks of the real architectures that find some hundred objects in a picture."""
    os.environ.update(ultralytics_environment(folder))
    for card in CARDS:
        write_random_weights(card, folder)
    return folder


def load_pictures(material: Material, count: int, width: int, height: int) -> list[Picture]:
    """``count`` different BGR pictures that fill ``width`` x ``height`` (cover crop)."""
    if material.pictures_dir is None:
        return [random_picture(height, width, seed) for seed in range(count)]
    paths = sorted(material.pictures_dir.glob("*.jpg"))
    landscape = []
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is not None and picture.shape[1] > picture.shape[0]:
            landscape.append(_cover(np.asarray(picture, dtype=np.uint8), width, height))
        if len(landscape) == count:
            break
    return landscape


def _cover(picture: Picture, width: int, height: int) -> Picture:
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    top, left = (resized.shape[0] - height) // 2, (resized.shape[1] - width) // 2
    cropped = resized[top : top + height, left : left + width]
    return np.ascontiguousarray(cropped, dtype=np.uint8)

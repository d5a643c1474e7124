"""Small pictures to be painted, and what paints them without any weights."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.style import GatysConfig, GatysOptions, create_gatys
from vision.weights import WeightsStore

Image = NDArray[np.uint8]


def content_picture(height: int = 48, width: int = 64) -> Image:
    """A bright disc over a slope of colours."""
    rows, columns = np.mgrid[:height, :width]
    slope = np.stack((columns / width, rows / height, 1 - columns / width), axis=2) * 200
    disc = (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (min(height, width) / 4) ** 2
    slope[disc] = (40, 220, 250)
    return slope.astype(np.uint8)


def style_picture(height: int = 40, width: int = 40) -> Image:
    """Slanting stripes in strong colours."""
    rows, columns = np.mgrid[:height, :width]
    colours = np.array([(20, 20, 200), (230, 200, 10), (10, 120, 30), (250, 250, 250)], np.uint8)
    return colours[(rows + columns) // 4 % 4]


def painter(tmp_path: Path, **options: Any):
    """Return a painter with random features, float32 on one thread unless told otherwise."""
    config = {"features": "random", "precision": "fp32", "threads": 1, "device": "cpu"}
    given = {name: options.pop(name) for name in list(options) if name in CONFIG}
    store = WeightsStore(tmp_path / "cache", allow_download=False)
    return create_gatys(
        GatysConfig(store, **{**config, **given, "options": GatysOptions(**options)})
    )


CONFIG = ("features", "precision", "threads", "device", "memory")

"""The command, pictures for it, and a painter that is done at once."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.core.management import call_command
from numpy.typing import NDArray

from vision.style import GatysOptions, OnProgress, StyleProgress, Stylized

Image = NDArray[np.uint8]


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("stylize", *map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def save(path: Path, width: int = 64, height: int = 48, seed: int = 0) -> Path:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 8, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return path


def read(path: Path) -> Image:
    image = cv2.imread(str(path))
    assert image is not None, path
    return image.astype(np.uint8)


class FakePainter:
    """Paints one level lighter at every step."""

    model = "random-vgg19"

    def __init__(self, config: Any) -> None:
        self.options: GatysOptions = config.options
        self.hook: Callable[[int], None] = lambda step: None
        self.fetching: Callable[[], None] = lambda: None

    def check(self, content: Image, style: Image, *, start: Image | None = None) -> None:
        """Take whatever comes."""

    def prepare(self, on_progress: Callable[[int, int | None], None]) -> str:
        for done in (50_000_000, 100_000_000):
            self.fetching()
            on_progress(done, 100_000_000)
        return self.model

    def stylize(
        self, content: Image, style: Image, *, on_progress: OnProgress, start: Image | None = None
    ) -> Stylized:
        losses: list[float] = []
        image = content if start is None else start
        stopped = False
        for step in range(1, self.options.steps + 1):
            image = np.minimum(image, 254) + np.uint8(1)
            losses.append(10.0 / step)
            self.hook(step)
            told = StyleProgress(
                step, self.options.steps, losses[-1], step / self.options.steps, image.copy
            )
            if on_progress(told) is False:
                stopped = True
                break
        return Stylized(image, np.array(losses), 1.5, stopped, self.model, "cpu")

    def close(self) -> None:
        """Nothing to let go of."""

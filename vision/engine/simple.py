"""A detector in one line, for notebooks and scripts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.engine.config import EngineConfig, ModelInfo
from vision.engine.engine import Engine
from vision.weights.store import WeightsStore

__all__ = ["SimpleDetector", "load_detector"]

_DEFAULT_CACHE = Path.home() / ".cache" / "sightline"


class SimpleDetector:
    """One model of an engine of its own; implements ``Detector``.

    Args:
        engine: Owned from now on; closed with the detector.
        model: Name of a card.
    """

    def __init__(self, engine: Engine, model: str) -> None:
        self._engine = engine
        self._model = model

    @property
    def info(self) -> ModelInfo:
        """What answers; says so when that is the fallback."""
        return self._engine.describe(self._model)

    def detect(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        confidence: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[int] | None = None,
    ) -> list[sv.Detections]:
        """Return the objects of each picture; see ``Engine.detect``."""
        return self._engine.detect(
            images, model=self._model, confidence=confidence, iou=iou, classes=classes
        )

    def close(self) -> None:
        """Let go of the model."""
        self._engine.close()

    def __enter__(self) -> "SimpleDetector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_detector(
    model: str = "yolov8n",
    *,
    cache_dir: Path | str | None = None,
    weights_dirs: Sequence[Path | str] = (),
    **config: Any,
) -> SimpleDetector:
    """Return a detector that is ready to use.

    Args:
        model: Name of a card.
        cache_dir: Weights and exported networks; by default ``~/.cache/sightline``.
        weights_dirs: Folders with weights that are already there.
        **config: ``backend``, ``device``, ``precision`` and ``threads`` of ``EngineConfig``.

    Raises:
        ModelError: ``unknown_model``, or a configuration that does not exist here.
    """
    cache = Path(cache_dir) if cache_dir is not None else _DEFAULT_CACHE
    store = WeightsStore(cache / "weights", [Path(folder) for folder in weights_dirs])
    engine = Engine(EngineConfig(cache_dir=cache, weights=store, **config))
    try:
        engine.describe(model)
    except BaseException:
        engine.close()
        raise
    return SimpleDetector(engine, model)

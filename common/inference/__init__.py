"""The process's one engine, made from the settings when it is first asked for."""

import os
import threading
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from vision.engine import Engine

__all__ = ["close_engine", "get_engine", "set_engine_for_tests"]

_lock = threading.Lock()
_engine: "Engine | None" = None


def get_engine() -> "Engine":
    """Return the engine of this process; models are loaded when they are first used."""
    global _engine
    if _engine is None:
        with _lock:
            if _engine is None:
                _engine = _make_engine()
    return _engine


def set_engine_for_tests(engine: "Engine | None") -> None:
    """Replace the engine; None lets the next call make a real one."""
    global _engine
    with _lock:
        _engine = engine


def close_engine() -> None:
    """Close the engine, if there is one; its threads end."""
    global _engine
    with _lock:
        engine, _engine = _engine, None
    if engine is not None:
        engine.close()


def _make_engine() -> "Engine":
    # Imported here: a process that never detects never loads a runtime.
    from vision.engine import Engine, EngineConfig
    from vision.weights.store import WeightsStore

    models = settings.MODELS_DIR
    os.environ.setdefault("YOLO_CONFIG_DIR", str(models / "ultralytics"))
    given = settings.VISION_WEIGHTS_DIR
    weights = WeightsStore(
        models / "weights",
        search_dirs=[given] if given else [],
        allow_download=settings.SIGHTLINE_ALLOW_DOWNLOADS,
    )
    return Engine(
        EngineConfig(
            cache_dir=models,
            weights=weights,
            backend=settings.SIGHTLINE_BACKEND,
            device=settings.SIGHTLINE_DEVICE,
            precision=settings.SIGHTLINE_PRECISION,
            threads=settings.SIGHTLINE_THREADS,
        )
    )

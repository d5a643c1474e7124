"""The process's one engine, made from the settings when it is first asked for."""

import logging
import os
import threading
from typing import TYPE_CHECKING

from django.conf import settings

from common.metrics.work import observe_batch
from vision.errors import VisionError

if TYPE_CHECKING:
    from vision.engine import Engine, ModelInfo
    from vision.weights.store import WeightsStore

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_engine: "Engine | None" = None
_warming: threading.Thread | None = None
_warm = threading.Event()


def get_engine() -> "Engine":
    """Return the engine of this process; models are loaded when they are first used."""
    global _engine
    if _engine is None:
        with _lock:
            if _engine is None:
                _engine = _make_engine()
    return _engine


def existing_engine() -> "Engine | None":
    """Return the engine of this process if it has one; makes none."""
    return _engine


def get_weights_store() -> "WeightsStore":
    """Return where this installation looks for weights and keeps those that it downloads."""
    from vision.weights.store import WeightsStore

    given = settings.VISION_WEIGHTS_DIR
    return WeightsStore(
        settings.MODELS_DIR / "weights",
        search_dirs=[given] if given else [],
        allow_download=settings.SIGHTLINE_ALLOW_DOWNLOADS,
    )


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


def warm_up() -> "ModelInfo | None":
    """Load the default model, so that the first picture need not wait.

    Returns:
        What the engine says of it, or None when it cannot answer; the log says why.
    """
    try:
        return get_engine().describe(settings.SIGHTLINE_DEFAULT_MODEL)
    except VisionError as error:
        logger.warning("The default model could not be loaded: %s", error.message)
    except Exception:
        logger.exception("The default model could not be loaded")
    finally:
        _warm.set()
    return None


def start_warm_up() -> None:
    """Load the default model in a thread, once per process."""
    global _warming
    with _lock:
        if _warming is None and not _warm.is_set():
            _warming = threading.Thread(target=warm_up, name="warm-up", daemon=True)
            _warming.start()


def is_warm() -> bool:
    """Tell whether the default model has been loaded, or could not be: asking is quick now."""
    return _warm.is_set()


def _make_engine() -> "Engine":
    # Imported here: a process that never detects never loads a runtime.
    from vision.engine import Engine, EngineConfig

    models = settings.MODELS_DIR
    os.environ.setdefault("YOLO_CONFIG_DIR", str(models / "ultralytics"))
    return Engine(
        EngineConfig(
            cache_dir=models,
            weights=get_weights_store(),
            backend=settings.SIGHTLINE_BACKEND,
            device=settings.SIGHTLINE_DEVICE,
            precision=settings.SIGHTLINE_PRECISION,
            threads=settings.SIGHTLINE_THREADS,
            on_batch=observe_batch,
        )
    )

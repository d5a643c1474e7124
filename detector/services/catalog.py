"""What is known about the models on this machine."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from common.inference import get_weights_store, loaded_models
from detector.services.options import MODEL_TASKS, default_model
from vision.export.artifact import Exports
from vision.weights.cards import CARDS, WeightsCard


def list_models() -> list[dict[str, Any]]:
    """Every card, and how far it is from answering; loads and downloads nothing."""
    loaded = loaded_models()
    defaults = {default_model(task) for task in MODEL_TASKS}
    store = get_weights_store()
    models = []
    for card in CARDS.values():
        weights = store.find(card)
        info = loaded.get(card.name)
        models.append(
            {
                "name": card.name,
                "task": card.task,
                "default": card.name in defaults,
                "installed": weights is not None,
                "loaded": None
                if info is None or info["fallback"]
                else {name: info[name] for name in ("backend", "device", "precision")},
                "quantized": weights is not None and _is_quantized(card, weights),
                "classes": card.classes,
                "input_size": card.input_size,
                "bytes": card.bytes,
                "licence": card.licence,
            }
        )
    return models


def _is_quantized(card: WeightsCard, weights: Path) -> bool:
    root = Path(settings.MODELS_DIR)
    try:
        # A folder's time changes when an export is added to it or replaced.
        changed = (root / "exports").stat().st_mtime_ns
    except OSError:
        return False
    return _find_quantized(card.name, weights, weights.stat().st_mtime_ns, root, changed)


@lru_cache(maxsize=64)
def _find_quantized(name: str, weights: Path, weighed: int, root: Path, changed: int) -> bool:
    return Exports(root).quantized(CARDS[name], weights) is not None

"""What is known about the models on this machine."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from common.inference import get_engine
from detector.services.options import MODEL_TASKS, default_model
from vision.export.artifact import Exports
from vision.weights.cards import CARDS, WeightsCard
from vision.weights.store import WeightsStore


def list_models() -> list[dict[str, Any]]:
    """Every card, and how far it is from answering; loads and downloads nothing."""
    loaded = {info.requested: info for info in get_engine().loaded()}
    defaults = {default_model(task) for task in MODEL_TASKS}
    store = weights_store()
    exports = Exports(settings.MODELS_DIR)
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
                if info is None or info.fallback
                else {"backend": info.backend, "device": info.device, "precision": info.precision},
                "quantized": weights is not None
                and exports.quantized(card, weights) is not None,
                "classes": card.classes,
                "input_size": card.input_size,
                "bytes": card.bytes,
                "licence": card.licence,
            }
        )
    return models


def weights_store() -> WeightsStore:
    """Where this installation keeps weights."""
    given = settings.VISION_WEIGHTS_DIR
    return WeightsStore(
        settings.MODELS_DIR / "weights",
        search_dirs=[given] if given else [],
        allow_download=settings.SIGHTLINE_ALLOW_DOWNLOADS,
    )


def choices(task: str) -> list[WeightsCard]:
    """The cards that can do a task, for a form; the task's default comes first."""
    able = [card for card in CARDS.values() if card.task in MODEL_TASKS[task]]
    return sorted(able, key=lambda card: card.name != default_model(task))

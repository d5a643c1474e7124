"""Weights are data: typed cards that say what a file is, and a store that finds or fetches it."""

from vision.weights.cards import (
    CARDS,
    COCO_CLASSES,
    Task,
    WeightsCard,
    cards_for,
    get_card,
    resolve_classes,
)
from vision.weights.store import ProgressCallback, WeightsStore

__all__ = [
    "CARDS",
    "COCO_CLASSES",
    "ProgressCallback",
    "Task",
    "WeightsCard",
    "WeightsStore",
    "cards_for",
    "get_card",
    "resolve_classes",
]

"""Weights are data: typed cards that say what a file is, and a store that finds or fetches it."""

from vision.weights.cards import (
    CARDS,
    COCO_CLASSES,
    FACE_CARDS,
    FaceCard,
    Task,
    WeightsCard,
    WeightsFile,
    cards_for,
    get_card,
    get_face_card,
    resolve_classes,
)
from vision.weights.store import ProgressCallback, WeightsStore

__all__ = [
    "CARDS",
    "COCO_CLASSES",
    "FACE_CARDS",
    "FaceCard",
    "ProgressCallback",
    "Task",
    "WeightsCard",
    "WeightsFile",
    "WeightsStore",
    "cards_for",
    "get_card",
    "get_face_card",
    "resolve_classes",
]

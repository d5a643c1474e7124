"""The options of one detection: what a person may choose, judged before any work is done."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.conf import settings

from detector.errors import OptionsError
from vision.errors import ModelError
from vision.weights.cards import WeightsCard, get_card, resolve_classes

Task = Literal["detect", "segment"]

DEFAULT_CONFIDENCE = 0.25
DEFAULT_IOU = 0.7
# A segmentation model finds boxes too; a detection model has no masks to give.
MODEL_TASKS: Mapping[str, tuple[str, ...]] = {
    "detect": ("detect", "segment"),
    "segment": ("segment",),
}
MAX_CLASSES = 1000


@dataclass(frozen=True)
class DetectionOptions:
    """Valid options of one detection.

    Attributes:
        task: ``"detect"`` for boxes, ``"segment"`` for boxes and masks.
        model: Name of a weights card, e.g. ``"yolov8n"``.
        confidence: Least confidence of an object, 0..1.
        iou: Overlap above which the weaker of two boxes of a class is dropped, 0..1.
        classes: Names of the classes looked for; empty means all.
        class_ids: The same as the model's numbers, or None for all.
    """

    task: Task
    model: str
    confidence: float = DEFAULT_CONFIDENCE
    iou: float = DEFAULT_IOU
    classes: tuple[str, ...] = ()
    class_ids: tuple[int, ...] | None = None


def default_model(task: str) -> str:
    """Name of the card that a task uses when none is asked for."""
    if task == "segment":
        return str(settings.SIGHTLINE_DEFAULT_SEGMENT_MODEL)
    return str(settings.SIGHTLINE_DEFAULT_MODEL)


def parse_options(
    *,
    task: str,
    model: Any = None,
    confidence: Any = None,
    iou: Any = None,
    classes: Any = None,
) -> DetectionOptions:
    """Judge options as they come from a form, a query or JSON.

    Args:
        task: ``"detect"`` or ``"segment"``.
        model: Card name; empty or None for the task's default.
        confidence: Number 0..1 (text or number); empty or None for 0.25.
        iou: Number 0..1 (text or number); empty or None for 0.7.
        classes: Names or numbers: one text separated by commas, or a list of such texts.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    fields: dict[str, str] = {}
    codes: dict[str, str] = {}

    if task not in MODEL_TASKS:
        fields["task"] = "The task is either detect or segment."
        codes["task"] = "unknown_task"
    confidence_value = _ratio("confidence", confidence, DEFAULT_CONFIDENCE, fields)
    iou_value = _ratio("iou", iou, DEFAULT_IOU, fields)
    card = _card(task, model, fields, codes)
    names: tuple[str, ...] = ()
    ids: tuple[int, ...] | None = None
    if card is not None:
        names, ids = _classes(card, classes, fields, codes)
    if fields:
        raise OptionsError(fields, codes)
    assert card is not None
    return DetectionOptions(
        task="segment" if task == "segment" else "detect",
        model=card.name,
        confidence=confidence_value,
        iou=iou_value,
        classes=names,
        class_ids=ids,
    )


def parse_flag(name: str, value: Any, default: bool) -> bool:
    """Read yes or no from a form, a query or JSON.

    Raises:
        OptionsError: When it is neither.
    """
    if value is None or value == "":
        return default
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    raise OptionsError({name: f"{name} must be true or false."})


def _ratio(name: str, value: Any, default: float, fields: dict[str, str]) -> float:
    if value is None or value == "":
        return default
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0.0 <= number <= 1.0:  # NaN fails this too
        fields[name] = f"{name} must be a number from 0 to 1."
        return default
    return number


def _card(
    task: str, model: Any, fields: dict[str, str], codes: dict[str, str]
) -> WeightsCard | None:
    name = model or default_model(task)
    if not isinstance(name, str):
        fields["model"], codes["model"] = "model must be a name.", "unknown_model"
        return None
    try:
        card = get_card(name.strip())
    except ModelError as error:
        fields["model"], codes["model"] = error.message, error.code
        return None
    allowed = MODEL_TASKS.get(task)
    if allowed is not None and card.task not in allowed:
        fields["model"] = f"{card.name} is a {card.task} model; it cannot {task}."
        codes["model"] = "wrong_task"
        return None
    return card


def _classes(
    card: WeightsCard, value: Any, fields: dict[str, str], codes: dict[str, str]
) -> tuple[tuple[str, ...], tuple[int, ...] | None]:
    wanted = tuple(_split_classes(value))
    if not wanted:
        return (), None
    if len(wanted) > MAX_CLASSES:
        fields["classes"] = f"At most {MAX_CLASSES} classes can be named."
        return (), None
    try:
        ids = _resolve(card.name, wanted)
    except ModelError as error:
        fields["classes"], codes["classes"] = error.message, error.code
        return (), None
    return tuple(card.classes[number] for number in ids), ids


@lru_cache(maxsize=256)
def _resolve(model: str, wanted: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(resolve_classes(get_card(model), wanted))


def _split_classes(value: Any) -> Iterable[str]:
    if value is None:
        return
    parts = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    for part in parts:
        for text in str(part).split(","):
            text = text.strip()
            if text:
                yield text

"""What the pages' forms offer and how their answers are read; judging is the services' work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import QueryDict

from detector.errors import DetectorError
from detector.models import DetectionSession
from detector.services.catalog import list_models
from detector.services.options import (
    DEFAULT_CONFIDENCE,
    MODEL_TASKS,
    DetectionOptions,
    default_model,
    parse_options,
)
from vision.weights.cards import get_card

MIB = 1024 * 1024
# The families' letters say how large a network is, which is what a person chooses by.
SIZES = {"n": "fastest", "s": "small", "m": "medium", "l": "large", "x": "most accurate"}


def options_config() -> dict[str, Any]:
    """Choices of models and classes for the scripts, and what the uploader checks beforehand."""
    class_sets: list[tuple[str, ...]] = []
    models: dict[str, list[dict[str, Any]]] = {task: [] for task in MODEL_TASKS}
    for entry in list_models():
        classes = get_card(entry["name"]).classes
        if classes not in class_sets:
            class_sets.append(classes)
        choice = {
            "name": entry["name"],
            "label": model_label(entry),
            "class_set": class_sets.index(classes),
        }
        for task, card_tasks in MODEL_TASKS.items():
            if entry["task"] in card_tasks:
                models[task].append(choice)
    limit = settings.SIGHTLINE_MAX_UPLOAD_BYTES
    video_limit = settings.SIGHTLINE_MAX_VIDEO_BYTES
    return {
        "models": models,
        "class_sets": class_sets,
        "defaults": {task: default_model(task) for task in MODEL_TASKS},
        "max_bytes": limit,
        "max_mib": f"{limit / MIB:.3g}",
        "messages": {
            "empty_file": "The file is empty.",
            "file_too_large": (
                f"The file has {{size}} MiB; at most {limit / MIB:.3g} MiB are accepted."
            ),
            "video_too_large": (
                f"The video has {{size}} MiB; at most {_large(video_limit)} are accepted."
            ),
        },
        "max_video_bytes": video_limit,
        "max_video": _large(video_limit),
    }


def _large(size: int) -> str:
    mib = size / MIB
    return f"{mib / 1024:.3g} GiB" if mib >= 1024 else f"{mib:.3g} MiB"


def model_label(entry: Mapping[str, Any]) -> str:
    """The name of a model, its size in a word, and whether it must be fetched first."""
    letter = str(entry["name"]).partition("-")[0][-1:]
    words = [str(entry["name"]), SIZES.get(letter, "")]
    if not entry["installed"]:
        words.append(f"{entry['bytes'] / 1e6:.0f} MB download")
    return " · ".join(word for word in words if word)


def new_preset() -> dict[str, Any]:
    """The options that a new upload begins with."""
    return {
        "task": "detect",
        "model": default_model("detect"),
        "confidence": DEFAULT_CONFIDENCE,
        "classes": [],
    }


def session_preset(session: DetectionSession) -> dict[str, Any]:
    """The options of a session, as a start for running it again."""
    return {
        "task": session.task,
        "model": session.requested_model,
        "confidence": session.confidence,
        "classes": session.classes,
    }


def read_options(data: QueryDict, *, iou: float | None = None) -> DetectionOptions:
    """Judge the options of a posted form.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    return parse_options(
        task=data.get("task") or "detect",
        model=data.get("model"),
        confidence=data.get("confidence"),
        iou=data.get("iou") or iou,
        classes=data.getlist("classes"),
    )


def read_group(data: QueryDict) -> int | None:
    """Read with which group to share; empty means with nobody.

    Raises:
        DetectorError: ``unknown_group`` when it is no number of a group.
    """
    text = data.get("group", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        message = "Choose a group that you are in."
        raise DetectorError("unknown_group", message, fields={"group": message})
    return int(text)

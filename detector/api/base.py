"""Reading the options of a request."""

from __future__ import annotations

from typing import Any

from detector.errors import OptionsError
from detector.services.options import DetectionOptions, parse_options


def read_options(data: Any, *, task: str, defaults: DetectionOptions | None = None) -> Any:
    """Judge the options in a request's body, which is a form or JSON.

    Args:
        data: The body.
        task: What to do, when the body does not say.
        defaults: Options that stand where the body names none.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    if not hasattr(data, "get"):
        raise OptionsError({"body": "The body must be an object."})
    same_task = defaults is not None and defaults.task == task
    return parse_options(
        task=task,
        model=_given(data, "model") or (defaults.model if defaults and same_task else None),
        confidence=_given(data, "confidence", defaults.confidence if defaults else None),
        iou=_given(data, "iou", defaults.iou if defaults else None),
        classes=_list(data, "classes", list(defaults.classes) if defaults else None),
    )


def _given(data: Any, name: str, default: Any = None) -> Any:
    value = data.get(name)
    return default if value is None or value == "" else value


def _list(data: Any, name: str, default: Any) -> Any:
    if name not in data:
        return default
    return data.getlist(name) if hasattr(data, "getlist") else data.get(name)

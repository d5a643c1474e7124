"""The options of one analysis: what a person may choose, judged before any work is done."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from detector.errors import OptionsError
from detector.services.options import DetectionOptions, parse_flag, parse_options
from vision.drawing.styles import STYLES
from vision.motion import METHODS
from vision.tracking import BETWEEN, TRACKERS

TASKS = ("tracking", "motion", "activity", "faces")

DEFAULT_STYLES = ("boxes", "trails")
MOST_EVERY = 30


@dataclass(frozen=True)
class VideoOptions:
    """Valid options of one analysis.

    Attributes:
        detection: Model, thresholds and classes.
        tasks: Of ``TASKS``, at least one.
        tracker: Of `vision.tracking.TRACKERS`.
        every: The detector looks at every n-th frame, 1 to 30.
        between: ``"predict"``, or ``"visual"`` to follow objects by their looks in between.
        styles: What is drawn, of `vision.drawing.styles.STYLES`; empty leaves the picture as it is.
        motion_method: Of `vision.motion.METHODS`.
        minimum_area: Least moving area, as a share of the picture, 0.0001 to 1.
        gate: Whether the detector rests while nothing moves.
        pixels_per_metre: How many pixels one metre has; None where that is not known.
    """

    detection: DetectionOptions
    tasks: tuple[str, ...] = ("tracking",)
    tracker: str = "bytetrack"
    every: int = 1
    between: str = "predict"
    styles: tuple[str, ...] = DEFAULT_STYLES
    motion_method: str = "mog2"
    minimum_area: float = 0.002
    gate: bool = False
    pixels_per_metre: float | None = None


def parse_video_options(data: Mapping[str, Any]) -> VideoOptions:
    """Judge options as they come from a form, a query or JSON; what is missing has its default.

    Args:
        data: By name; lists as lists, or as one text separated by commas. ``styles`` may be
            ``none``.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    fields: dict[str, str] = {}
    codes: dict[str, str] = {}
    styles = _some(data, "styles", (*STYLES, "none"), DEFAULT_STYLES, fields)
    detection = _detection(data, masks="masks" in styles, fields=fields, codes=codes)
    options: dict[str, Any] = {
        "tasks": _some(data, "tasks", TASKS, ("tracking",), fields),
        "tracker": _one(data, "tracker", TRACKERS, "bytetrack", fields),
        "every": int(_number(data, "every", 1, (1, MOST_EVERY), fields, whole=True) or 1),
        "between": _one(data, "between", BETWEEN, "predict", fields),
        "styles": tuple(style for style in styles if style != "none"),
        "motion_method": _one(data, "motion_method", METHODS, "mog2", fields),
        "minimum_area": _number(data, "minimum_area", 0.002, (0.0001, 1), fields),
        "gate": _flag(data, "gate", fields),
        "pixels_per_metre": _number(data, "pixels_per_metre", None, (0.01, 100_000), fields),
    }
    classes = detection.classes if detection is not None else ()
    if "activity" in options["tasks"] and classes and "person" not in classes:
        fields["classes"] = "Activities are those of people: leave person among the classes."
    if "faces" in options["tasks"] and classes and "person" not in classes:
        fields["classes"] = "Faces are those of people: leave person among the classes."
    if fields or detection is None:
        raise OptionsError(fields, codes)
    return VideoOptions(detection=detection, **options)


def _detection(
    data: Mapping[str, Any], *, masks: bool, fields: dict[str, str], codes: dict[str, str]
) -> DetectionOptions | None:
    try:
        return parse_options(
            task="segment" if masks else "detect",
            **{name: data.get(name) for name in ("model", "confidence", "iou", "classes")},
        )
    except OptionsError as error:
        fields.update({name: str(text) for name, text in error.fields.items()})
        if error.code != "invalid":
            codes.update(dict.fromkeys(error.fields, error.code))
        return None


def _one(
    data: Mapping[str, Any],
    name: str,
    allowed: Iterable[str],
    default: str,
    fields: dict[str, str],
) -> str:
    value = str(data.get(name) or default).strip()
    if value not in allowed:
        fields[name] = f"{name} must be one of {', '.join(allowed)}."
    return value


def _some(
    data: Mapping[str, Any],
    name: str,
    allowed: tuple[str, ...],
    default: tuple[str, ...],
    fields: dict[str, str],
) -> tuple[str, ...]:
    given = data.get(name)
    parts = given if isinstance(given, list | tuple) else [given or ""]
    wanted = {text.strip() for part in parts for text in str(part).split(",") if text.strip()}
    if not wanted:
        return default
    if wanted - set(allowed):
        fields[name] = f"{name} must be of {', '.join(allowed)}."
    return tuple(value for value in allowed if value in wanted)


def _number(
    data: Mapping[str, Any],
    name: str,
    default: float | None,
    bounds: tuple[float, float],
    fields: dict[str, str],
    *,
    whole: bool = False,
) -> float | None:
    value = data.get(name)
    if value is None or value == "":
        return default
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    low, high = bounds
    if not low <= number <= high or (whole and number != int(number)):  # NaN fails this too
        kind = "whole number" if whole else "number"
        fields[name] = f"{name} must be a {kind} from {low:g} to {high:g}."
        return default
    return number


def _flag(data: Mapping[str, Any], name: str, fields: dict[str, str]) -> bool:
    try:
        return parse_flag(name, data.get(name), False)
    except OptionsError as error:
        fields.update(error.fields)
        return False

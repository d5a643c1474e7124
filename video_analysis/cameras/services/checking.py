"""Judging what somebody sets of a camera, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Model

from common.inference import get_weights_store
from video_analysis.cameras.errors import ConfigurationError
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import camera_address_rules, model_of
from vision.errors import ModelError
from vision.sources.cameras import (
    CameraAddress,
    CameraError,
    Credentials,
    check_address,
    parse_address,
)
from vision.tracking import TRACKERS
from vision.weights.cards import get_card, resolve_classes

SETTINGS: Final = (
    *("enabled", "fps", "model", "detector_conf", "people_only", "classes"),
    *("tracker", "tracker_max_age", "tracker_min_hits", "motion_gate", "hide_people"),
    "faces",
)
"""Fields of a camera that are set by their name alone."""

MAX_CLASSES: Final = 1000
LARGEST: Final = 1e9


def clean_name(text: Any) -> str:
    """Return a name as one line of printable characters, without blanks around it."""
    printable = "".join(char if char.isprintable() else " " for char in str(text or ""))
    return " ".join(printable.split())


def judge_address(text: Any) -> tuple[CameraAddress, Credentials | None]:
    """Return an address that this installation allows, and the credentials that stood in it.

    Raises:
        ConfigurationError: With the code of `vision.sources.cameras.CameraError`.
    """
    try:
        address, credentials = parse_address(str(text or "").strip())
        check_address(address, camera_address_rules())
    except CameraError as error:
        raise ConfigurationError({"address": error.message}, error.code) from None
    return address, credentials


def judge_camera(camera: Camera, changed: Collection[str]) -> dict[str, str]:
    """Return what is wrong with a camera, by field; empty when nothing is.

    Args:
        camera: With the new values, not saved. Classes are rewritten as their model spells them.
        changed: Names of the fields that are new; the others are let be, so that a camera whose
            model was uninstalled can still be renamed.
    """
    fields: dict[str, str] = {}
    checks: dict[str, Callable[[Camera], None]] = {
        "model": _check_model,
        "tracker": _check_tracker,
        "classes": _check_classes,
    }
    for name, check in checks.items():
        if name == "classes" and "model" in fields:
            continue  # of a model that there is not, nothing is known
        if name in changed or (name == "classes" and "model" in changed and camera.classes):
            try:
                check(camera)
            except ValueError as error:
                fields[name] = str(error)
    return {**judge_row(camera, changed), **fields}


def judge_row(row: Model, changed: Collection[str]) -> dict[str, str]:
    """Return what the model's own rules say against some fields of a row that is not saved."""
    fields = _no_numbers(row, changed)
    checked = set(changed) - set(fields)
    others = [field.name for field in row._meta.fields if field.name not in checked]
    try:
        row.full_clean(exclude=others)
    except ValidationError as error:
        for name, sentences in error.message_dict.items():
            # A constraint over several fields is about the name: of zones and of lines.
            fields.setdefault("name" if name == "__all__" else name, " ".join(sentences))
    return {**_no_numbers(row, changed), **fields}  # once more: a text may have become one


def raise_for(fields: Mapping[str, str]) -> None:
    """Refuse, where anything is wrong.

    Raises:
        ConfigurationError: ``fields`` is not empty.
    """
    if fields:
        raise ConfigurationError(fields)


def known_settings(values: Iterable[str]) -> None:
    """Make sure that a caller names settings that there are: anything else is our mistake.

    Raises:
        TypeError: One is none.
    """
    unknown = sorted(set(values) - set(SETTINGS))
    if unknown:
        raise TypeError(f"a camera has no {', '.join(unknown)} to be set")


def _no_numbers(row: Model, names: Collection[str]) -> dict[str, str]:
    """Find nan, inf, and whole numbers that no column holds: Django's validators let them pass."""
    values = {name: getattr(row, name, None) for name in names}
    return {
        name: f"{_label(row, name)} must be a number."
        for name, value in values.items()
        if isinstance(value, int | float) and not -LARGEST <= value <= LARGEST
    }


def _label(row: Model, name: str) -> str:
    field: Any = row._meta.get_field(name)
    return str(field.verbose_name).capitalize()


def _check_model(camera: Camera) -> None:
    if not camera.model:
        return
    try:
        card = get_card(str(camera.model).strip())
    except ModelError as error:
        raise ValueError(error.message) from None
    if card.task != "detect":
        raise ValueError(f"{card.name} is a {card.task} model; cameras need one that detects.")
    if get_weights_store().find(card) is None:
        raise ValueError(f"{card.name} is not installed.")
    camera.model = card.name


def _check_tracker(camera: Camera) -> None:
    if camera.tracker not in TRACKERS:
        raise ValueError(f"Tracker must be one of {', '.join(TRACKERS)}.")


def _check_classes(camera: Camera) -> None:
    names = camera.classes
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError("Classes must be a list of names.")
    if len(names) > MAX_CLASSES:
        raise ValueError(f"At most {MAX_CLASSES} classes can be named.")
    try:
        card = get_card(model_of(camera))
        numbers = resolve_classes(card, names)
    except ModelError as error:
        raise ValueError(error.message) from None
    camera.classes = [card.classes[number] for number in numbers]

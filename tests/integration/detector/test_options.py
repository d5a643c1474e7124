"""What may be asked for, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest

from detector.errors import OptionsError
from detector.services.options import parse_flag, parse_options


def test_nothing_given_means_the_defaults() -> None:
    options = parse_options(task="detect")
    assert (options.model, options.confidence, options.iou) == ("yolov8n", 0.25, 0.7)
    assert (options.classes, options.class_ids) == ((), None)
    assert parse_options(task="segment", model="", confidence="").model == "yolov8n-seg"


@pytest.mark.parametrize(
    "classes",
    ["person,dog", "dog , person", ["person", "dog"], ["0", "16"], "0,dog", ["person,16", "0"]],
)
def test_classes_are_names_or_numbers_separated_or_repeated(classes: Any) -> None:
    options = parse_options(task="detect", classes=classes)
    assert options.classes == ("person", "dog")
    assert options.class_ids == (0, 16)


def test_a_segmentation_model_detects_too() -> None:
    assert parse_options(task="detect", model="yolov8n-seg").task == "detect"


@pytest.mark.parametrize(
    ("given", "fields", "code"),
    [
        ({"confidence": "much"}, {"confidence"}, "invalid"),
        ({"confidence": "1.01"}, {"confidence"}, "invalid"),
        ({"confidence": -0.1}, {"confidence"}, "invalid"),
        ({"confidence": "nan"}, {"confidence"}, "invalid"),
        ({"confidence": True}, {"confidence"}, "invalid"),
        ({"confidence": []}, {"confidence"}, "invalid"),
        ({"iou": "inf"}, {"iou"}, "invalid"),
        ({"iou": "0,5"}, {"iou"}, "invalid"),
        ({"model": "yolov99"}, {"model"}, "unknown_model"),
        ({"model": ["yolov8n"]}, {"model"}, "unknown_model"),
        ({"model": "yolov8n-pose"}, {"model"}, "wrong_task"),
        ({"task": "segment", "model": "yolov8n"}, {"model"}, "wrong_task"),
        ({"task": "dream"}, {"task"}, "unknown_task"),
        ({"classes": "persn"}, {"classes"}, "unknown_class"),
        ({"classes": "80"}, {"classes"}, "unknown_class"),
        ({"classes": "-1"}, {"classes"}, "unknown_class"),
        ({"classes": "9" * 5000}, {"classes"}, "unknown_class"),
        ({"classes": ["0"] * 1001}, {"classes"}, "invalid"),
        ({"classes": "persn", "iou": 2}, {"classes", "iou"}, "invalid"),
    ],
)
def test_what_makes_no_sense_is_refused_field_by_field(
    given: dict[str, Any], fields: set[str], code: str
) -> None:
    with pytest.raises(OptionsError) as caught:
        parse_options(**{"task": "detect", **given})
    assert set(caught.value.fields) == fields
    assert caught.value.code == code
    assert all(sentence.endswith((".", "?")) for sentence in caught.value.fields.values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("0", False), (" No ", False), (None, True), ("", True), (False, False)],
)
def test_a_flag_is_read_in_every_usual_form(value: Any, expected: bool) -> None:
    assert parse_flag("save", value, default=True) is expected


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(OptionsError, match="save must be true or false"):
        parse_flag("save", "maybe", default=True)

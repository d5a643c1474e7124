"""``manage.py evaluate_cameras``: a table and a file of figures, and what it refuses."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from django.core.management import CommandError, call_command

from common.inference import set_engine_for_tests

pytestmark = pytest.mark.once  # needs no server


class SeesNobody:
    """An engine that notes what it is asked and finds nothing."""

    is_asked = False

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], dict[str, Any]]] = []
        self.bright = 0.0

    def detect(self, images: Sequence[Any], **options: Any) -> list[sv.Detections]:
        self.asked.append((images[0].shape, options))
        self.bright = max(self.bright, float(np.mean(images[0])))
        nobody = sv.Detections.empty()
        nobody.metadata = {"model": options["model"]}
        return [nobody for _ in images]

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def engine() -> Iterator[SeesNobody]:
    fake: Any = SeesNobody()
    set_engine_for_tests(fake)
    yield fake
    set_engine_for_tests(None)


def evaluate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("evaluate_cameras", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.slow
def test_a_table_and_a_file_say_what_was_true_and_found(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    table = evaluate("--seeds", "0", "--seconds", "30", "--json", str(file))
    assert "simulated detector, low noise" in table
    assert "Door forward" in table
    figures = json.loads(file.read_text())
    assert figures["seeds"] == [0]
    assert figures["noise"]["jitter"] == 0.003
    assert [camera["camera"] for camera in figures["cameras"]] == [
        "entrance",
        "aisle",
        "checkout",
        "overlap",
    ]
    inwards = next(
        row for row in figures["events"] if (row["region"], row["direction"]) == ("Door", "forward")
    )
    assert inwards["true"] == inwards["found"] > 0
    assert inwards["missed"] == inwards["extra"] == inwards["error"] == 0
    assert len(inwards["latencies"]) == inwards["true"]


@pytest.mark.slow
def test_a_real_detector_gets_the_painted_pictures(engine: SeesNobody, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    seeds = ("--seeds", "3", "--seconds", "22")
    table = evaluate(*seeds, "--detector", "yolov8n", "--json", str(file))
    assert "Shop, seeds 3, yolov8n" in table
    assert engine.asked
    shape, options = engine.asked[0]
    assert shape == (480, 640, 3)
    assert options["model"] == "yolov8n"
    assert options["classes"] == (0,)
    assert engine.bright > 60
    figures = json.loads(file.read_text())
    assert figures["noise"] is None
    assert sum(row["true"] for row in figures["events"]) > 0
    assert all(row["found"] == 0 and row["missed"] == row["true"] for row in figures["events"])


def test_seconds_in_which_nobody_comes_give_an_empty_table(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    table = evaluate("--seeds", "1,2", "--seconds", "1", "--json", str(file))
    assert "Occupancy of zones right at 100.0%" in table
    assert json.loads(file.read_text())["events"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--seeds", "a-b"], "Seeds are written as", id="no number"),
        pytest.param(["--seeds", ""], "Seeds are written as", id="no seeds"),
        pytest.param(["--seeds", "9-3"], "is no range", id="backwards"),
        pytest.param(["--seeds", "0-1000000"], "is no range", id="too many"),
        pytest.param(["--seconds", "0"], "more than 0", id="no time"),
        pytest.param(["--seconds", "nan"], "more than 0", id="not a number"),
        pytest.param(["--noise", "low", "--detector", "yolov8n"], "not allowed with", id="both"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        evaluate(*arguments)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "figures.json"
    with pytest.raises(CommandError, match=r"figures\.json cannot be written"):
        evaluate("--seeds", "1", "--seconds", "1", "--json", str(target))

"""The command line: a table or JSON, and the annotated picture."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from common.uploads.services import store_picture
from detector.management.commands.quantize import spread
from tests.integration.detector.conftest import FakeEngine, picture


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    path = tmp_path / "yard.jpg"
    path.write_bytes(picture())
    return path


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=out, **options)
    return out.getvalue()


def test_a_table_is_printed_and_the_picture_written(yard: Path, engine: FakeEngine) -> None:
    printed = run("detect", yard)
    assert "3 objects" in printed
    assert "dog" in printed
    assert Image.open(yard.with_name("yard.annotated.jpg")).size == (160, 120)


def test_json_alone_goes_to_the_output(yard: Path, engine: FakeEngine, tmp_path: Path) -> None:
    png = tmp_path / "b.png"
    Image.new("RGB", (40, 30)).save(png)
    out = tmp_path / "deep" / "out"
    printed = run("detect", yard, png, "--segment", "--json", "--out", out, "--classes", "dog")
    results = json.loads(printed)["results"]
    assert [entry["image"]["width"] for entry in results] == [160, 40]
    assert results[0]["objects"][0]["polygons"]
    assert results[0]["annotated"] == str(out / "yard.annotated.jpg")
    assert Image.open(out / "b.annotated.png").format == "PNG"
    assert engine.calls[0]["model"] == "yolov8n-seg"


def test_no_picture_writes_none(yard: Path, engine: FakeEngine) -> None:
    run("detect", yard, "--no-picture")
    assert [path.name for path in yard.parent.iterdir()] == ["yard.jpg"]


def test_two_pictures_of_one_name_both_get_a_place(yard: Path, engine: FakeEngine) -> None:
    other = yard.parent / "other"
    other.mkdir()
    (other / "yard.jpg").write_bytes(picture())
    out = yard.parent / "out"
    run("detect", yard, other / "yard.jpg", "--out", out)
    assert sorted(path.name for path in out.iterdir()) == [
        "yard-2.annotated.jpg",
        "yard.annotated.jpg",
    ]


@pytest.mark.slow
def test_a_file_name_that_is_no_text_can_be_printed(engine: FakeEngine, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    odd.write_bytes(picture())
    bad = tmp_path / os.fsdecode(b"\xff.jpg")
    bad.write_text("text")
    for options in (["--json"], []):
        errors = io.StringIO()
        with pytest.raises(CommandError):
            run("detect", odd, bad, *options, stderr=errors)
        errors.getvalue().encode()
    printed = run("detect", odd, "--json")
    assert json.loads(printed.encode())["results"][0]["image"]["name"].endswith("caf?.jpg")


def test_a_bad_file_is_reported_and_the_others_are_finished(
    yard: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("text")
    errors = io.StringIO()
    with pytest.raises(CommandError, match="3 of 4"):
        run("detect", bad, tmp_path / "missing.jpg", tmp_path, yard, stderr=errors)
    assert "not a picture" in errors.getvalue()
    assert "missing.jpg" in errors.getvalue()
    assert yard.with_name("yard.annotated.jpg").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "yolov99"], "yolov99"),
        (["--confidence", "2"], "confidence must be"),
        (["--classes", "unicorn"], "unicorn"),
        (["--segment", "--model", "yolov8n"], "segment"),
    ],
)
def test_wrong_options_are_told(
    yard: Path, engine: FakeEngine, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("detect", yard, *arguments)


def test_an_output_folder_that_cannot_be_made_is_told(yard: Path, engine: FakeEngine) -> None:
    with pytest.raises(CommandError, match="cannot be made"):
        run("detect", yard, "--out", yard / "below")


@pytest.mark.slow
def test_the_real_engine_finds_the_bus(
    real_engine: None, weights_dir: Path, tmp_path: Path
) -> None:
    from vision.sources.examples import find_example

    results = json.loads(run("detect", find_example(), "--json", "--out", tmp_path))["results"]
    assert "bus" in [item["class"] for item in results[0]["objects"]]


@pytest.mark.django_db
def test_quantising_takes_uploads_or_a_folder(
    user: Any, yard: Path, weights_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def fake(card: Any, weights: Path, pictures: Any, cache: Path, on_progress: Any) -> Any:
        seen.append((card.name, len(list(pictures))))
        on_progress(1, 1)
        return type("Artifact", (), {"path": cache / "network.xml"})()

    monkeypatch.setattr("vision.export.quantize", fake)
    with pytest.raises(CommandError, match="no pictures"):
        run("quantize")
    for _ in range(3):
        store_picture(owner=user, data=picture(), name="yard.jpg")
    folder = yard.parent / "pictures"
    folder.mkdir()
    (folder / "yard.JPG").write_bytes(picture())
    (folder / "broken.png").write_bytes(b"text")
    (folder / "notes.txt").write_bytes(b"text")
    run("quantize")
    run("quantize", folder, "--model", "yolov8n-seg", stderr=io.StringIO())
    assert seen == [("yolov8n", 3), ("yolov8n-seg", 1)]
    with pytest.raises(CommandError, match="not a folder"):
        run("quantize", yard)
    with pytest.raises(CommandError, match="yolov99"):
        run("quantize", "--model", "yolov99")


def test_pictures_to_calibrate_on_are_spread_over_all() -> None:
    assert spread(list(range(10)), 4) == [0, 2, 5, 7]
    assert spread([1, 2], 5) == [1, 2]

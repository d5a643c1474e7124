"""``manage.py evaluate_faces``: tables and files of figures, and what it refuses."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from common.inference import close_engine

pytestmark = pytest.mark.once  # needs no server
CAST = ("amy", "howard", "penny")


@pytest.fixture(autouse=True)
def own_engine() -> Iterator[None]:
    """The command closes the engine; the next test makes another."""
    yield
    close_engine()


@pytest.fixture
def cast(test_data: Path, tmp_path: Path) -> Path:
    """Three people of the shared faces, three pictures each, as a folder of LFW's is named."""
    for name in CAST:
        (tmp_path / "faces" / name).mkdir(parents=True)
        for number in (1, 2, 3):
            source = test_data / "faces" / "bbt" / name / f"{name}{number}.png"
            shutil.copy(source, tmp_path / "faces" / name / f"{name}_{number:04d}.png")
    return tmp_path / "faces"


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("evaluate_faces", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.data
@pytest.mark.weights
def test_people_are_told_apart(cast: Path, tmp_path: Path) -> None:
    target, curves = tmp_path / "o.json", tmp_path / "o.csv"
    broken = cast / "amy" / "broken.jpg"
    broken.write_bytes(b"no picture")
    cv2.imwrite(str(cast / "penny" / "wall.png"), np.full((90, 90, 3), 200, np.uint8))
    text = run(cast, "--json", target, "--csv", curves)
    for told in ("FMR", "FNMR", "same person", "Strangers", "36 pairs of 3 people", str(broken)):
        assert told in text
    document = json.loads(target.read_text())
    assert (document["pictures"], document["pairs"], document["compared"]) == (11, 55, 36)
    same = document["points"][0]
    assert same["false_matches"] | same["false_non_matches"] == same["false_non_matches"]
    assert same["false_matches"]["number"] == 0
    assert same["false_matches"]["of"] == 27
    assert 0.1 < same["false_matches"]["high"] < 0.13
    assert document["recognition"]["mistaken"]["number"] == 0
    assert {Path(entry["picture"]).name for entry in document["left_out"]} == {
        "broken.jpg",
        "wall.png",
    }
    rows = list(csv.DictReader(curves.open()))
    assert [float(row["threshold"]) for row in rows] == [
        round(0.2 + 0.01 * k, 2) for k in range(101)
    ]
    assert (float(rows[0]["fnmr"]), float(rows[-1]["fmr"])) == (1.0, 1.0)


@pytest.mark.data
@pytest.mark.weights
def test_a_list_chooses_the_pairs(cast: Path, tmp_path: Path) -> None:
    lines = ["2 2", "amy 1 2", "penny 1 3", "amy 1 penny 1", "howard 2 penny 1",
             "howard 1 2", "howard 1 howard 3", "amy 3 howard 3", "penny 2 amy 2"]  # fmt: skip
    (cast / "pairs.txt").write_text("\n".join(lines))
    run(cast, "--json", tmp_path / "o.json")
    document = json.loads((tmp_path / "o.json").read_text())
    assert (document["pairs"], document["compared"]) == (8, 8)
    assert document["points"][0]["false_matches"]["of"] == 4


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.weights
@pytest.mark.timeout(600)
def test_never_worse_than_compare_faces(test_data: Path, tmp_path: Path) -> None:
    nobody = ("test", "emotions", "group")
    exclude = [part for name in nobody for part in ("--exclude", name)]
    target = tmp_path / "o.json"
    text = run(test_data / "faces", *exclude, "--compare", "--json", target)
    assert "MORE" not in text
    document = json.loads(target.read_text())
    ours, theirs = (
        next(point for point in document["points"] if point["point"] == name)
        for name in ("same person", "compare_faces")
    )
    assert document["compared"] > 1000
    assert ours["accuracy"] >= theirs["accuracy"]
    assert ours["false_matches"]["number"] <= theirs["false_matches"]["number"]
    assert document["recognition"]["mistaken"]["number"] == 0
    assert document["recognition"]["impostors"]["number"] == 0
    assert document["recognition"]["known"]["rate"] > 0.9


def make_pictures(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("names", "text", "arguments", "message"),
    [
        pytest.param([], None, [], "no folders with pictures", id="empty"),
        pytest.param(["a.png"], None, [], "no folders with pictures", id="no person's folder"),
        pytest.param(["a/1.png", "a/2.png"], None, [], "All pictures are of a", id="one identity"),
        pytest.param(["a/1.png", "b/2.png"], None, [], "Nobody has two", id="one picture each"),
        pytest.param(
            ["a/1.png", "a/2.png", "b/1.png"], None, ["--exclude", "b"], "All pictures are of a",
            id="one identity is left",
        ),
        pytest.param([], "1\nwhat is this\n", [], "line 2", id="a list of nonsense"),
        pytest.param([], "1\na 1 2\na 1 b 1\n", [], "whose pictures are there", id="not there"),
        pytest.param([], None, ["--pairs", "1"], "2 to 500000 pairs", id="a sample of one"),
        pytest.param([], None, ["--seed", "-1"], "seed is 0 or more", id="a negative seed"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused_with_a_sentence(
    tmp_path: Path, names: list[str], text: str | None, arguments: list[str], message: str
) -> None:
    make_pictures(tmp_path, *names)
    if text is not None:
        (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(CommandError, match=message):
        run(tmp_path, *arguments)


@pytest.mark.data
@pytest.mark.weights
def test_pictures_without_faces_have_no_pairs(tmp_path: Path) -> None:
    make_pictures(tmp_path, "a/1.png", "a/2.png", "b/1.png")
    with pytest.raises(CommandError, match="no pairs of both kinds whose faces were found"):
        run(tmp_path)


@pytest.mark.data
@pytest.mark.weights
def test_a_file_that_cannot_be_written_is_named(cast: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        run(cast, "--csv", tmp_path / "missing" / "o.csv")


def test_a_missing_folder_is_named(tmp_path: Any) -> None:
    with pytest.raises(CommandError, match="is no folder"):
        run(tmp_path / "nothing")

"""``manage.py evaluate_tracker``: tables and files of figures, and what it refuses."""

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import supervision as sv
from django.core.management import CommandError, call_command

from common.inference import set_engine_for_tests
from vision.tracking import TRACKERS

pytestmark = pytest.mark.once  # needs no server
BOXES = "".join(f"{{frame}},{{ids[{i}]}},{100 + 200 * i},50,60,150,1,-1,-1,-1\n" for i in range(2))


class FindsTheSame:
    """An engine that finds two people wherever it looks."""

    is_asked = False

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def detect(self, images: Sequence[Any], **options: Any) -> list[sv.Detections]:
        self.asked.append(options)
        boxes = np.array([(100, 50, 160, 200), (300, 50, 360, 200)], np.float32)
        found = sv.Detections(
            xyxy=boxes, confidence=np.array([0.9, 0.8], np.float32), class_id=np.zeros(2, int)
        )
        return [found for _ in images]

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def engine() -> Iterator[FindsTheSame]:
    fake: Any = FindsTheSame()
    set_engine_for_tests(fake)
    yield fake
    set_engine_for_tests(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sequences of ten frames; the second has no ground truth, the first has pictures."""
    for name in ("one", "two"):
        for part, ids in (("det", (-1, -1)), ("gt", (1, 2))):
            if (name, part) != ("two", "gt"):
                path = tmp_path / "mot" / name / part / f"{part}.txt"
                path.parent.mkdir(parents=True)
                path.write_text("".join(BOXES.format(frame=k, ids=ids) for k in range(1, 11)))
    pictures = tmp_path / "mot" / "one" / "img1"
    pictures.mkdir()
    for k in range(1, 11):
        cv2.imwrite(str(pictures / f"{k:06}.jpg"), np.zeros((240, 480, 3), np.uint8))
    return tmp_path / "mot"


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("evaluate_tracker", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_table_of_all_trackers(folder: Path) -> None:
    text = run(folder, "--tracker", "all")
    for name in (*TRACKERS, "one", "two", "HOTA", "MOTA", "MOTP", "IDF1", "IDSW"):
        assert name in text


def test_figures_are_written(folder: Path, tmp_path: Path) -> None:
    run(folder, "--tracker", "iou", "--tracker", "centroid", "--json", tmp_path / "o.json")
    document = json.loads((tmp_path / "o.json").read_text())
    assert document["detections"] == "public"
    assert [(row["sequence"], row["tracker"]) for row in document["results"]] == [
        ("one", "iou"),
        ("two", "iou"),
        ("one", "centroid"),
        ("two", "centroid"),
    ]
    judged, counted = document["results"][:2]
    assert judged["metrics"]["MOTA"] == pytest.approx(0.9)
    assert judged["metrics"]["IDSW"] == 0
    assert counted["metrics"] is None
    assert (counted["tracks"], counted["frames"]) == (2, 10)


def test_with_the_detector(folder: Path, engine: FindsTheSame, tmp_path: Path) -> None:
    target = tmp_path / "o.json"
    run(folder / "one", "--detections", "detector", "--model", "yolov8s", "--json", target)
    (row,) = json.loads(target.read_text())["results"]
    assert row["metrics"]["MOTA"] == pytest.approx(0.9)
    assert engine.asked[0]["model"] == "yolov8s"
    assert engine.asked[0]["classes"] == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{folder}", "--detections", "detector"], "two has no pictures"),
        (["{folder}", "--tracker", "deepsort"], "no tracker 'deepsort'"),
        (["{folder}/nothing"], "is no folder"),
        (["{folder}/one/det"], "has no sequences"),
        (["{folder}/one", "--json", "{folder}/no/such/file"], "cannot be written"),
        (["{folder}/one", "--detections", "detector", "--confidence", "2"], "between 0 and 1"),
    ],
    ids=["no pictures", "tracker", "no folder", "no sequences", "no target", "confidence"],
)
def test_what_is_refused(folder: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*(argument.format(folder=folder) for argument in arguments))


def test_a_bad_line_is_named(folder: Path) -> None:
    (folder / "one" / "gt" / "gt.txt").write_text("1,2,3\n")
    with pytest.raises(CommandError, match=r"gt\.txt: Line 1 has 3 values"):
        run(folder)


def test_public_detections_must_be_there(folder: Path) -> None:
    (folder / "two" / "det" / "det.txt").unlink()
    (folder / "two" / "img1").mkdir()
    with pytest.raises(CommandError, match=r"two has no public detections"):
        run(folder)

"""Faces that are not to be shown: found, remembered, and unrecognisable afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import supervision as sv

from tests.made_faces import FakeFaces, MadeFace, face_of
from vision.drawing.blur import FACE_CELLS, blur_boxes
from vision.engine import Engine, EngineConfig
from vision.errors import VisionError
from vision.pipeline import FrameResult, Pipeline, PipelineConfig
from vision.pipeline.faces import FacesToHide, heads_of, look_for_faces, places_to_hide
from vision.structures import Frame, Priority
from vision.weights import WeightsStore

START = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = np.full((240, 320, 3), 90, np.uint8)
STRANGER = 0.6  # of two faces of different people the distance is larger

STANDING = (100, 20, 160, 220)
BESIDE = (130, 20, 190, 220)
FACE = (120, 30, 140, 55)  # of STANDING
BOTH = (135, 30, 155, 55)  # in the heads of STANDING and BESIDE
SECOND = (105, 60, 118, 80)  # too in the head of STANDING
WALL = (250, 100, 280, 140)
TINY = (126, 35, 134, 45)  # in the middle of the head of STANDING, too narrow to be theirs
ASIDE = (140, 35, 158, 57)  # in the corner of it


def faces_of(*boxes: tuple[int, ...], confidence: float = 0.9) -> FakeFaces:
    return FakeFaces(*(MadeFace(face_of(1), box, confidence=confidence) for box in boxes))  # type: ignore[arg-type]


def to_hide(faces: Any) -> FacesToHide:
    return FacesToHide(SimpleNamespace(faces=faces), priority=Priority.LIVE)  # type: ignore[arg-type]


def people(*boxes: tuple[int, ...], ids: tuple[int, ...] = ()) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.full(len(boxes), 0.9, np.float32),
        class_id=np.zeros(len(boxes), int),
        tracker_id=np.array(ids, int) if ids else None,
        data={"class_name": np.array(["person"] * len(boxes), dtype="<U16")},
    )


def result(
    tracked: sv.Detections | None = None, index: int = 0, seconds: float = 0.0, **more: Any
) -> FrameResult:
    frame = Frame(IMAGE, index, seconds, START, "test")
    return FrameResult(frame, people() if tracked is None else tracked, detected=True, **more)


def hides(boxes: Any, box: tuple[int, ...]) -> bool:
    covers = (boxes[:, :2] <= box[:2]).all(axis=1) & (boxes[:, 2:] >= box[2:]).all(axis=1)
    return bool(covers.any())


def test_where_nobody_is_nothing_is_hidden() -> None:
    hidden = to_hide(faces_of())
    assert hidden.boxes(result()).shape == (0, 4)
    assert not hidden.missing


@pytest.mark.parametrize("confidence", [0.3, 0.9])
def test_a_face_is_hidden_with_a_margin_however_unsure(confidence: float) -> None:
    (box,) = to_hide(faces_of(WALL, confidence=confidence)).boxes(result())
    assert (box[:2] < WALL[:2]).all()
    assert (box[2:] > WALL[2:]).all()


def test_a_face_is_hidden_for_a_second_after_it_was_seen() -> None:
    faces = faces_of(WALL)
    hidden = to_hide(faces)
    hidden.boxes(result())
    faces.scene = ()
    assert hides(hidden.boxes(result(index=9, seconds=0.9)), WALL)
    assert not hides(hidden.boxes(result(index=12, seconds=1.2)), WALL)


def test_a_frame_is_looked_at_once() -> None:
    faces = faces_of(WALL)
    hidden = to_hide(faces)
    shown = [hidden.boxes(result()) for _ in range(3)]
    assert faces.calls == 1
    assert all(hides(boxes, WALL) for boxes in shown)


def test_somebody_who_stands_still_is_blurred_once_and_not_for_every_look() -> None:
    hidden = to_hide(faces_of(WALL))
    for index in range(20):
        boxes = hidden.boxes(result(index=index, seconds=index / 20))
    assert len(boxes) == 1


# Faces found, people tracked by number, people only found, numbers cleared; whether it is clear.
CLEARING: dict[str, tuple[Any, dict[int, Any], Any, set[int], bool]] = {
    "nobody is cleared": ([FACE], {1: STANDING}, [], set(), False),
    "cleared": ([FACE], {1: STANDING}, [], {1}, True),
    "another one is cleared": ([FACE], {1: STANDING}, [], {2}, False),
    "no person there": ([FACE], {}, [], {1}, False),
    "two people, one cleared": ([BOTH], {1: STANDING, 2: BESIDE}, [], {1}, False),
    "two people, both cleared": ([BOTH], {1: STANDING, 2: BESIDE}, [], {1, 2}, True),
    "somebody beside who is not tracked": ([BOTH], {1: STANDING}, [BESIDE], {1}, False),
    "found and tracked at once": ([FACE], {1: STANDING}, [STANDING], {1}, True),
    "two faces in one head": ([FACE, SECOND], {1: STANDING}, [], {1}, False),
    "found and not tracked": ([FACE], {}, [STANDING], {1}, False),
    "too narrow to be theirs": ([TINY], {1: STANDING}, [], {1}, False),
    "too far aside to be theirs": ([ASIDE], {1: STANDING}, [], {1}, False),
}


@pytest.mark.parametrize("case", list(CLEARING))
def test_a_face_is_clear_only_where_it_can_be_nobody_elses(case: str) -> None:
    seen, tracked, found, cleared, clear = CLEARING[case]
    frame = result(people(*tracked.values(), ids=tuple(tracked)), found=people(*found))
    boxes = to_hide(faces_of(*seen)).boxes(frame, cleared)
    assert hides(boxes, seen[0]) != clear


def test_a_remembered_face_is_clear_as_soon_as_its_person_is() -> None:
    hidden = to_hide(faces_of(FACE))
    tracked = people(STANDING, ids=(1,))
    assert hides(hidden.boxes(result(tracked)), FACE)
    assert not len(hidden.boxes(result(tracked, 1, 0.1), {1}))
    assert hides(hidden.boxes(result(tracked, 2, 0.2), set()), FACE)  # and no longer


# The face found in it, and whether the head is hidden as well.
HEADS: dict[str, tuple[FakeFaces, bool]] = {
    "no face": (faces_of(), True),
    "an unsure face": (faces_of(FACE, confidence=0.4), True),
    "a sure face": (faces_of(FACE), False),
    "a face elsewhere": (faces_of(WALL), True),
    "a sure face of somebody behind": (faces_of(TINY), True),
    "a sure face of somebody beside": (faces_of(ASIDE), True),
    "a sure face, and another behind": (faces_of(FACE, ASIDE), False),
}


@pytest.mark.parametrize("case", list(HEADS))
@pytest.mark.parametrize("tracked", [True, False], ids=["tracked", "found"])
def test_the_head_of_who_has_no_sure_face_is_hidden(case: str, tracked: bool) -> None:
    faces, expected = HEADS[case]
    standing = people(STANDING, ids=(1,)) if tracked else people(STANDING)
    frame = result(standing) if tracked else result(found=standing)
    assert hides(to_hide(faces).boxes(frame), (100, 20, 160, 80)) == expected


def test_without_a_detector_of_faces_the_upper_third_of_everybody_is_hidden() -> None:
    faces = faces_of(WALL)
    faces.error = VisionError("engine_closed", "It is gone.")
    hidden = to_hide(faces)
    boxes = hidden.boxes(result(people(STANDING, ids=(1,)), found=people(BESIDE)), {1})
    assert hidden.missing
    assert hides(boxes, (130, 20, 190, 86))
    faces.error = None
    hidden.boxes(result(index=1, seconds=0.1))
    assert not hidden.missing


def test_the_stand_in_of_the_detector_is_not_asked() -> None:
    faces = faces_of(FACE)
    faces.detector = "dlib-hog"  # misses small faces, and takes a quarter of a second
    hidden = to_hide(faces)
    boxes = hidden.boxes(result(people(STANDING, ids=(1,))))
    assert hidden.missing
    assert not faces.calls
    assert hides(boxes, (100, 20, 160, 86))


def test_heads_are_higher_where_people_are_cut_off() -> None:
    standing, bust, lying = (0, 0, 60, 180), (0, 0, 200, 150), (0, 0, 300, 80)
    heads = heads_of(np.array([standing, bust, lying], np.float32))
    assert heads[:, 3].tolist() == [60, 140, 80]
    assert heads_of(np.empty((0, 4), np.float32)).shape == (0, 4)


class StillEngine:
    """Finds a person who stands still, and whatever faces there are."""

    is_asked = False

    def __init__(self, faces: FakeFaces) -> None:
        self.faces = faces

    def detect(self, images: Any, *, model: str, **_: Any) -> list[sv.Detections]:
        found = people(STANDING)
        found.metadata = {"model": model}
        return [found for _ in images]


@pytest.mark.parametrize(("when", "calls"), [("", 0), ("asked", 0), ("every", 6)])
def test_a_pipeline_looks_only_when_it_has_to(when: Any, calls: int) -> None:
    engine = StillEngine(faces_of(FACE))
    config = PipelineConfig(hide_faces=when)
    pipeline = Pipeline(engine, config, rate=10.0)  # type: ignore[arg-type]
    frames = [Frame(IMAGE, index, index / 10, START, "test") for index in range(6)]
    results = pipeline.process(frames)
    assert engine.faces.calls == calls
    places = pipeline.to_hide(results[-1])
    assert engine.faces.calls == calls + (when == "asked")
    if not when:
        assert places is None
        return
    assert places is not None
    assert not len(places.people)
    assert hides(places.faces, FACE)


def test_nobody_is_hidden_by_a_pipeline_that_hides_faces_alone() -> None:
    pipeline = Pipeline(
        StillEngine(faces_of()),  # type: ignore[arg-type]
        PipelineConfig(hide_faces="asked", detect=False),
        rate=10.0,
    )
    (one,) = pipeline.process([Frame(IMAGE, 0, 0.0, START, "test")])
    assert one.hidden is None
    places = pipeline.to_hide(one)
    assert places is not None
    assert len(places.faces) == 1  # the head of who was found, though nobody is tracked


# ------------------------------------------------------------------------------ real pictures
@pytest.fixture(scope="module")
def engine(shared_folder: Path, weights_dir: Path) -> Iterator[Engine]:
    store = WeightsStore(shared_folder / "cache", [weights_dir], allow_download=False)
    made = Engine(EngineConfig(cache_dir=shared_folder / "cache", weights=store))
    yield made
    made.close()


def hide_faces(engine: Engine, image: Any) -> Any:
    (found,) = engine.detect([image], model="yolov8n", confidence=0.1)
    faces = look_for_faces(engine, image, priority=Priority.BATCH)
    assert not faces.missing
    hidden = image.copy()
    blur_boxes(hidden, places_to_hide(faces, found), cells=FACE_CELLS)
    return hidden


def recognised(engine: Engine, before: Any, after: Any) -> int:
    """Count the faces of a picture that are still there and are those of somebody before."""
    (known,) = engine.faces.detect([before], minimum_size=32)
    (left,) = engine.faces.detect([after], minimum_size=12)
    if not len(known) or not len(left):
        return 0
    was, now = engine.faces.embed(before, known), engine.faces.embed(after, left)
    return int((np.linalg.norm(was[:, None] - now[None], axis=2) < STRANGER).any(axis=0).sum())


PICTURES = (
    *("12_angry_men.jpg", "two_people.jpg", "known/test/obama_and_biden.jpg"),
    *("known/test/johnsnow_test1.jpg", "bbt/group/bbt3.jpg", "emotions/happy.jpg"),
)


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_nobody_is_recognised_in_a_picture_whose_faces_are_hidden(
    engine: Engine, test_data: Path, name: str
) -> None:
    image = cv2.imread(str(test_data / "faces" / name))
    assert recognised(engine, image, image) > 0
    assert recognised(engine, image, hide_faces(engine, image)) == 0


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("size", [14, 24, 60, 200, 500])
def test_faces_of_every_size_are_hidden(engine: Engine, test_data: Path, size: int) -> None:
    image = cv2.imread(str(test_data / "faces/known/test/obama1.jpg"))
    (known,) = engine.faces.detect([image])
    x1, y1, x2, y2 = known.xyxy[0]
    scale = size / (x2 - x1)
    room = 0.6 * (x2 - x1)
    part = image[max(0, int(y1 - room)) : int(y2 + room), max(0, int(x1 - room)) : int(x2 + room)]
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    wall = np.full((720, 1280, 3), 128, np.uint8)
    height, width = (
        min(side, limit) for side, limit in zip(part.shape[:2], (700, 1260), strict=True)
    )
    wall[10 : 10 + height, 15 : 15 + width] = part[:height, :width]
    hidden = hide_faces(engine, wall)
    middle = (
        slice(10 + height // 3, 10 + height * 2 // 3),
        slice(15 + width // 3, 15 + width * 2 // 3),
    )
    before, after = (cv2.Laplacian(one[middle], cv2.CV_32F) for one in (wall, hidden))
    assert np.abs(after).mean() < 0.35 * np.abs(before).mean()
    assert recognised(engine, wall, hidden) == 0

"""The pipeline over made-up detections: what the networks see, what comes out, in which order."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import supervision as sv

from vision.errors import VisionError
from vision.pipeline import Pipeline, PipelineConfig, run_pipeline
from vision.structures import Frame, Priority

RATE = 10.0
START = datetime(2026, 1, 1, tzinfo=UTC)


class WalkingEngine:
    """Finds one person who walks to the right, where the picture says how far they are."""

    is_asked = False

    def __init__(self, model: str | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self.model = model

    def detect(self, images: Sequence[Any], *, model: str, **options: Any) -> list[sv.Detections]:
        self.asked.append((model, len(images)))
        return [self._find(image, model) for image in images]

    def describe(self, model: str) -> Any:
        return SimpleNamespace(reason="weights are missing" if self.model else "")

    def _find(self, image: Any, model: str) -> sv.Detections:
        index = int(image[0, 0, 0])
        found = sv.Detections(
            xyxy=np.array([[10 + 2 * index, 20, 40 + 2 * index, 100]], np.float32),
            confidence=np.array([0.9], np.float32),
            class_id=np.array([0]),
            data={"class_name": np.array(["person"])},
        )
        if model.endswith("-pose"):
            found.data["keypoints"] = np.full((1, 17, 3), 0.5 + index, np.float32)
        answered = self.model or model
        found.metadata = {"model": answered, "backend": "b", "device": "cpu", "precision": "fp32"}
        return found


def frames(count: int, *, moving: bool = True) -> Iterator[Frame]:
    for index in range(count):
        image = np.full((120, 160, 3), 90, np.uint8)
        if moving:
            image[30:90, 10 + 2 * index : 50 + 2 * index] = 230
        image[0, 0] = index
        yield Frame(image, index, index / RATE, START, "test")


def pipeline(engine: WalkingEngine, **config: Any) -> Pipeline:
    return Pipeline(engine, PipelineConfig(**config), rate=RATE)  # type: ignore[arg-type]


def test_no_frames_give_no_results() -> None:
    engine = WalkingEngine()
    assert pipeline(engine).process([]) == []
    assert list(run_pipeline([], pipeline(engine))) == []
    assert engine.asked == []


def test_a_walker_keeps_one_id() -> None:
    results = list(run_pipeline(frames(23), pipeline(WalkingEngine())))
    assert [result.frame.index for result in results] == list(range(23))
    ids = [result.detections.tracker_id.tolist() for result in results if len(result.detections)]
    assert len(ids) >= 20
    assert {tuple(found) for found in ids} == {(1,)}
    assert all(result.detected for result in results)
    assert results[0].answered["model"] == "yolov8n"


@pytest.mark.parametrize(("every", "looked"), [(1, 24), (2, 12), (3, 8), (5, 5)])
def test_every_nth_frame_is_looked_at_and_tracks_go_on_between(every: int, looked: int) -> None:
    engine = WalkingEngine()
    results = list(run_pipeline(frames(24), pipeline(engine, every=every)))
    assert sum(count for _, count in engine.asked) == looked
    between = [result for result in results[3 * every :] if not result.detected]
    for result in between:
        assert len(result.detections) == 1
        truth = 10 + 2 * result.frame.index
        assert abs(result.detections.xyxy[0, 0] - truth) < 3
        assert result.detections.data["predicted"].all()


def test_the_overlapping_run_finds_what_the_plain_one_does() -> None:
    plain = pipeline(WalkingEngine(), every=2, motion="difference")
    one_by_one = [result for frame in frames(21) for result in plain.process([frame])]
    overlapped = run_pipeline(frames(21), pipeline(WalkingEngine(), every=2, motion="difference"))
    for ours, theirs in zip(overlapped, one_by_one, strict=True):
        np.testing.assert_array_equal(ours.detections.xyxy, theirs.detections.xyxy)
        assert ours.motion is not None
        assert theirs.motion is not None
        assert ours.motion.moving == theirs.motion.moving


def test_without_detection_the_networks_see_nothing() -> None:
    engine = WalkingEngine()
    results = list(run_pipeline(frames(45), pipeline(engine, detect=False, motion="mog2")))
    assert engine.asked == []
    assert any(result.motion is not None and result.motion.moving for result in results)
    assert all(len(result.detections) == 0 for result in results)


def test_the_gate_rests_the_detector_while_nothing_moves() -> None:
    engine = WalkingEngine()
    list(run_pipeline(frames(200, moving=False), pipeline(engine, gate=True)))
    assert 0 < sum(count for _, count in engine.asked) < 40


def test_poses_are_asked_for_at_most_so_often_and_reach_their_person() -> None:
    engine = WalkingEngine()
    results = list(run_pipeline(frames(20), pipeline(engine, activity=True, pose_rate=5.0)))
    asked = sum(count for model, count in engine.asked if model.endswith("-pose"))
    assert 9 <= asked <= 11
    said = [result for result in results if result.activities is not None]
    assert len(said) == asked
    assert {state.track_id for result in said[2:] for state in result.activities or ()} == {1}
    assert said[-1].detections.data["keypoints"].any()


def test_of_a_stand_in_only_the_classes_asked_for_count() -> None:
    engine = WalkingEngine(model="opencv-fallback")
    asked = pipeline(engine, class_names=("dog",))
    results = list(run_pipeline(frames(6), asked))
    assert all(len(result.detections) == 0 for result in results)
    assert results[0].answered["reason"] == "weights are missing"


def test_what_the_source_raises_ends_the_run() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(9)
        raise VisionError("decoder_failed", "The decoder stopped.")

    seen = []
    with pytest.raises(VisionError, match="decoder stopped"):
        seen.extend(run_pipeline(broken(), pipeline(WalkingEngine())))


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    run = run_pipeline(frames(60), pipeline(WalkingEngine()))
    next(run)
    run.close()  # type: ignore[attr-defined]


class StillEngine(WalkingEngine):
    """Finds one person who never moves, and sometimes nobody."""

    def __init__(self, *, misses: frozenset[int] = frozenset(), confidence: float = 0.9) -> None:
        super().__init__()
        self.misses = misses
        self.confidence = confidence
        self.options: list[dict[str, Any]] = []

    def detect(self, images: Sequence[Any], *, model: str, **options: Any) -> list[sv.Detections]:
        self.options.append(options)
        return super().detect(images, model=model, **options)

    def _find(self, image: Any, model: str) -> sv.Detections:
        found = super()._find(image, model)
        found.xyxy[:] = (50, 20, 80, 100)
        found.confidence = np.array([self.confidence], np.float32)
        if int(image[0, 0, 0]) in self.misses:
            metadata = found.metadata
            found = sv.Detections.empty()
            found.data["class_name"] = np.array([], dtype="<U6")
            found.metadata = metadata
        return found


def still(count: int) -> Iterator[Frame]:
    for index in range(count):
        image = np.full((120, 160, 3), 90, np.uint8)
        image[0, 0] = index % 250
        yield Frame(image, index, index / RATE, START, "test")


def test_whoever_stands_still_behind_a_gate_is_one_person_all_the_time() -> None:
    engine = StillEngine()
    results = list(run_pipeline(still(600), pipeline(engine, gate=True)))
    assert sum(count for _, count in engine.asked) < 60
    later = results[100:]
    assert {tuple(result.detections.tracker_id) for result in later} == {(1,)}
    assert all(result.motion is None for result in results)


def test_activities_go_on_while_the_gate_rests() -> None:
    results = list(run_pipeline(still(400), pipeline(StillEngine(), gate=True, activity=True)))
    said = [result for result in results[200:] if result.activities]
    assert len(said) > 150


@pytest.mark.parametrize(
    ("config", "engine"),
    [
        ({}, StillEngine(misses=frozenset({12, 13, 14}))),
        ({}, StillEngine(confidence=0.12)),
        ({"classes": (2,)}, StillEngine()),
        ({"detect": False, "motion": "mog2"}, StillEngine()),
        ({"every": 5}, StillEngine()),
        ({"gate": True}, StillEngine()),
    ],
    ids=["missed", "unsure", "cars-only", "motion-only", "every-5th", "gate"],
)
def test_people_are_hidden_whatever_else_is_looked_for(
    config: dict[str, Any], engine: StillEngine
) -> None:
    results = list(run_pipeline(still(60), pipeline(engine, hide_people=True, **config)))
    for result in results:
        assert result.hidden is not None
        covers = (result.hidden[:, :2] <= (50, 20)).all(axis=1)
        covers &= (result.hidden[:, 2:] >= (80, 100)).all(axis=1)
        assert covers.any()
    tracked = sum(len(result.detections) for result in results)
    asked_for_people = "classes" not in config and config.get("detect", True)
    assert (tracked > 0) == (asked_for_people and engine.confidence > 0.25)
    for options in engine.options:
        assert options["confidence"] <= 0.1
        assert options["classes"] is None or 0 in options["classes"]


def test_nobody_is_hidden_who_was_not_asked_for() -> None:
    assert all(result.hidden is None for result in pipeline(StillEngine()).process([*still(3)]))


def test_of_a_stand_in_names_count_and_not_numbers_while_people_are_hidden() -> None:
    engine = StillEngine()
    engine.model = "opencv-fallback"
    asked = pipeline(engine, hide_people=True, classes=(2,), class_names=("person",))
    assert any(len(result.detections) for result in asked.process([*still(5)]))


@pytest.mark.parametrize("hits", [2, 5])
def test_tracks_begin_with_as_many_sightings_as_the_configuration_says(hits: int) -> None:
    results = list(run_pipeline(frames(12), pipeline(WalkingEngine(), minimum_hits=hits)))
    tracked = [bool(len(result.detections)) for result in results]
    assert tracked == [False] * (hits - 1) + [True] * (13 - hits)


@pytest.mark.parametrize(
    ("patience", "every", "expected"), [(None, 1, 1.6), (0.5, 1, 0.6), (4.0, 2, 4.2)]
)
def test_tracks_end_after_the_patience_of_the_configuration(
    patience: float | None, every: int, expected: float
) -> None:
    made = pipeline(WalkingEngine(), patience=patience, every=every)
    assert made.patience == pytest.approx(expected)


@pytest.mark.parametrize(
    ("priority", "asked", "rests"),
    [
        (Priority.BATCH, True, True),
        (Priority.BATCH, False, False),
        (Priority.LIVE, True, False),
    ],
    ids=["beside-others", "alone", "live"],
)
def test_batch_work_rests_while_others_need_the_machine(
    priority: Priority, asked: bool, rests: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("vision.pipeline.run.time.sleep", slept.append)
    engine = WalkingEngine()
    engine.is_asked = asked
    results = list(run_pipeline(frames(40), pipeline(engine, priority=priority)))
    assert len(results) == 40
    assert bool(slept) is rests
    assert all(0 <= seconds <= 2 for seconds in slept)

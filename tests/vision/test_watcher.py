"""The watcher as a whole: time that jumps, cuts, objects nobody saw, and what it forgets."""

import sys

import numpy as np
import pytest
import supervision as sv

from tests.vision.scenes import (
    RATE,
    TALL,
    People,
    make_frame,
    make_people,
    of_kind,
    walk,
    watch,
)
from vision.analytics.regions import CountingLine, RegionError, Zone
from vision.analytics.watcher import PICTURE_THRESHOLD, SceneEvent, SceneWatcher
from vision.errors import VisionError
from vision.synthetic import DetectorModel, Scene, noisy_detections
from vision.tracking import create_tracker

TABLE = Zone("table", np.array([[0.25, 0.3], [0.75, 0.3], [0.75, 0.7], [0.25, 0.7]]), 3.0)
LEVEL = CountingLine("level", (0.25, 0.5), (0.75, 0.5))
INSIDE = (320.0, 250.0)


def make_watcher(patience: float = 2.0) -> SceneWatcher:
    return SceneWatcher([TABLE], [LEVEL], patience=patience)


def stay(
    watcher: SceneWatcher, seconds: float, *, start: float = 0.0, track: int = 1
) -> list[SceneEvent]:
    moments: list[People] = [{track: INSIDE}] * round(seconds * RATE)
    return watch(watcher, moments, start=start, finish=False)


def summary(events: list[SceneEvent]) -> list[tuple[str, str]]:
    return [(event.kind, event.phase) for event in events]


ALL_OVER = [("dwell", "end"), ("exit", "end"), ("occupancy", "end")]


def test_finish_ends_everything_at_the_last_sighting_and_once() -> None:
    watcher = make_watcher()
    begun = stay(watcher, 5.0)
    assert summary(begun) == [("entry", "end"), ("occupancy", "start"), ("dwell", "start")]
    watcher.update(sv.Detections.empty(), make_frame(5.0))
    over = watcher.finish()
    assert summary(over) == ALL_OVER
    assert [event.end for event in over] == pytest.approx([4.9] * 3)
    assert {event.key for event in begun if event.phase == "start"} < {event.key for event in over}
    assert watcher.finish() == []
    assert watcher.occupancy == {"table": 0}


def test_finish_before_anything() -> None:
    assert make_watcher().finish() == []


@pytest.mark.parametrize("jump", [2.1, 3600.0, -0.1, -3600.0])
def test_a_time_that_jumps_ends_everything_and_begins_anew(jump: float) -> None:
    watcher = make_watcher()
    stay(watcher, 5.0)
    events = stay(watcher, 1.0, start=4.9 + jump)
    assert summary(events) == [*ALL_OVER, ("entry", "end"), ("occupancy", "start")]
    assert [event.end for event in events[:3]] == pytest.approx([4.9] * 3)
    assert events[3].start == pytest.approx(4.9 + jump)


@pytest.mark.parametrize("stamps", [[float("nan")] * 30, [7.0] * 30])
def test_a_time_that_stands_still_is_survived(stamps: list[float]) -> None:
    watcher = make_watcher()
    events = stay(watcher, 1.0)
    for stamp in stamps:
        events += watcher.update(make_people({1: INSIDE}), make_frame(stamp))
    events += watcher.finish()
    assert len(of_kind(events, "entry")) == len(of_kind(events, "exit"))


def test_a_new_size_of_the_picture_ends_everything() -> None:
    watcher = make_watcher()
    stay(watcher, 5.0)
    events = watcher.update(make_people({1: (640, 500)}), make_frame(5.0, (1280, 960)))
    assert summary(events) == ALL_OVER


def test_who_is_predicted_while_nobody_looks_stays() -> None:
    watcher = make_watcher()
    events = stay(watcher, 2.0)
    resting = make_people({1: (320, 450)}, predicted=True)
    for k in range(100):
        events += watcher.update(resting, make_frame(2.0 + k / RATE))
    assert of_kind(events, "exit") == []
    assert len(of_kind(events, "dwell")) == 2
    events += stay(watcher, 1.0, start=12.0)
    assert len(of_kind(events, "entry")) == 1


def test_a_watcher_that_begins_while_nobody_looks_knows_who_is_there() -> None:
    watcher = make_watcher()
    resting = make_people({4: INSIDE}, predicted=True)
    for k in range(10):
        watcher.update(resting, make_frame(k / RATE))
    assert watcher.occupancy == {"table": 1}


def test_boxes_that_are_no_numbers_are_left_out() -> None:
    watcher = make_watcher()
    people = make_people({1: INSIDE, 2: (300, 250), 3: (350, 250)})
    people.xyxy[0, 0], people.xyxy[2, 3] = np.nan, np.inf
    events = []
    for k in range(10):
        events += watcher.update(people, make_frame(k / RATE))
    assert [event.track_id for event in of_kind(events, "entry")] == [2]


def test_objects_without_ids_are_refused_and_nothing_needs_none() -> None:
    watcher = make_watcher()
    people = make_people({1: INSIDE})
    people.tracker_id = None
    with pytest.raises(ValueError, match="tracker_id"):
        watcher.update(people, make_frame(0.0))
    assert watcher.update(sv.Detections.empty(), make_frame(0.0)) == []


def test_bare_boxes_have_neither_name_nor_confidence() -> None:
    watcher = make_watcher()
    events = []
    bare = sv.Detections(xyxy=make_people({1: INSIDE}).xyxy, tracker_id=np.array([1]))
    for k in range(10):
        events += watcher.update(bare, make_frame(k / RATE))
    assert (events[0].class_name, events[0].confidence) == ("", None)


def test_a_van_that_is_now_a_car_is_called_by_its_best_sighting() -> None:
    watcher = make_watcher()
    events = []
    for k, (name, certain) in enumerate([("truck", 0.4), ("car", 0.9), ("truck", 0.5)] * 8):
        van = make_people({1: INSIDE}, name=name)
        van.confidence = np.array([certain], np.float32)
        van.class_id = np.array([2 if name == "car" else 7])
        events += watcher.update(van, make_frame(k / RATE))
    assert {event.class_name for event in of_kind(events, "entry")} == {"car"}


def test_keys_are_unique_and_watchers_own_theirs() -> None:
    for _ in range(2):
        watcher = make_watcher()
        events = []
        for start in (0.0, 20.0, 10.0):
            events += stay(watcher, 4.0, start=start)
        events += watcher.finish()
        begun = [event.key for event in events if event.phase == "start"]
        alone = [event.key for event in events if event.kind in ("entry", "exit", "crossing")]
        assert len({*begun, *alone}) == len(begun) + len(alone)
        assert min({*begun, *alone}) == 1


def test_the_whole_picture_and_lines_together() -> None:
    watcher = SceneWatcher([], [LEVEL], patience=1.0)
    events = watch(watcher, walk((320, 150), (320, 350), speed=20))
    assert [(e.kind, e.region) for e in events if e.phase == "end"] == [
        ("entry", None), ("crossing", "level"),
        ("dwell", None), ("exit", None), ("occupancy", None),
    ]  # fmt: skip
    assert of_kind(events, "dwell")[0].value == pytest.approx(PICTURE_THRESHOLD, abs=0.2)


def test_nothing_grows_with_time() -> None:
    watcher = make_watcher()
    rng = np.random.default_rng(0)
    sizes = []
    for k in range(600):
        first = 1 + k // 5  # somebody new every half second
        places = rng.uniform((0, TALL), (640, 480), (6, 2)).tolist()
        people = {first + at: tuple(place) for at, place in enumerate(places)}
        watcher.update(make_people(people), make_frame(k / RATE))
        if k % 40 == 39:
            sizes.append(_size(watcher))
    assert max(sizes[7:]) <= 1.5 * max(sizes[:7])


def _size(thing: object, seen: set[int] | None = None) -> int:
    """Return the bytes of an object and of all that it holds."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    size = thing.nbytes if isinstance(thing, np.ndarray) else sys.getsizeof(thing, 0)
    if isinstance(thing, dict):
        return size + sum(_size(part, seen) for pair in thing.items() for part in pair)
    if isinstance(thing, list | tuple | set):
        return size + sum(_size(part, seen) for part in thing)
    return size + _size(getattr(thing, "__dict__", ()), seen)


@pytest.mark.parametrize("patience", [0.0, -1.0, float("nan"), float("inf")])
def test_a_watcher_waits_for_some_seconds(patience: float) -> None:
    with pytest.raises(VisionError) as caught:
        make_watcher(patience)
    assert caught.value.code == "bad_patience"


def test_what_cannot_be_watched_is_refused() -> None:
    with pytest.raises(RegionError):
        SceneWatcher([Zone("z", TABLE.polygon[:2], 1.0)], [], patience=1.0)
    with pytest.raises(RegionError):
        SceneWatcher([], [CountingLine("l", (0.1, 0.1), (0.1, 0.1))], patience=1.0)
    with pytest.raises(ValueError, match="keys must differ"):
        SceneWatcher([TABLE, TABLE], [], patience=1.0)
    same = CountingLine(TABLE.key, LEVEL.start, LEVEL.end)
    SceneWatcher([TABLE], [same], patience=1.0)  # a zone and a line may share a key


@pytest.mark.parametrize("seed", range(2))
def test_a_tracked_scene_counts_what_its_truth_counts(seed: int) -> None:
    """Trackers' numbers break now and then; the events should not."""
    line = CountingLine("middle", (0.5, 0.0), (0.5, 1.0))
    scene = Scene(seed=seed, seconds=25, people=5, rate=RATE, size=(320, 240))
    tracker = create_tracker("bytetrack", rate=scene.rate, patience=2.0, minimum_hits=3)
    exact, seen = (SceneWatcher([], [line], patience=2.5) for _ in range(2))
    model = DetectorModel()
    truth: list[SceneEvent] = []
    found: list[SceneEvent] = []
    for frame, people in scene:
        truth += exact.update(people.as_detections(), frame)
        detections = noisy_detections(people, seed=seed, size=scene.size, model=model)
        found += seen.update(tracker.update(detections, frame), frame)
    truth, found = truth + exact.finish(), found + seen.finish()
    assert len(of_kind(truth, "crossing")) > 3
    for way in ("forward", "backward"):
        expected, counted = (
            sum(event.direction == way for event in events) for events in (truth, found)
        )
        assert abs(expected - counted) <= 1

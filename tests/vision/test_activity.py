"""Activities on scripted people whose joints are exact, and on clips of a webcam."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.activity import (
    ACTIVITIES,
    UNSURE,
    ActivityEvent,
    ActivityEvents,
    ActivityState,
    GroupSettings,
    RecognizerSettings,
    create_recognizer,
)
from vision.activity.features import Column, measure
from vision.activity.scripted import OTHER, SCRIPTS, Camera, play
from vision.activity.whereabouts import Whereabouts
from vision.activity.window import Window, summarise
from vision.engine import Engine
from vision.errors import VisionError
from vision.structures import Frame
from vision.weights import WeightsStore

PICTURE = np.zeros((1, 1, 3), np.uint8)
START = datetime(2026, 1, 1, tzinfo=UTC)


def frame_at(time: float) -> Frame:
    return Frame(PICTURE, round(time * 100), time, START + timedelta(seconds=time), "test")


def watch(name: str, camera: Camera) -> tuple[Counter[str], Counter[str]]:
    """Return what was said while the script's last activity went on, and in all."""
    recognizer = create_recognizer()
    last = SCRIPTS[name][-1][0]
    while_last: Counter[str] = Counter()
    everything: Counter[str] = Counter()
    for moment in play(name, camera):
        (state,) = recognizer.update(moment.detections, moment.frame)
        everything[state.label] += 1
        if moment.truth == last:
            while_last[state.label] += 1
    return while_last, everything


def share(said: Counter[str], label: str) -> float:
    return said[label] / max(1, sum(said.values()))


@pytest.mark.parametrize("rate", [10.0, 25.0])
@pytest.mark.parametrize(
    "name", [name for name, parts in SCRIPTS.items() if parts[-1][0] not in ("loitering", OTHER)]
)
def test_every_activity_is_recognised(name: str, rate: float) -> None:
    said, _ = watch(name, Camera(rate=rate))
    assert share(said, SCRIPTS[name][-1][0]) >= 0.9


def test_a_long_stay_is_loitering() -> None:
    said, _ = watch("loitering", Camera(rate=5))
    assert share(said, "loitering") >= 0.9


@pytest.mark.parametrize("rate", [5.0, 8.0, 15.0, 30.0, 60.0])
@pytest.mark.parametrize("name", ["standing", "walking", "running", "sitting", "fallen"])
def test_the_frame_rate_does_not_matter(name: str, rate: float) -> None:
    said, _ = watch(name, Camera(rate=rate, yaw=60))
    assert share(said, name) >= 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 0.0},
        {"noise": 0.03},
        {"dropout": 0.2},
        {"mirrored": True},
        {"body_height": 50.0},
        {"body_height": 900.0},
        {"yaw": -60.0},
        {"pitch": 25.0},
    ],
    ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items()),
)
@pytest.mark.parametrize("name", ["walking", "sitting", "fallen", "hands_up"])
def test_the_camera_does_not_matter(name: str, change: dict[str, Any]) -> None:
    said, _ = watch(name, replace(Camera(rate=12, noise=0.015), **change))
    assert share(said, name) >= 0.85


@pytest.mark.parametrize(
    "name", ["sitting", "sitting bent forwards", "crouching", "bending down", "hands_up"]
)
@pytest.mark.parametrize("seed", range(4))
def test_nobody_falls_who_does_not(name: str, seed: int) -> None:
    for yaw in (0.0, 45.0, 90.0, 180.0):
        camera = Camera(rate=10, yaw=yaw, pitch=5.0 * seed, noise=0.01 + 0.006 * seed, seed=seed)
        _, said = watch(name, camera)
        assert said["fallen"] == 0


@pytest.mark.parametrize("yaw", [0.0, 30.0, 60.0, 90.0, 150.0, -90.0])
def test_a_fall_is_seen_from_every_side(yaw: float) -> None:
    for seed in range(2):
        said, _ = watch("fallen after walking", Camera(rate=15, yaw=yaw, noise=0.02, seed=seed))
        assert share(said, "fallen") >= 0.9


@pytest.mark.parametrize("name", ["hands_up", "waving"])
def test_hands_need_no_legs(name: str) -> None:
    said, everything = watch(name, Camera(rate=15, upper_body=True, yaw=10))
    assert share(said, name) >= 0.85
    assert set(everything) <= {name, "hands_up", UNSURE}


@pytest.mark.parametrize("name", ["standing", "sitting"])
def test_without_legs_nobody_stands_or_sits(name: str) -> None:
    said, _ = watch(name, Camera(rate=15, upper_body=True))
    assert set(said) == {UNSURE}


@pytest.mark.parametrize("name", ["standing", "walking", "running"])
def test_boxes_alone_tell_less(name: str) -> None:
    recognizer = create_recognizer()
    states = [
        recognizer.update(moment.detections, moment.frame)[0]
        for moment in play(name, Camera(without_joints=True, yaw=80))
    ]
    ended = states[-20:]
    assert {state.label for state in ended} == {name}
    assert all(0.6 <= state.confidence <= 0.76 for state in ended)


def test_states_keep_their_promises() -> None:
    for name in SCRIPTS:
        recognizer = create_recognizer()
        for moment in play(name, Camera(rate=5, noise=0.03, dropout=0.3)):
            (state,) = recognizer.update(moment.detections, moment.frame)
            assert state.track_id == 1
            assert state.label in (*ACTIVITIES, UNSURE)
            assert state.reason
            if state.label == UNSURE:
                assert 0 <= state.confidence < 0.6
            else:
                assert 0.6 <= state.confidence <= 1


def test_the_reason_says_what_and_for_how_long() -> None:
    recognizer = create_recognizer()
    for moment in play("fallen", Camera(yaw=0)):
        (state,) = recognizer.update(moment.detections, moment.frame)
    assert state.label == "fallen"
    assert state.reason.startswith("torso 8")
    assert "° from upright for " in state.reason


def test_labels_do_not_flicker() -> None:
    for name in ("sitting", "fallen", "hands_up"):
        recognizer = create_recognizer()
        labels = [
            recognizer.update(moment.detections, moment.frame)[0].label
            for moment in play(name, Camera(rate=30, noise=0.025, seed=3))
        ]
        changes = sum(first != second for first, second in pairwise(labels))
        assert changes <= 4


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(["walking", "sitting", "fallen", "waving"]),
    scale=st.floats(0.2, 8.0),
    right=st.floats(-1000, 3000),
    down=st.floats(-1000, 3000),
)
def test_scale_and_place_do_not_matter(name: str, scale: float, right: float, down: float) -> None:
    camera = Camera(rate=8, noise=0.01, yaw=35)
    moved = replace(camera, body_height=camera.body_height * scale, shift=(right, down))
    first, second = create_recognizer(), create_recognizer()
    for near, far in zip(play(name, camera), play(name, moved), strict=True):
        (one,) = first.update(near.detections, near.frame)
        (other,) = second.update(far.detections, far.frame)
        assert one.label == other.label
        assert one.confidence == pytest.approx(other.confidence, abs=0.05)


def test_too_few_sightings_say_nothing() -> None:
    recognizer = create_recognizer()
    for moment in play("walking", Camera(rate=1)):
        (state,) = recognizer.update(moment.detections, moment.frame)
        assert state.label == UNSURE
        assert "sightings" in state.reason


def test_loitering_is_seen_at_one_frame_a_second() -> None:
    said, _ = watch("loitering", Camera(rate=1))
    assert share(said, "loitering") >= 0.6


def nobody() -> sv.Detections:
    empty = sv.Detections.empty()
    empty.tracker_id = np.empty(0, np.int64)
    empty.data = {"keypoints": np.empty((0, 17, 3), np.float32), "class_name": np.empty(0, "U1")}
    return empty


@pytest.mark.parametrize("make", [nobody, sv.Detections.empty], ids=["columns", "nothing"])
def test_an_empty_frame_has_no_states(make: Callable[[], sv.Detections]) -> None:
    recognizer = create_recognizer()
    assert list(recognizer.update(make(), frame_at(0))) == []
    events = ActivityEvents()
    assert events.add([], make(), frame_at(0)) == []
    assert events.finish() == []


def test_only_tracked_people_are_judged() -> None:
    moment = next(play("standing", Camera()))
    detections = sv.Detections.merge([moment.detections] * 3)
    detections.tracker_id = np.array([4, 5, 6])
    detections.data["class_name"] = np.array(["person", "dog", "person"])
    states = create_recognizer().update(detections, moment.frame)
    assert [state.track_id for state in states] == [4, 6]
    detections.tracker_id = None
    assert list(create_recognizer().update(detections, moment.frame)) == []


@pytest.mark.parametrize("filler", [0.0, np.nan], ids=["zeros", "nan"])
def test_people_without_joints_are_judged_by_their_boxes(filler: float) -> None:
    recognizer = create_recognizer()
    for moment in play("walking", Camera(yaw=90)):
        moment.detections.data["keypoints"][:] = filler
        (state,) = recognizer.update(moment.detections, moment.frame)
    assert state.label == "walking"
    assert state.confidence <= 0.76


def test_looks_between_which_boxes_are_predicted_are_enough() -> None:
    recognizer = create_recognizer()
    for index, moment in enumerate(play("sitting", Camera(rate=30))):
        if index % 6:
            moment.detections.data["keypoints"][:] = 0
        (state,) = recognizer.update(moment.detections, moment.frame)
    assert state.label == "sitting"


def test_a_track_that_vanishes_is_forgotten() -> None:
    recognizer = create_recognizer(RecognizerSettings(forget_after=2.0))
    moments = list(play("standing", Camera(rate=10)))
    for moment in moments:
        (state,) = recognizer.update(moment.detections, moment.frame)
    assert state.label == "standing"
    end = moments[-1].frame.timestamp
    recognizer.update(nobody(), frame_at(end + 1.0))
    (state,) = recognizer.update(moments[-1].detections, frame_at(end + 1.5))
    assert state.label == "standing"
    recognizer.update(nobody(), frame_at(end + 4.0))
    (state,) = recognizer.update(moments[-1].detections, frame_at(end + 4.1))
    assert state.label == UNSURE


def test_reset_forgets_everybody() -> None:
    recognizer = create_recognizer()
    for moment in play("standing", Camera(rate=10)):
        (state,) = recognizer.update(moment.detections, moment.frame)
    assert state.label == "standing"
    recognizer.reset()
    (state,) = recognizer.update(moment.detections, frame_at(0))
    assert state.label == UNSURE


def test_a_frame_that_comes_twice_changes_nothing() -> None:
    recognizer = create_recognizer()
    for moment in play("walking", Camera(rate=10)):
        first = recognizer.update(moment.detections, moment.frame)
        assert recognizer.update(moment.detections, moment.frame) == first


@pytest.mark.parametrize(
    "change",
    [
        {"window": 0.5},
        {"window": 3.0},
        {"hold": -1.0},
        {"loitering_seconds": 0.0},
        {"loitering_radius": 0.0},
        {"forget_after": 0.0},
        {"window": float("nan")},
    ],
    ids=lambda change: "-".join(f"{key}={value}" for key, value in change.items()),
)
def test_settings_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(VisionError) as refused:
        create_recognizer(RecognizerSettings(**change))
    assert refused.value.code == "bad_activity_settings"


def test_keypoints_of_another_shape_are_refused() -> None:
    moment = next(play("standing", Camera()))
    moment.detections.data["keypoints"] = np.zeros((1, 5, 2), np.float32)
    with pytest.raises(VisionError, match=r"Expected keypoints \(N, 17, 3\), got \(1, 5, 2\)"):
        create_recognizer().update(moment.detections, moment.frame)


# Measurements


def test_measurements_have_their_units() -> None:
    camera = Camera(body_height=100, noise=0.0, pitch=0, yaw=0, shift=(50, 300))
    moment = next(play("standing", camera))
    joints = moment.detections.data["keypoints"]
    (row,) = measure(3.5, moment.detections.xyxy, joints)
    assert row[Column.TIME] == 3.5
    assert row[Column.BODY_HEIGHT] == pytest.approx(100, rel=0.06)
    assert row[Column.LEAN] == pytest.approx(0, abs=1)
    assert row[Column.X] == pytest.approx(50, abs=1)
    assert row[Column.THIGH_DROP] == pytest.approx(24.5, rel=0.06)
    assert row[Column.LEG_DROP] == pytest.approx(49, rel=0.06)
    assert row[Column.LEFT_OVER_HEAD] < 0


def test_what_is_not_seen_is_not_known() -> None:
    moment = next(play("standing", Camera()))
    joints = moment.detections.data["keypoints"].copy()
    joints[:, 11:, 2] = 0.1
    (row,) = measure(0, moment.detections.xyxy, joints)
    for column in (Column.LEAN, Column.THIGH_DROP, Column.LEG_DROP, Column.STEP_X):
        assert np.isnan(row[column])
    assert not np.isnan(row[Column.LEFT_OVER_HEAD])


def test_a_speed_is_in_body_heights_per_second() -> None:
    window = Window(1.8)
    boxes = np.array([[0, 0, 40, 100]], np.float32)
    for index in range(40):
        time = index / 10
        window.add(measure(time, boxes + np.array([1, 0, 1, 0], np.float32) * (time * 50), None)[0])
    seen = summarise(window.rows, 100.0)
    assert seen.speed == pytest.approx(0.5, abs=1e-3)
    assert seen.span == pytest.approx(1.8)
    assert seen.samples == 19


def test_a_stay_begins_when_somebody_came() -> None:
    places = Whereabouts(seconds=10, radius=1.0)
    stays = [places.add(float(time), 100.0, 200.0, 150.0) for time in range(30)]
    assert stays[9] == 0
    assert stays[10] == pytest.approx(10)
    assert stays[29] == pytest.approx(29)
    assert places.add(30.0, 900.0, 200.0, 150.0) == 0


# Events


def state(label: str, confidence: float = 0.8, reason: str = "why") -> ActivityState:
    return ActivityState(1, label, confidence, reason)


def collect(labels: Iterable[str | None], rate: float = 10.0) -> list[ActivityEvent]:
    """Return the events of one person; None is a frame without them."""
    events, ended = ActivityEvents(), []
    for index, label in enumerate(labels):
        states = [] if label is None else [state(label)]
        ended += events.add(states, nobody(), frame_at(index / rate))
    return ended + events.finish()


def test_intervals_have_starts_and_ends() -> None:
    found = collect(["walking"] * 20 + ["standing"] * 30)
    assert [(one.label, one.start, one.end) for one in found] == [
        ("walking", 0.0, 1.9),
        ("standing", 2.0, 4.9),
    ]
    assert {one.kind for one in found} == {"activity"}
    assert {one.track_ids for one in found} == {(1,)}
    assert found[0].confidence == pytest.approx(0.8)


@pytest.mark.parametrize(("gap", "expected"), [(4, 1), (8, 2)])
@pytest.mark.parametrize("between", [None, UNSURE])
def test_brief_interruptions_are_joined(gap: int, expected: int, between: str | None) -> None:
    assert len(collect(["sitting"] * 20 + [between] * gap + ["sitting"] * 20)) == expected


def test_what_is_too_short_is_no_event() -> None:
    assert collect([UNSURE] * 10 + ["waving"] * 3 + [UNSURE] * 10) == []


def test_one_frame_a_second_is_no_interruption() -> None:
    (found,) = collect(["standing"] * 10, rate=1.0)
    assert (found.start, found.end) == (0.0, 9.0)


def test_the_most_certain_moment_gives_the_reason() -> None:
    events = ActivityEvents()
    for index, (confidence, reason) in enumerate([(0.7, "a"), (0.9, "b"), (0.9, "c"), (0.6, "d")]):
        one = state("fallen", confidence, reason)
        events.add([one], nobody(), frame_at(index / 4))
    (found,) = events.finish()
    assert found.reason == "c"
    assert found.confidence == pytest.approx(0.775)


# Groups


def people_at(*feet: tuple[float, float], height: float = 100.0) -> sv.Detections:
    boxes = [[x - 20, y - height, x + 20, y] for x, y in feet]
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        class_id=np.zeros(len(feet), int),
        tracker_id=np.arange(1, len(feet) + 1),
        data={"class_name": np.array(["person"] * len(feet))},
    )


def groups_of(
    place: Callable[[float], sv.Detections], seconds: float, **options: Any
) -> list[ActivityEvent]:
    events, ended = ActivityEvents(groups=GroupSettings(**options)), []
    for index in range(round(seconds * 10)):
        ended += events.add([], place(index / 10), frame_at(index / 10))
    return ended + events.finish()


def test_people_who_stand_together_meet() -> None:
    (found,) = groups_of(lambda time: people_at((100, 300), (170, 310), (600, 300)), 6)
    assert (found.kind, found.label, found.track_ids) == ("group", "meeting", (1, 2))
    assert found.start == pytest.approx(0.0, abs=0.2)
    assert found.end == pytest.approx(5.9)
    assert 0.6 <= found.confidence <= 1
    assert "2 people" in found.reason


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(lambda time: people_at((100, 300), (350, 300)), id="far apart"),
        pytest.param(
            lambda time: people_at((100 + 80 * time, 300), (600 - 80 * time, 300)), id="passing"
        ),
        pytest.param(
            lambda time: people_at((80 * time, 300), (60 + 80 * time, 300)), id="walking together"
        ),
        pytest.param(lambda time: people_at((100, 300)), id="alone"),
        pytest.param(lambda time: people_at(), id="nobody"),
        pytest.param(
            lambda time: people_at((100, 300), *([(160, 300)] if time < 2 else [])), id="too short"
        ),
    ],
)
def test_others_do_not(place: Callable[[float], sv.Detections]) -> None:
    assert groups_of(place, 6) == []


def test_a_meeting_ends_when_somebody_goes() -> None:
    def place(time: float) -> sv.Detections:
        return people_at((100, 300), (160 + 120 * max(0.0, time - 5), 300))

    (found,) = groups_of(place, 12)
    assert found.end == pytest.approx(5.5, abs=0.6)


def test_a_brief_loss_does_not_end_a_meeting() -> None:
    def place(time: float) -> sv.Detections:
        return people_at((100, 300), *([] if 3 < time < 3.6 else [(160, 300)]))

    (found,) = groups_of(place, 8)
    assert found.end == pytest.approx(7.9)


def test_many_people_are_a_crowd() -> None:
    feet = [(100 + 150 * (index % 3), 300 + 100 * (index // 3)) for index in range(6)]
    found = groups_of(lambda time: people_at(*feet), 5, meeting_distance=0.5)
    assert [one.label for one in found] == ["crowding"]
    assert found[0].track_ids == (1, 2, 3, 4, 5, 6)
    assert groups_of(lambda time: people_at(*feet[:4]), 5, meeting_distance=0.5) == []


# Real clips


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["no", "thanks", "walk", "yes"])
def test_signs_before_a_webcam_are_no_activity(
    name: str,
    make_engine: Callable[..., Engine],
    weights_dir: Path,
    cache_dir: Path,
    test_data: Path,
) -> None:
    import av

    store = WeightsStore(cache_dir / "weights", [weights_dir], allow_download=False)
    engine = make_engine(weights=store)
    recognizer = create_recognizer()
    said: Counter[str] = Counter()
    with av.open(str(test_data / "videos" / "gestures" / f"{name}.mkv")) as container:
        for picture in list(container.decode(video=0))[::2]:
            image = picture.to_ndarray(format="bgr24")
            (found,) = engine.detect([image], model="yolov8n-pose", classes=[0])
            person = found[:1]
            person.tracker_id = np.ones(len(person), np.int64)
            for one in recognizer.update(person, frame_at(float(picture.time))):
                said[one.label] += 1
    assert sum(said.values()) > 20
    assert set(said) == {UNSURE}

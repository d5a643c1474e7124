"""Trackers keep ids, followers keep positions, recorders keep all points."""

import tracemalloc
import warnings
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from vision.errors import VisionError
from vision.structures import Frame
from vision.tracking import (
    BETWEEN,
    TRACKERS,
    TrajectoryRecorder,
    VisualTracker,
    available_methods,
    create_follower,
    create_tracker,
)
from vision.tracking.clock import SteadyClock
from vision.tracking.kinds import kinds_of
from vision.tracking.recorder import FIRST_SPARE_ID

WIDTH, HEIGHT, RATE = 640, 480, 25
CLASSES = {"person": 0, "bicycle": 1, "car": 2, "truck": 7}
BLANK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def make_frame(index: int, timestamp: float | None = None, image: object = None) -> Frame:
    picture = BLANK if image is None else np.asarray(image, np.uint8)
    seconds = index / RATE if timestamp is None else timestamp
    return Frame(picture, index, seconds, datetime.now(UTC), "test")


def make_detections(
    boxes: list[tuple[float, ...]] | NDArray[np.floating],
    names: list[str] | None = None,
    confidence: float = 0.9,
) -> sv.Detections:
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    names = names or ["person"] * len(xyxy)
    return sv.Detections(
        xyxy=xyxy,
        confidence=np.full(len(xyxy), confidence, np.float32),
        class_id=np.array([CLASSES[name] for name in names], int),
        data={"class_name": np.array(names, dtype=str), "row": np.arange(len(xyxy))},
    )


def walking(index: int) -> list[tuple[float, ...]]:
    """Two people far apart, in opposite directions."""
    a, b = 100 + 4.0 * index, 500 - 4.0 * index
    return [(a, 50, a + 40, 150), (b, 300, b + 40, 400)]


def ids(detections: sv.Detections) -> list[int]:
    assert detections.tracker_id is not None
    return detections.tracker_id.tolist()


@pytest.mark.parametrize("name", TRACKERS)
def test_ids_begin_at_one_and_stay(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    assert ids(tracker.update(make_detections(walking(0)), make_frame(0))) == []
    seen = [ids(tracker.update(make_detections(walking(k)), make_frame(k))) for k in range(1, 60)]
    assert sorted(seen[0]) == [1, 2]
    assert all(found == seen[0] for found in seen)


@pytest.mark.parametrize("name", TRACKERS)
def test_rows_keep_their_data_and_order(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k in range(5):
        boxes = [*walking(k), (300.0, 10.0, 320.0, 40.0)]
        detections = make_detections(boxes, ["car", "person", "car"])
        detections.mask = np.zeros((3, HEIGHT, WIDTH), np.bool_)
        detections.data["keypoints"] = np.full((3, 17, 3), k, np.float32)
        tracked = tracker.update(detections, make_frame(k))
    assert tracked.data["row"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(tracked.xyxy, detections.xyxy)
    assert tracked.mask is not None
    assert tracked.data["keypoints"].shape == (3, 17, 3)
    assert detections.tracker_id is None


@pytest.mark.parametrize("name", TRACKERS)
def test_nothing_to_track(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    empty = sv.Detections.empty()
    assert ids(tracker.update(empty, make_frame(0))) == []
    for k in range(1, 4):
        tracker.update(make_detections(walking(k)), make_frame(k))
    tracked = tracker.update(empty, make_frame(4))
    assert len(tracked) == 0
    assert ids(tracked) == []


@pytest.mark.parametrize("name", TRACKERS)
def test_a_single_false_detection_is_no_track(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k in range(30):
        boxes = walking(k) if k != 10 else [*walking(k), (300.0, 200.0, 340.0, 280.0)]
        tracked = tracker.update(make_detections(boxes), make_frame(k))
        assert set(ids(tracked)) <= {1, 2}


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize(("gap", "same"), [(0.5, True), (4.0, False)], ids=["short", "long"])
def test_an_object_that_comes_back(name: str, gap: float, same: bool) -> None:
    tracker = create_tracker(name, rate=RATE)
    box, away = [(200.0, 100.0, 260.0, 250.0)], int(gap * RATE)
    for k in range(20 + away + 20):
        found = [] if 20 <= k < 20 + away else box
        tracked = tracker.update(make_detections(found), make_frame(k))
    assert ids(tracked) == ([1] if same else [2])


@pytest.mark.parametrize("name", TRACKERS)
def test_seconds_count_and_not_frames(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    box = [(200.0, 100.0, 260.0, 250.0)]
    for k in range(10):
        tracker.update(make_detections(box), make_frame(k))
    for k in range(10, 13):
        tracked = tracker.update(make_detections(box), make_frame(k, 10.0 + k / RATE))
    assert ids(tracked) == [2]


@pytest.mark.parametrize("name", TRACKERS)
def test_one_frame_per_second(name: str) -> None:
    tracker = create_tracker(name, rate=1)
    for k in range(20):
        found = [] if k == 10 else [(200.0 + 5 * k, 100.0, 260.0 + 5 * k, 250.0)]
        tracked = tracker.update(make_detections(found), make_frame(k, float(k)))
    assert ids(tracked) == [1]


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize(
    ("rate", "asked", "expected"),
    [(25, None, 1.5), (25, 0.0, 1.5), (25, 10.5, 10.5), (1, None, 3.5), (0.25, 2.0, 14.0)],
)
def test_patience(name: str, rate: float, asked: float | None, expected: float) -> None:
    tracker = create_tracker(name, rate=rate, patience=asked)
    assert tracker.patience == expected
    assert create_follower(tracker).patience == expected


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("asked", [None, 10.5], ids=["usual", "more"])
def test_a_track_is_over_after_its_patience(name: str, asked: float | None) -> None:
    for late, expected in ((-0.01, 1), (0.01, 2)):
        tracker = create_tracker(name, rate=RATE, patience=asked)
        away = tracker.patience + late
        box = [(200.0, 100.0, 260.0, 250.0)]
        stamps = [0.0, 0.04, 0.04 + away, 0.08 + away]
        for k, stamp in enumerate(stamps):
            tracked = tracker.update(make_detections(box), make_frame(k, stamp))
        assert ids(tracked) == [expected]


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("uneven", [0.0, 0.4], ids=["even", "uneven"])
def test_a_parked_car_in_a_frame_every_four_seconds(name: str, uneven: float) -> None:
    rng = np.random.default_rng(0)
    tracker = create_tracker(name, rate=0.25)
    seen: set[int] = set()
    for k in range(40):
        box = np.array([[100.0, 100.0, 200.0, 160.0]]) + rng.normal(0, 1.5, (1, 4))
        found = make_detections([] if k in (10, 11, 20) else box, None if k else ["car"])
        seen |= set(ids(tracker.update(found, make_frame(k, 4.0 * k + uneven * (k % 3)))))
    assert seen == {1}


@pytest.mark.parametrize("name", TRACKERS)
def test_who_stands_still_is_known_from_look_to_look(name: str) -> None:
    """Frames while something moves, then one every three seconds; boxes always jitter."""
    rng = np.random.default_rng(1)
    tracker = create_tracker(name, rate=RATE, patience=10.5)
    seen: set[int] = set()
    for k, stamp in enumerate([*np.arange(0, 4, 1 / RATE), *np.arange(4, 64, 3.0)]):
        x = 100 + 60 * min(float(stamp), 2.0)
        box = np.array([[x, 100, x + 50, 160]]) + rng.normal(0, 1.5, (1, 4))
        seen |= set(ids(tracker.update(make_detections(box), make_frame(k, float(stamp)))))
    assert seen == {1}


@pytest.mark.parametrize("name", TRACKERS)
def test_hours_between_frames(name: str) -> None:
    tracker = create_tracker(name, rate=RATE, patience=20_000)
    for k in range(5):
        tracked = tracker.update(make_detections(walking(0)), make_frame(k, 5000.0 * k))
    assert sorted(ids(tracked)) == [1, 2]
    tracked = tracker.update(make_detections(walking(0)), make_frame(5, 1e9))
    assert ids(tracked) == []


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize(
    "stamps",
    [[0.0] * 12, [5 - k / RATE for k in range(12)], [float("nan")] * 12],
    ids=["standing still", "backwards", "no numbers"],
)
def test_broken_timestamps(name: str, stamps: list[float]) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k, stamp in enumerate(stamps):
        tracked = tracker.update(make_detections(walking(k)), make_frame(k, stamp))
    assert sorted(ids(tracked)) == [1, 2]


@pytest.mark.parametrize("name", TRACKERS)
def test_a_person_does_not_become_a_car(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    seen: dict[str, set[int]] = {"person": set(), "car": set()}
    for k in range(20):
        kind = "person" if k < 10 else "car"
        box = [(200.0, 100.0, 260.0, 250.0)]
        seen[kind] |= set(ids(tracker.update(make_detections(box, [kind]), make_frame(k))))
    assert seen == {"person": {1}, "car": {2}}


@pytest.mark.parametrize("name", TRACKERS)
def test_a_van_that_is_now_a_car_now_a_truck_is_one_track(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k in range(20):
        box = [(100.0 + 3 * k, 100.0, 220.0 + 3 * k, 200.0)]
        kind = ["car", "truck"][k % 2]
        tracked = tracker.update(make_detections(box, [kind]), make_frame(k))
    assert ids(tracked) == [1]


@pytest.mark.parametrize("name", TRACKERS)
def test_reset_forgets_objects_but_gives_no_id_twice(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k in range(5):
        tracker.update(make_detections(walking(k)), make_frame(k))
    tracker.reset()
    for k in range(5):
        tracked = tracker.update(make_detections(walking(k)), make_frame(k))
    assert sorted(ids(tracked)) == [3, 4]


@pytest.mark.parametrize("name", TRACKERS)
def test_trackers_own_their_ids(name: str) -> None:
    for _ in range(2):
        tracker = create_tracker(name, rate=RATE)
        for k in range(3):
            tracked = tracker.update(make_detections(walking(k)), make_frame(k))
        assert sorted(ids(tracked)) == [1, 2]


@pytest.mark.parametrize("name", ["bytetrack", "botsort"])
def test_weak_detections_continue_a_track_and_start_none(name: str) -> None:
    tracker = create_tracker(name, rate=RATE)
    for k in range(10):
        assert ids(tracker.update(make_detections(walking(k), None, 0.2), make_frame(k))) == []
    for k in range(10, 20):
        tracker.update(make_detections(walking(k)), make_frame(k))
    for k in range(20, 30):
        tracked = tracker.update(make_detections(walking(k), None, 0.2), make_frame(k))
    assert sorted(ids(tracked)) == [1, 2]


def test_the_camera_moves_and_ids_stay() -> None:
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (80, 240, 3), np.uint8), (1920, 640))
    tracker = create_tracker("botsort", rate=RATE)
    for k in range(30):
        shift = 12 * k * (k % 10 > 4)
        view = scene[:HEIGHT, shift : shift + WIDTH]
        boxes = [(x - shift, 200.0, x + 30 - shift, 280.0) for x in (350, 420, 490)]
        tracked = tracker.update(make_detections(boxes), make_frame(k, image=view))
    assert len(set(ids(tracked))) == 3


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_tracker_needs_a_rate(rate: float) -> None:
    with pytest.raises(VisionError) as caught:
        create_tracker("iou", rate=rate)
    assert caught.value.code == "bad_rate"


@pytest.mark.parametrize("patience", [-1.0, float("nan"), float("inf")])
def test_a_tracker_does_not_wait_for_ever(patience: float) -> None:
    with pytest.raises(VisionError) as caught:
        create_tracker("iou", rate=RATE, patience=patience)
    assert caught.value.code == "bad_patience"


def test_unknown_names() -> None:
    with pytest.raises(VisionError, match="bytetrack") as caught:
        create_tracker("deepsort", rate=RATE)
    assert caught.value.code == "unknown_tracker"
    with pytest.raises(VisionError) as caught:
        create_follower(create_tracker("iou", rate=RATE), "guess")
    assert caught.value.code == "unknown_between"
    with pytest.raises(VisionError) as caught:
        VisualTracker("nonsense")
    assert caught.value.code == "no_visual_tracker"


def test_kinds() -> None:
    detections = make_detections([(0, 0, 1, 1)] * 4, ["person", "car", "truck", "bicycle"])
    person, car, truck, bicycle = kinds_of(detections).tolist()
    assert car == truck
    assert len({person, car, bicycle}) == 3
    detections.data = {}
    assert kinds_of(detections).tolist() == [0, 2, 7, 1]
    detections.class_id = None
    assert len(set(kinds_of(detections).tolist())) == 1
    assert kinds_of(sv.Detections.empty()).shape == (0,)


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([7.0, 7.5, 8.0], [0, 0.5, 1.0]),
        ([7.0, 7.0, 3.0, 3.5], [0, 0.1, 0.2, 0.7]),
        ([float("nan"), 1.0, float("inf"), 1.5], [0, 0.1, 0.2, 0.7]),
    ],
    ids=["rising", "back", "no numbers"],
)
def test_steady_clock(stamps: list[float], expected: list[float]) -> None:
    clock = SteadyClock(10)
    assert [clock.advance(stamp) for stamp in stamps] == pytest.approx(expected)
    assert clock.motion == pytest.approx(expected[-1])


def test_long_steps_are_cut_for_motion() -> None:
    clock = SteadyClock(10, longest=0.5)
    assert [clock.advance(stamp) for stamp in (2.0, 2.4, 5.4)] == pytest.approx([0, 0.4, 3.4])
    assert clock.skipped == pytest.approx(2.5)
    assert clock.motion == pytest.approx(0.9)
    clock.advance(5.5)
    assert clock.skipped == 0


def follow_walk(between: str, every: int, frames: int = 40) -> Iterator[tuple[int, sv.Detections]]:
    follower = create_follower(create_tracker("bytetrack", rate=RATE), between)
    for k in range(frames):
        if k % every == 0:
            yield k, follower.update(make_detections(walking(k)), make_frame(k))
        else:
            yield k, follower.follow(make_frame(k))


@pytest.mark.parametrize("every", [1, 2, 5])
def test_objects_are_predicted_between_detections(every: int) -> None:
    for k, found in follow_walk("predict", every):
        assert (found.data["predicted"] == (k % every != 0)).all()
        if k >= 2 * every:
            assert sorted(ids(found)) == [1, 2]
            rows = np.array(walking(k))[found.data["row"]]
            np.testing.assert_allclose(found.xyxy, rows, atol=0.01)
            assert found.confidence is not None
            assert found.confidence.tolist() == pytest.approx([0.9, 0.9])


def test_uneven_times_are_followed_by_the_clock() -> None:
    follower = create_follower(create_tracker("bytetrack", rate=10))
    for k, seconds in enumerate([0.0, 0.1, 0.3, 0.35]):
        x = 100 + 200 * seconds
        follower.update(make_detections([(x, 50, x + 80, 200)]), make_frame(k, seconds))
    found = follower.follow(make_frame(4, 0.75))
    assert found.xyxy[0, 0] == pytest.approx(250, abs=0.01)


def test_nothing_is_predicted_for_long() -> None:
    follower = create_follower(create_tracker("bytetrack", rate=RATE))
    assert len(follower.follow(make_frame(0))) == 0
    for k in range(5):
        follower.update(make_detections(walking(k)), make_frame(k))
    assert len(follower.follow(make_frame(20))) == 2
    assert len(follower.follow(make_frame(40))) == 0
    assert len(follower.follow(make_frame(3))) == 0
    follower.reset()
    assert len(follower.follow(make_frame(6))) == 0


def test_who_is_seen_every_eight_seconds_is_followed_between() -> None:
    follower = create_follower(create_tracker("iou", rate=1 / 8))
    for k in range(3):
        follower.update(
            make_detections([(100 + 8 * k, 50, 180 + 8 * k, 200)]), make_frame(k, 8.0 * k)
        )
    found = follower.follow(make_frame(3, 20.0))
    assert found.xyxy[0, 0] == pytest.approx(120, abs=0.01)
    assert len(follower.follow(make_frame(4, 25.0))) == 0


def test_who_leaves_the_picture_is_not_predicted_outside() -> None:
    follower = create_follower(create_tracker("bytetrack", rate=RATE))
    for k in range(10):
        x = WIDTH - 150 + 10 * k
        follower.update(make_detections([(x, 50, x + 80, 200)]), make_frame(k))
    near = follower.follow(make_frame(12))
    assert near.xyxy[0].tolist() == pytest.approx([610, 50, 640, 200], abs=0.1)
    assert len(follower.follow(make_frame(20))) == 0


@pytest.mark.parametrize("compact", [True, False], ids=["compact", "dense"])
def test_masks_and_keypoints_move_with_their_box(compact: bool) -> None:
    follower = create_follower(create_tracker("bytetrack", rate=RATE))
    for k in range(4):
        x = 100 + 10 * k
        detections = make_detections([(x, 50, x + 80, 200)])
        mask = np.zeros((1, HEIGHT, WIDTH), np.bool_)
        mask[0, 50:200, x : x + 80] = True
        boxes = detections.xyxy
        detections.mask = CompactMask.from_dense(mask, boxes, (HEIGHT, WIDTH)) if compact else mask
        points = np.zeros((1, 17, 3), np.float32)
        points[0, 0] = (x + 5, 60, 0.9)
        detections.data["keypoints"] = points
        follower.update(detections, make_frame(k))
    found = follower.follow(make_frame(5))
    assert found.mask is not None
    rows, columns = np.nonzero(np.asarray(found.mask[0]))
    assert (columns.min(), columns.max() + 1) == (150, 230)
    assert (rows.min(), rows.max() + 1) == (50, 200)
    assert found.data["keypoints"][0, 0].tolist() == pytest.approx([155, 60, 0.9], abs=0.01)
    assert found.data["keypoints"][0, 1].tolist() == [0, 0, 0]


def draw(index: int, speed: float = 5.0) -> NDArray[np.uint8]:
    """A textured object on a textured ground."""
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(0, 120, (30, 40, 3), np.uint8), (WIDTH, HEIGHT))
    thing = cv2.resize(rng.integers(100, 255, (8, 5, 3), np.uint8), (60, 110))
    x = int(100 + speed * index)
    ground[200:310, x : x + 60] = thing
    return np.asarray(ground, np.uint8)


def test_a_visual_tracker_follows() -> None:
    assert "mil" in available_methods()
    visual = VisualTracker("mil")
    assert visual.follow(draw(0)) is None
    assert visual.start(draw(0), np.array([100, 200, 160, 310], np.float32))
    for k in range(1, 5):
        found = visual.follow(draw(k))
        assert found is not None
    np.testing.assert_allclose(found, [120, 200, 180, 310], atol=8)
    assert visual.follow(BLANK[:100, :100]) is None


@pytest.mark.parametrize(
    "box",
    [(0, 0, 3, 3), (-100, -100, -10, -10), (700, 10, 800, 100), (np.nan, 0, 50, 50)],
    ids=["tiny", "outside", "beyond", "not finite"],
)
def test_a_visual_tracker_refuses_what_it_cannot_follow(box: tuple[float, ...]) -> None:
    assert not VisualTracker().start(BLANK, np.array(box, np.float32))


def test_visual_between_detections_sees_what_cannot_be_predicted() -> None:
    follower = create_follower(create_tracker("bytetrack", rate=RATE), BETWEEN[1])
    box = [(100.0, 200.0, 160.0, 310.0)]
    for k in range(3):
        follower.update(make_detections(box), make_frame(k, image=draw(0)))
    for k in range(3, 7):
        found = follower.follow(make_frame(k, image=draw(k - 2)))
    np.testing.assert_allclose(found.xyxy, [[120, 200, 180, 310]], atol=8)
    assert found.data["predicted"].tolist() == [True]


def test_what_is_drawn_on_a_picture_later_is_not_followed() -> None:
    follower = create_follower(create_tracker("bytetrack", rate=RATE), "visual")
    for k in range(3):
        frame = make_frame(k, image=draw(0))
        follower.update(make_detections([(100.0, 200.0, 160.0, 310.0)]), frame)
        frame.image[:] = 255
    for k in range(3, 7):
        frame = make_frame(k, image=draw(k - 2))
        found = follower.follow(frame)
        frame.image[:] = 255
    np.testing.assert_allclose(found.xyxy, [[120, 200, 180, 310]], atol=8)


@pytest.mark.parametrize("between", BETWEEN)
def test_no_frame_is_kept_from_its_owner(between: str) -> None:
    follower = create_follower(create_tracker("iou", rate=RATE), between)
    pictures = []
    for k in range(3):
        frame = make_frame(k, image=draw(0))
        pictures.append(weakref.ref(frame.image))
        follower.update(make_detections([(100.0, 200.0, 160.0, 310.0)]), frame)
        del frame
    assert [picture() is None for picture in pictures] == [True] * 3


def record(recorder: TrajectoryRecorder, tracks: list[int], timestamp: float) -> None:
    found = make_detections(np.full((len(tracks), 4), timestamp))
    found.tracker_id = np.array(tracks, int)
    recorder.add(found, timestamp)


def test_points_survive_however_many_there_are() -> None:
    """Far more than wait to be sorted, of tracks that come and go."""
    recorder = TrajectoryRecorder()
    expected: dict[int, list[float]] = {}
    ended = []
    for step in range(600):
        tracks = [1, *range(2 + step // 50 * 20, 42 + step // 50 * 20)]
        record(recorder, tracks, float(step))
        for track in tracks:
            expected.setdefault(track, []).append(float(step))
        if step % 25 == 0:
            ended += recorder.take_finished(step - 10.0)
    ended += recorder.finish()
    assert {track.track_id: track.times.tolist() for track in ended} == expected
    assert len(ended) == len(expected)
    for track in ended:
        np.testing.assert_array_equal(track.boxes, np.tile(track.times[:, None], 4))


def test_more_objects_in_a_frame_than_are_ever_expected() -> None:
    recorder = TrajectoryRecorder()
    record(recorder, [1], 0.0)
    record(recorder, list(range(1, 20_001)), 1.0)
    ended = recorder.finish()
    assert [track.track_id for track in ended] == list(range(1, 20_001))
    assert [len(ended[0]), len(ended[1])] == [2, 1]


def test_an_id_that_comes_back_after_its_end_loses_nothing() -> None:
    recorder = TrajectoryRecorder()
    ended = []
    for tracks, timestamp in [([1, 2], 0.0), ([1], 10.0), ([2], 20.0), ([2, 1], 30.0)]:
        record(recorder, tracks, timestamp)
        ended += recorder.take_finished(timestamp - 5.0)
    record(recorder, [FIRST_SPARE_ID], 31.0)
    ended += recorder.finish()
    parts = {track.track_id: track.times.tolist() for track in ended}
    assert len(parts) == len(ended)
    assert parts == {
        2: [0.0],
        1: [0.0, 10.0],
        FIRST_SPARE_ID: [30.0],
        FIRST_SPARE_ID + 1: [20.0, 30.0],
        FIRST_SPARE_ID + 2: [31.0],
    }


@pytest.mark.slow
def test_the_end_of_a_track_costs_what_it_has_recorded() -> None:
    recorder = TrajectoryRecorder()
    tracemalloc.start()
    for step in range(5000):
        record(recorder, list(range(1, 101)), step / RATE)
    held, _ = tracemalloc.get_traced_memory()
    record(recorder, [101], 200.0)
    record(recorder, list(range(1, 101)), 203.0)
    tracemalloc.reset_peak()
    (short,) = recorder.take_finished(202.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (short.track_id, len(short)) == (101, 1)
    assert held / 500_000 < 45
    assert peak - held < 2_000_000


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("hits", [2, 3, 7])
def test_an_id_comes_with_as_many_sightings_as_are_asked_for(name: str, hits: int) -> None:
    tracker = create_tracker(name, rate=RATE, minimum_hits=hits)
    for k in range(20):
        tracked = tracker.update(make_detections(walking(k)), make_frame(k))
        assert sorted(ids(tracked)) == ([1, 2] if k + 1 >= hits else [])


@pytest.mark.parametrize("name", TRACKERS)
def test_sightings_before_an_id_are_in_a_row_and_those_after_need_not_be(name: str) -> None:
    tracker = create_tracker(name, rate=RATE, minimum_hits=4)
    seen = []
    for k in range(40):
        missed = k in (3, 7, 20, 22, 24) or 30 <= k < 35
        boxes = [] if missed else [(200.0 + k, 100.0, 260.0 + k, 250.0)]
        tracked = tracker.update(make_detections(boxes), make_frame(k))
        seen.append(None if missed else ids(tracked))
    assert [found for found in seen[:11] if found is not None] == [[]] * 9
    assert [found for found in seen[11:] if found is not None] == [[1]] * 21


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize(
    ("rate", "asked", "expected"),
    [(10, 0.5, 0.5), (10, 2.0, 2.0), (10, 30.0, 30.0), (10, 0.49, 1.5), (2, 0.5, 1.75)],
)
def test_patience_from_half_a_second_on_is_what_was_asked_for(
    name: str, rate: float, asked: float, expected: float
) -> None:
    assert create_tracker(name, rate=rate, patience=asked).patience == expected


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("asked", [0.5, 1.0, 2.0])
def test_a_track_is_over_after_the_patience_of_a_camera(name: str, asked: float) -> None:
    for late, expected in ((-0.01, 1), (0.01, 2)):
        tracker = create_tracker(name, rate=RATE, patience=asked)
        box = [(200.0, 100.0, 260.0, 250.0)]
        for k, stamp in enumerate([0.0, 0.04, 0.04 + asked + late, 0.08 + asked + late]):
            tracked = tracker.update(make_detections(box), make_frame(k, stamp))
        assert ids(tracked) == [expected]


@pytest.mark.parametrize("hits", [1, 0, -3])
def test_one_sighting_is_no_track(hits: int) -> None:
    with pytest.raises(VisionError) as caught:
        create_tracker("iou", rate=RATE, minimum_hits=hits)
    assert caught.value.code == "bad_minimum_hits"


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("patience", [None, 2.0, 5.0])
def test_whoever_walks_on_while_a_camera_stalls_is_expected_there(
    name: str, patience: float | None
) -> None:
    tracker = create_tracker(name, rate=10, patience=patience)
    stamps = [*np.arange(0, 3, 0.1), *np.arange(3.9, 5, 0.1)]
    for k, stamp in enumerate(stamps):
        x = 100 + 60 * float(stamp)
        tracked = tracker.update(make_detections([(x, 100, x + 40, 200)]), make_frame(k, stamp))
    assert ids(tracked) == [1]

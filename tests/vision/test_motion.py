"""Motion: what moves is found, what merely looks different is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.motion import (
    METHODS,
    Interval,
    IntervalMachine,
    MotionEvents,
    MotionGate,
    MotionResult,
    create_motion_detector,
)
from vision.structures import Frame
from vision.synthetic import quiet_scene

Picture = NDArray[np.uint8]
Painter = Callable[[float], NDArray[np.float32]]
WIDTH, HEIGHT, RATE = 320, 240, 25
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 6.0
JUMP = 3.0  # seconds


def frame_of(image: Picture, timestamp: float, index: int = 0) -> Frame:
    return Frame(image, index, timestamp, NOW, "test")


def result_of(share: float) -> MotionResult:
    if not share:
        return MotionResult()
    return MotionResult(np.array([[0, 0, 10, 20]], np.float32), share, True)


def room(seed: int = 0) -> NDArray[np.float32]:
    """A room with structure: things of all sizes and colours before a wall."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.float32)
    for side in np.linspace(80, 8, 120).astype(int):
        left, top = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
        picture[top : top + side, left : left + side] = rng.uniform(40, 200, 3)
    picture[:, 40:60] = (60, 70, 80)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.float32)


ROOM = room()
NOISE = np.random.default_rng(1).normal(0, 1, (11, HEIGHT, WIDTH, 3)).astype(np.float32)


def film(paint: Painter, *, seconds: float = SECONDS, rate: float = RATE) -> Iterator[Frame]:
    """Frames of a painter, with sensor noise of two levels."""
    for index in range(round(seconds * rate)):
        picture = paint(index / rate)
        noisy = cv2.add(picture, 2 * NOISE[index % len(NOISE)], dtype=cv2.CV_8U)
        yield frame_of(np.asarray(noisy, np.uint8), index / rate, index)


def still(_: float) -> NDArray[np.float32]:
    return ROOM


def noisy(time: float) -> NDArray[np.float32]:
    return ROOM + 10 * NOISE[int(time * 997) % len(NOISE)]


def brighter(time: float) -> NDArray[np.float32]:
    return ROOM * np.float32(1.6 if time >= JUMP else 1.0)


def darker(time: float) -> NDArray[np.float32]:
    return ROOM * np.float32(0.5 if time >= JUMP else 1.0)


def lighter_haze(time: float) -> NDArray[np.float32]:
    return ROOM + np.float32(40 if time >= JUMP else 0)


def lamp_on_one_side(time: float) -> NDArray[np.float32]:
    falloff = np.linspace(2.2, 1.0, WIDTH, dtype=np.float32)[None, :, None]
    return ROOM * (falloff if time >= JUMP else np.float32(1))


def exposure_that_settles(time: float) -> NDArray[np.float32]:
    return ROOM * np.float32(1.0 + 0.7 * np.exp(-(time - JUMP) / 0.2) if time >= JUMP else 1.0)


def flicker(time: float) -> NDArray[np.float32]:
    return ROOM * np.float32(1 + 0.1 * np.sin(time * 31))


def dusk(time: float) -> NDArray[np.float32]:
    return ROOM * np.float32(1 - 0.6 * time / SECONDS)


def cloud(time: float) -> NDArray[np.float32]:
    edge = np.clip((np.arange(WIDTH) - WIDTH * (time - 1) / 3) / 120, 0, 1)[None, :, None]
    return ROOM * (0.65 + 0.35 * edge).astype(np.float32)


def moving_shadow(time: float) -> NDArray[np.float32]:
    picture = ROOM.copy()
    if time >= 1:
        left = int(20 + 50 * (time - 1))
        picture[120:200, left : left + 40] *= 0.65
    return picture


NO_MOTION = (
    still, noisy, brighter, darker, lighter_haze, lamp_on_one_side, exposure_that_settles,
    flicker, dusk, cloud, moving_shadow,
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("paint", NO_MOTION, ids=lambda paint: paint.__name__)
def test_light_shadow_and_noise_are_not_motion(method: str, paint: Painter) -> None:
    detector = create_motion_detector(method, rate=RATE)
    moving = [frame.timestamp for frame in film(paint) if detector.update(frame).moving]
    assert moving == []


# Patches of ten pixels, so that the inside of the square changes as it moves, too.
SQUARE = np.random.default_rng(4).choice([10.0, 240.0], (4, 4, 3)).repeat(10, 0).repeat(10, 1)


def square_at(time: float) -> tuple[int, int, int, int]:
    left = int(20 + 45 * (time - 1))
    return left, 70, left + 40, 110


def with_square(paint: Painter) -> Painter:
    def painted(time: float) -> NDArray[np.float32]:
        picture = paint(time).copy()
        if time >= 1:
            left, top, right, bottom = square_at(time)
            picture[top:bottom, left:right] = SQUARE
        return picture

    return painted


def overlap(first: NDArray[np.float32], second: tuple[int, int, int, int]) -> float:
    other = np.array(second, np.float32)
    sides = np.minimum(first[2:], other[2:]) - np.maximum(first[:2], other[:2])
    both = float(np.prod(np.maximum(sides, 0)))
    return both / float(np.prod(first[2:] - first[:2]) + np.prod(other[2:] - other[:2]) - both)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", [5, 25, 60])
@pytest.mark.parametrize("paint", [still, flicker, dusk], ids=lambda paint: paint.__name__)
def test_a_moving_thing_is_found_where_it_is(method: str, rate: float, paint: Painter) -> None:
    detector = create_motion_detector(method, rate=rate)
    found = []
    for frame in film(with_square(paint), rate=rate, seconds=4):
        result = detector.update(frame)
        if frame.timestamp < 1:
            assert not result.moving
        elif frame.timestamp > 1.6:
            where = square_at(frame.timestamp)
            best = max((overlap(area, where) for area in result.areas), default=0.0)
            found.append(best > (0.6 if method == "mog2" else 0.4))
    assert np.mean(found) > 0.9


def test_the_share_is_what_moves() -> None:
    detector = create_motion_detector("mog2", rate=RATE)
    results = [detector.update(frame) for frame in film(with_square(still), seconds=3)]
    assert results[-1].share == pytest.approx(40 * 40 / (WIDTH * HEIGHT), rel=0.25)
    assert len(results[-1].areas) == 1
    assert results[-1].areas.dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
def test_things_still_move_right_after_the_light_jumped(method: str) -> None:
    detector = create_motion_detector(method, rate=RATE)
    moving = [detector.update(frame).moving for frame in film(with_square(brighter))]
    late = moving[round((JUMP + 1.0) * RATE) :]
    assert np.mean(late) > 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("minimum", "moves"), [(0.002, True), (0.01, True), (0.05, False)])
def test_what_is_smaller_than_the_minimum_area_is_left_out(
    method: str, minimum: float, moves: bool
) -> None:
    detector = create_motion_detector(method, minimum_area=minimum, rate=RATE)
    moving = [detector.update(frame).moving for frame in film(with_square(still), seconds=4)]
    assert any(moving) is moves


@pytest.mark.parametrize("method", METHODS)
def test_something_that_hides_the_whole_picture_is_motion(method: str) -> None:
    other = room(seed=9)[:, ::-1]

    def paint(time: float) -> NDArray[np.float32]:
        return np.roll(other, int(time * 60), axis=1) if time >= JUMP else ROOM

    detector = create_motion_detector(method, rate=RATE)
    results = [detector.update(frame) for frame in film(paint)]
    assert any(result.share > 0.5 for result in results[round(JUMP * RATE) :])


def test_a_thing_that_stops_becomes_background() -> None:
    def paint(time: float) -> NDArray[np.float32]:
        return with_square(still)(min(time, 3.0))

    detector = create_motion_detector("mog2", rate=RATE)
    results = [detector.update(frame) for frame in film(paint, seconds=8)]
    assert results[round(2.9 * RATE)].moving
    assert not results[-1].moving


@pytest.mark.parametrize("method", METHODS)
def test_pictures_of_any_size_are_taken(method: str) -> None:
    detector = create_motion_detector(method, rate=RATE)
    for size in ((1, 1), (3, 1000), (271, 479), (1081, 1919)):
        for index in range(8):
            image = np.full((*size, 3), 90, np.uint8)
            assert not detector.update(frame_of(image, index / RATE)).moving


def test_areas_are_in_pixels_of_the_frame() -> None:
    detector = create_motion_detector("mog2", rate=RATE)
    large = [
        frame_of(np.asarray(cv2.resize(frame.image, None, fx=4, fy=4), np.uint8), frame.timestamp)
        for frame in film(with_square(still), seconds=2)
    ]
    result = [detector.update(frame) for frame in large][-1]
    left, top, right, bottom = square_at(large[-1].timestamp)
    assert overlap(result.areas[0], (left * 4, top * 4, right * 4, bottom * 4)) > 0.6


def test_two_detectors_share_nothing() -> None:
    first, second = (create_motion_detector("mog2", rate=RATE) for _ in range(2))
    frames = list(film(with_square(still), seconds=2))
    alone = [first.update(frame).share for frame in frames]
    first.reset()
    mixed = []
    for frame, other in zip(frames, film(noisy, seconds=2), strict=True):
        mixed.append(first.update(frame).share)
        second.update(other)
    assert mixed == alone


@pytest.mark.parametrize(
    ("method", "minimum", "code"),
    [
        ("optical", 0.01, "unknown_motion_method"),
        ("mog2", 0.0, "bad_minimum_area"),
        ("mog2", 1.5, "bad_minimum_area"),
        ("difference", float("nan"), "bad_minimum_area"),
    ],
)
def test_what_cannot_be_made_is_refused(method: str, minimum: float, code: str) -> None:
    with pytest.raises(VisionError) as caught:
        create_motion_detector(method, minimum_area=minimum)
    assert caught.value.code == code


# What holds at 10 frames a second, as spans of seconds, and the intervals that come of it.
@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(1, 2)], [(1, 2)]),
        ([(1, 1.2)], []),
        ([(1, 1.2), (1.5, 1.7)], [(1, 1.7)]),
        ([(1, 2), (2.8, 3)], [(1, 3)]),
        ([(1, 2), (4, 5)], [(1, 2), (4, 5)]),
        ([(8, 10)], [(8, 10)]),
    ],
    ids=["empty", "one", "too-short", "short-joined", "gap-joined", "two", "open-end"],
)
def test_intervals_are_joined_and_short_ones_left_out(
    spans: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    machine = IntervalMachine(minimum=0.3, gap=1.0)
    found = [
        machine.update(any(start <= tick < end for start, end in spans), tick)
        for tick in np.arange(0, 10, 0.1).round(3).tolist()
    ]
    ended = [item for item in [*found, machine.finish()] if item is not None]
    assert [(item.start, pytest.approx(item.end)) for item in ended] == expected


def test_a_single_frame_of_a_slow_source_counts_until_the_next() -> None:
    machine = IntervalMachine()
    ended = [machine.update(tick == 2, float(tick)) for tick in range(6)]
    assert [item for item in ended if item] == [Interval(2.0, 3.0)]


def test_a_source_that_was_away_ends_what_was_going_on() -> None:
    machine = IntervalMachine()
    for tick in (0.0, 0.5, 1.0):
        assert machine.update(True, tick) is None
    assert machine.update(True, 600.0) == Interval(0.0, 2.0)
    assert machine.open == Interval(600.0, 600.0)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans()), max_size=60))
def test_intervals_are_ordered_and_apart(steps: list[tuple[float, bool]]) -> None:
    machine, now, found = IntervalMachine(minimum=0.3, gap=1.0), 0.0, []
    for step, holds in steps:
        now += step
        found.append(machine.update(holds, now))
    ended = [item for item in [*found, machine.finish()] if item is not None]
    assert all(item.duration >= 0.3 - 1e-5 for item in ended)
    assert all(first.end + 1.0 < second.start for first, second in pairwise(ended))


def test_an_event_has_its_peak_and_a_thumbnail() -> None:
    events, done = MotionEvents(), []
    for index, share in enumerate([0, 0.1, 0.3, 0.1, 0.1, 0.1, *[0] * 15]):
        image = np.full((480, 640, 3), index, np.uint8)
        done += events.add(result_of(share), frame_of(image, index / 10, index))
    assert events.finish() == []
    (event,) = done
    assert (event.start, event.end) == (0.1, pytest.approx(0.6))
    assert (event.peak_share, event.peak_time) == (0.3, 0.2)
    assert event.peak_area.tolist() == [0, 0, 10, 20]
    assert event.picture is not None
    assert event.picture.shape == (240, 320, 3)
    assert event.picture.max() == 2


def test_the_next_event_has_a_peak_of_its_own() -> None:
    events, done = MotionEvents(pictures=False), []
    for index, share in enumerate([0.5] * 5 + [0] * 15 + [0.2] * 5):
        done += events.add(result_of(share), frame_of(np.zeros((8, 8, 3), np.uint8), index / 10))
    assert events.current is not None
    done += events.finish()
    assert [event.peak_share for event in done] == [0.5, 0.2]
    assert [event.picture for event in done] == [None, None]
    assert events.current is None


def test_an_event_right_after_a_pause_of_the_source_is_a_new_one() -> None:
    events = MotionEvents(pictures=False)
    image = np.zeros((8, 8, 3), np.uint8)
    for tick in (0.0, 0.2, 0.4):
        assert events.add(result_of(0.4), frame_of(image, tick)) == []
    (event,) = events.add(result_of(0.1), frame_of(image, 100.0))
    assert event.peak_share == 0.4
    assert events.current is not None
    assert events.current.peak_share == 0.1


def test_a_gate_rests_while_nothing_moves_and_looks_now_and_then() -> None:
    gate = MotionGate(hold=2.0, every=3.0)
    image = np.zeros((8, 8, 3), np.uint8)
    looked = [
        tick
        for tick in range(200)
        if gate.update(result_of(0.1 if 50 <= tick < 60 else 0), frame_of(image, tick / 10))
    ]
    assert looked == [0, 30, *range(50, 79), 108, 138, 168, 198]
    assert (gate.looked, gate.rested) == (len(looked), 200 - len(looked))


def test_a_gate_looks_when_time_jumps_back() -> None:
    gate = MotionGate()
    image = np.zeros((8, 8, 3), np.uint8)
    assert gate.update(result_of(0), frame_of(image, 100.0))
    assert not gate.update(result_of(0), frame_of(image, 101.0))
    assert gate.update(result_of(0), frame_of(image, 0.0))


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_real_clip_moves_while_people_pass(method: str, test_data: Path) -> None:
    video = cv2.VideoCapture(str(test_data / "videos" / "one-by-one-person-detection.mp4"))
    detector, events = create_motion_detector(method, rate=10), MotionEvents()
    done, moving = [], []
    for index in range(600):
        image = video.read()[1]
        frame = frame_of(np.asarray(image, np.uint8), index / 10, index)
        result = detector.update(frame)
        moving.append(result.moving)
        done += events.add(result, frame)
    video.release()
    # In the first minute people pass at about 6, 18, 23, 43 and 50 seconds, and the last enters.
    assert 0.2 < np.mean(moving) < 0.4
    for second in (7, 19, 24, 44, 52):
        assert any(event.start <= second <= event.end for event in done)
    assert len(done) <= 7
    assert not any(moving[280:420])


@pytest.mark.slow
def test_a_gate_is_open_while_anybody_is_in_view_and_the_scene_is_still_otherwise() -> None:
    scene = replace(quiet_scene(seed=2, seconds=160, rate=5), pause=1.5, drift=0.3)
    detector, gate, empty = create_motion_detector("mog2", rate=5), MotionGate(), []
    people: dict[int, list[bool]] = {}
    for frame, truth in scene:
        result = detector.update(frame)
        looked = gate.update(result, frame)
        for person in truth.ids[truth.visible > 0.5].tolist():
            people.setdefault(person, []).append(looked)
        if not len(truth):
            empty.append(result.moving)
    assert len(people) >= 5
    assert all(np.mean(looked) > 0.95 for looked in people.values())
    assert not any(empty)

"""Crossings of lines: each counts once, in its direction, and jitter counts nothing."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.scenes import (
    HEIGHT,
    RATE,
    WIDTH,
    People,
    Place,
    make_frame,
    make_people,
    of_kind,
    walk,
    watch,
)
from vision.analytics.regions import CountingLine
from vision.analytics.watcher import SceneEvent, SceneWatcher

# Across the picture at half its height, 240 pixels; forward is down.
LEVEL = CountingLine("level", (0.25, 0.5), (0.75, 0.5))
UPRIGHT = CountingLine("upright", (0.5, 0.1), (0.5, 0.9))
SLOPE = CountingLine("slope", (0.2, 0.2), (0.8, 0.8))


def crossings(
    moments: Sequence[People],
    *lines: CountingLine,
    rate: float = RATE,
    tall: float = 100.0,
    patience: float = 2.0,
) -> list[SceneEvent]:
    watcher = SceneWatcher([], lines or [LEVEL], patience=patience)
    return of_kind(watch(watcher, moments, rate=rate, tall=tall), "crossing")


def directions(events: Sequence[SceneEvent]) -> list[str]:
    return [event.direction for event in events]


@pytest.mark.parametrize(
    ("line", "places", "expected"),
    [
        (LEVEL, [(320, 150), (320, 350)], ["forward"]),
        (LEVEL, [(320, 350), (320, 150)], ["backward"]),
        (CountingLine("turned", LEVEL.end, LEVEL.start), [(320, 150), (320, 350)], ["backward"]),
        # Upwards is the upright line turned round: its right is then on the right.
        (UPRIGHT, [(200, 200), (450, 200)], ["backward"]),
        (CountingLine("up", (0.5, 0.9), (0.5, 0.1)), [(200, 200), (450, 200)], ["forward"]),
        (LEVEL, [(200, 120), (440, 360)], ["forward"]),
        (SLOPE, [(200, 330), (400, 150)], ["backward"]),
        (LEVEL, [(320, 150), (320, 350), (320, 150)], ["forward", "backward"]),
        (LEVEL, [(320, 150), (320, 350)] * 3, ["forward", "backward"] * 2 + ["forward"]),
        (LEVEL, [(320, 150), (320, 235), (320, 150)], []),
        (LEVEL, [(320, 150), (320, 245), (320, 150)], []),
        # Past the ends of the line.
        (LEVEL, [(120, 150), (120, 350)], []),
        (LEVEL, [(520, 350), (520, 150)], []),
        # Around an end, and back across the line.
        (LEVEL, [(320, 150), (100, 150), (100, 350), (320, 350), (320, 150)], ["backward"]),
        # Along the line, and just beside it.
        (LEVEL, [(180, 240), (460, 240)], []),
        (LEVEL, [(180, 236), (460, 244), (180, 236)], []),
        # From the line, or onto it.
        (LEVEL, [(320, 240), (320, 350)], []),
        (LEVEL, [(320, 240), (320, 150)], []),
        (LEVEL, [(320, 150), (320, 240)], []),
        # From so near to it that only half the band tells the side, or not even that.
        (LEVEL, [(320, 232), (320, 350)], ["forward"]),
        (LEVEL, [(320, 237), (320, 350)], []),
        # Right through the end points, which belong to the line.
        (LEVEL, [(160, 150), (160, 350)], ["forward"]),
        (LEVEL, [(480, 350), (480, 150)], ["backward"]),
        (LEVEL, [(320, 150)], []),
    ],
)
def test_a_walk(line: CountingLine, places: list[Place], expected: list[str]) -> None:
    assert directions(crossings(walk(*places), line)) == expected


def test_nobody() -> None:
    assert crossings([]) == []
    assert crossings([{}] * 30) == []


def test_the_time_is_that_on_the_line_and_the_rest_is_told() -> None:
    # 80 pixels a second from 150: at 240 after 1.125 seconds.
    (event,) = crossings(walk((320, 150), (320, 350)))
    assert event.start == event.end == pytest.approx(1.125)
    assert (event.region, event.phase, event.track_id) == ("level", "end", 1)
    assert (event.class_name, event.value) == ("person", None)
    assert event.confidence == pytest.approx(0.8)
    assert event.box is not None
    assert 250 < event.box[3] < 290


@pytest.mark.parametrize("rate", [2.0, 5.0, 10.0, 12.0, 30.0])
def test_the_time_does_not_depend_on_the_rate(rate: float) -> None:
    down = walk((320, 150), (320, 350), speed=100, rate=rate)
    (event,) = crossings(down, rate=rate, patience=3.0)
    assert event.start == pytest.approx(0.9)


@pytest.mark.parametrize("tall", [30.0, 100.0, 300.0])
@pytest.mark.parametrize("share", [0.01, 0.02, 0.04], ids=["still", "usual", "restless"])
@pytest.mark.parametrize("slow", [False, True], ids=["white", "slow"])
@pytest.mark.parametrize("seed", range(2))
def test_jitter_on_a_line_counts_at_most_once_in_a_minute(
    tall: float, share: float, slow: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, share * tall, (600, 2))
    if slow:  # the same spread, but one frame resembles the next
        for at in range(1, 600):
            noise[at] = 0.8 * noise[at - 1] + 0.6 * noise[at]
    moments = [{1: (320 + x, 240 + y)} for x, y in noise.tolist()]
    assert len(crossings(moments, tall=tall)) <= 1


def test_several_pixels_back_and_forth_on_a_line_count_nothing() -> None:
    rng = np.random.default_rng(0)
    for reach in (1, 3, 5, 8):
        moments = [{1: (320.0, 240 + step)} for step in rng.uniform(-reach, reach, 600).tolist()]
        assert crossings(moments) == []
        assert crossings([{1: (320.0, 240.0 + reach * (-1) ** k)} for k in range(600)]) == []


@pytest.mark.parametrize("wild", [1, 2], ids=["one frame", "two frames"])
def test_a_false_box_beyond_the_line_counts_nothing(wild: int) -> None:
    moments: list[People] = [{1: (320.0, 200.0)}] * 60
    moments[30 : 30 + wild] = [{1: (320.0, 300.0)}] * wild
    assert crossings(moments) == []


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([{1: (320, 150)}] * 3 + [{1: (320, 400)}] * 5, ["forward"]),
        ([{1: (320, 150)}] + [{1: (320, 400)}] * 5, ["forward"]),
        ([{1: (320, 400)}, {1: (320, 150)}], ["backward"]),
        ([{1: (320, 150)}, {1: (320, 400)}] + [{}] * 30, ["forward"]),
    ],
    ids=["watched", "first frame", "two frames", "gone at once"],
)
def test_who_jumps_over_in_one_frame_counts(moments: list[People], expected: list[str]) -> None:
    (event,) = crossings(moments)
    assert [event.direction] == expected


@pytest.mark.parametrize("rate", [1.0, 3.0, 10.0, 25.0])
def test_a_slow_source_counts_too(rate: float) -> None:
    there = walk((320, 100), (320, 400), (320, 100), speed=60, rate=rate)
    found = directions(crossings(there, rate=rate, patience=5.0))
    assert found == ["forward", "backward"]


@pytest.mark.parametrize("track", [1, 7], ids=["same number", "another number"])
@pytest.mark.parametrize("gap", [3, 10, 15])
def test_who_is_lost_at_the_line_and_comes_back_counts_once(track: int, gap: int) -> None:
    path = walk((320, 180), (320, 340), speed=60)
    at = next(k for k, people in enumerate(path) if people[1][1] > 230)
    moments = path[:at] + [{}] * gap
    moments += [{track: people[1]} for people in path[at + gap :]]
    moments += [{track: (320, 340)}] * 5
    (event,) = crossings(moments)
    assert (event.direction, event.track_id) == ("forward", track)
    assert event.start == pytest.approx(1.0, abs=0.1)


def test_who_comes_back_later_is_somebody_else() -> None:
    moments = [{1: (320, 200)}] * 10 + [{}] * 25 + [{1: (320, 300)}] * 10
    assert crossings(moments) == []


def test_two_lines_at_once_and_two_people() -> None:
    second = CountingLine("second", (0.75, 0.55), (0.25, 0.55))
    down, up = walk((300, 150), (300, 350)), walk((380, 350), (380, 150), track=2)
    moments = [{**one, **other} for one, other in zip(down, up, strict=True)]
    events = crossings(moments, LEVEL, second)
    assert sorted((event.track_id, event.region, event.direction) for event in events) == [
        (1, "level", "forward"),
        (1, "second", "backward"),
        (2, "level", "backward"),
        (2, "second", "forward"),
    ]
    assert len({event.key for event in events}) == 4


def test_predicted_boxes_cross_nothing() -> None:
    watcher = SceneWatcher([], [LEVEL], patience=2.0)
    events = watch(watcher, [{1: (320, 200)}] * 5, finish=False)
    for k in range(5, 15):
        people = make_people({1: (320, 300)}, predicted=True)
        events += watcher.update(people, make_frame(k / RATE))
    events += watch(watcher, [{1: (320, 200)}] * 5, start=1.5)
    assert of_kind(events, "crossing") == []


def test_lines_are_shares_of_any_picture() -> None:
    watcher = SceneWatcher([], [LEVEL], patience=2.0)
    events = []
    for k, y in enumerate(np.linspace(0.3, 0.8, 30).tolist()):
        people = make_people({1: (960.0, 1080 * y)}, tall=200)
        events += watcher.update(people, make_frame(k / RATE, (1920, 1080)))
    assert directions(of_kind(events, "crossing")) == ["forward"]


# Steps within the ends of LEVEL, and all the way across the picture.
steps = st.lists(st.tuples(st.floats(170, 470), st.floats(20, HEIGHT)), min_size=1, max_size=40)
rates = st.sampled_from([1.0, 4.0, 10.0, 30.0])


@settings(max_examples=60, deadline=None)
@given(steps, rates)
def test_forward_minus_backward_is_the_change_of_sides(places: list[Place], rate: float) -> None:
    moments: list[People] = [{1: (320.0, 100.0)}]
    moments += [{1: place} for place in places]
    for end, net in ((100.0, 0), (400.0, 1)):
        found = directions(crossings([*moments, {1: (320.0, end)}], rate=rate, patience=3.0))
        assert found.count("forward") - found.count("backward") == net
        # One of a direction is only followed by one of the other.
        assert all(one != other for one, other in itertools.pairwise(found))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, WIDTH), st.floats(20, HEIGHT)), max_size=40))
def test_directions_reverse_with_the_line(places: list[Place]) -> None:
    moments: list[People] = [{1: place} for place in places]
    turned = CountingLine("turned", LEVEL.end, LEVEL.start)
    events = crossings(moments, LEVEL, turned)
    ahead = [(e.start, e.direction) for e in events if e.region == "level"]
    back = [(e.start, e.direction) for e in events if e.region == "turned"]
    other = {"forward": "backward", "backward": "forward"}
    assert [(pytest.approx(at), other[way]) for at, way in back] == ahead

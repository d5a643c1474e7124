"""Entries, stays, exits and occupancy of zones: once for each visit, at the times of the border."""

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
from vision.analytics.regions import Zone
from vision.analytics.watcher import SceneEvent, SceneWatcher

# 160..480 x 144..336 pixels.
TABLE = Zone("table", np.array([[0.25, 0.3], [0.75, 0.3], [0.75, 0.7], [0.25, 0.7]]), 3.0)
# Left of it, with an edge in common.
CORNER = Zone("corner", np.array([[0.0, 0.3], [0.25, 0.3], [0.25, 0.7], [0.0, 0.7]]), 3.0)
INSIDE, OUTSIDE = (320.0, 240.0), (320.0, 440.0)


def visits(
    moments: Sequence[People],
    *zones: Zone,
    rate: float = RATE,
    tall: float = 100.0,
    patience: float = 2.0,
) -> list[SceneEvent]:
    watcher = SceneWatcher(zones or [TABLE], [], patience=patience)
    return watch(watcher, moments, rate=rate, tall=tall)


def told(events: Sequence[SceneEvent], *kinds: str) -> list[tuple[str, str, str | None]]:
    chosen = of_kind(events, *(kinds or ("entry", "dwell", "exit")))
    return [(event.kind, event.phase, event.region) for event in chosen]


def at(place: Place, seconds: float, rate: float = RATE, track: int = 1) -> list[People]:
    return [{track: place}] * round(seconds * rate)


def test_nobody() -> None:
    assert visits([]) == []
    assert visits([{}] * 50) == []
    assert visits(at(OUTSIDE, 5.0)) == []


def test_a_short_visit_is_an_entry_and_an_exit_at_the_border() -> None:
    # 80 pixels a second: over the lower border (336) after 1.3 seconds, and back 2.4 later.
    events = visits(walk(OUTSIDE, (320, 240), OUTSIDE))
    assert told(events) == [("entry", "end", "table"), ("exit", "end", "table")]
    entry, way_out = of_kind(events, "entry", "exit")
    assert (entry.start, way_out.start) == pytest.approx((1.3, 3.7))
    assert entry.end == entry.start
    assert (entry.track_id, entry.class_name, entry.direction) == (1, "person", "")
    assert entry.box is not None


@pytest.mark.parametrize("rate", [2.0, 10.0, 25.0])
def test_a_stay_begins_with_the_entry_and_lasts_until_the_exit(rate: float) -> None:
    there = walk(OUTSIDE, INSIDE, speed=100, rate=rate)
    back = walk(INSIDE, OUTSIDE, speed=100, rate=rate)[1:]
    events = visits(there + at(INSIDE, 13.0, rate) + back, rate=rate, patience=3.0)
    dwell = of_kind(events, "dwell")
    assert [event.phase for event in dwell] == ["start", "update", "update", "end"]
    assert len({event.key for event in dwell}) == 1
    assert [event.start for event in dwell] == pytest.approx([1.04] * 4)
    (entry,), (way_out,) = of_kind(events, "entry"), of_kind(events, "exit")
    assert dwell[-1].end == way_out.start
    assert dwell[-1].value == pytest.approx(way_out.start - entry.start)
    assert dwell[-1].value == pytest.approx(13.0 + 2 * 0.96)
    values = [event.value or 0.0 for event in dwell[:3]]
    assert values[0] == pytest.approx(3.0, abs=1.01 / rate)
    assert all(b - a >= 5.0 - 1e-6 for a, b in itertools.pairwise(values))
    assert [event.end for event in dwell[:3]] == [None] * 3


@pytest.mark.parametrize(("seconds", "stays"), [(2.9, False), (3.3, True)])
def test_only_a_long_stay_is_a_dwell(seconds: float, stays: bool) -> None:
    events = visits([*at(INSIDE, seconds), *at(OUTSIDE, 1.0)])
    assert bool(of_kind(events, "dwell")) == stays
    assert told(events, "entry", "exit") == [("entry", "end", "table"), ("exit", "end", "table")]


def test_a_threshold_of_nothing_makes_every_visit_a_dwell() -> None:
    zone = Zone("z", TABLE.polygon, 0.0)
    events = visits([*at(INSIDE, 1.0), *at(OUTSIDE, 1.0)], zone)
    assert told(events) == [
        ("entry", "end", "z"), ("dwell", "start", "z"), ("dwell", "end", "z"), ("exit", "end", "z"),
    ]  # fmt: skip


def test_a_slow_source_tells_of_a_stay_that_it_saw_too_late() -> None:
    zone = Zone("z", TABLE.polygon, 7.0)
    moments: list[People] = [{1: OUTSIDE}, {1: INSIDE}, {1: INSIDE}, {1: OUTSIDE}, {1: OUTSIDE}]
    events = visits(moments, zone, rate=0.25, patience=14.0)
    assert [event.phase for event in of_kind(events, "dwell")] == ["start", "end"]
    assert of_kind(events, "dwell")[-1].value == pytest.approx(8.0, abs=1.0)


@pytest.mark.parametrize("share", [0.01, 0.02])
@pytest.mark.parametrize("offset", [-3.0, 0.0, 3.0])
@pytest.mark.parametrize("seed", range(3))
def test_jitter_on_a_border_is_one_visit_at_most(share: float, offset: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 100 * share, (600, 2))
    moments: list[People] = [{1: (320 + x, 336 + offset + y)} for x, y in noise.tolist()]
    assert len(of_kind(visits(moments), "entry")) <= 1


@pytest.mark.parametrize("place", [INSIDE, OUTSIDE], ids=["inside", "outside"])
def test_false_boxes_neither_end_a_visit_nor_begin_one(place: Place) -> None:
    moments = at(place, 6.0)
    other: People = {1: OUTSIDE if place == INSIDE else INSIDE}
    moments[20] = moments[30] = moments[31] = other
    events = visits(moments)
    assert len(of_kind(events, "entry", "exit")) == (2 if place == INSIDE else 0)


def test_from_one_zone_into_the_next() -> None:
    events = visits(walk((20, 240), (300, 240)), TABLE, CORNER)
    assert told(events, "entry", "exit") == [
        ("entry", "end", "corner"),
        ("entry", "end", "table"),
        ("exit", "end", "corner"),
        ("exit", "end", "table"),
    ] or told(events, "entry", "exit") == [
        ("entry", "end", "corner"),
        ("exit", "end", "corner"),
        ("entry", "end", "table"),
        ("exit", "end", "table"),
    ]
    leaves, comes = of_kind(events, "exit")[0], of_kind(events, "entry")[1]
    assert leaves.start == pytest.approx(comes.start)
    assert of_kind(events, "entry")[0].start == 0.0


def test_who_appears_in_a_zone_enters_it_and_who_vanishes_leaves_it() -> None:
    events = visits([*[{}] * 10, *at(INSIDE, 5.0), *[{}] * 40])
    assert told(events) == [
        ("entry", "end", "table"),
        ("dwell", "start", "table"),
        ("dwell", "end", "table"),
        ("exit", "end", "table"),
    ]
    entry, _, dwell, way_out = of_kind(events, "entry", "dwell", "exit")
    assert entry.start == pytest.approx(1.0)
    assert way_out.start == dwell.end == pytest.approx(5.9)  # the last sighting


@pytest.mark.parametrize(("gap", "visits_made"), [(0.3, 1), (1.9, 1), (2.2, 2)])
@pytest.mark.parametrize("track", [1, 9], ids=["same number", "another number"])
def test_a_gap_within_patience_is_no_exit(gap: float, visits_made: int, track: int) -> None:
    moments = [*at(INSIDE, 4.0), *[{}] * round(gap * RATE), *at(INSIDE, 4.0, track=track)]
    events = visits(moments)
    assert len(of_kind(events, "entry")) == len(of_kind(events, "exit")) == visits_made
    dwell = [event for event in of_kind(events, "dwell") if event.phase == "end"]
    assert len(dwell) == visits_made
    if visits_made == 1:
        assert dwell[0].value == pytest.approx(7.9 + gap)
        assert {event.track_id for event in of_kind(events, "entry", "dwell", "exit")} == {1}


def test_an_exit_is_not_stitched_when_the_other_is_far_or_of_another_kind() -> None:
    for found in (make_people({2: (180, 180)}), make_people({2: INSIDE}, name="car")):
        watcher = SceneWatcher([TABLE], [], patience=2.0)
        events = watch(watcher, at(INSIDE, 2.0), finish=False)
        for k in range(30):
            events += watcher.update(found, make_frame(2.0 + k / RATE))
        events += watcher.finish()
        assert [event.track_id for event in of_kind(events, "entry")] == [1, 2]


def test_who_leaves_at_the_edge_is_not_who_comes_there_a_second_later() -> None:
    moments = [*at((17.0, 240.0), 1.0), *[{}] * 8, *at((17.0, 240.0), 1.0, track=2)]
    events = visits(moments, CORNER)
    assert [event.track_id for event in of_kind(events, "entry")] == [1, 2]


def test_people_cut_off_by_the_edge_are_in_a_zone_that_reaches_it() -> None:
    floor = Zone("floor", np.array([[0.0, 0.6], [1.0, 0.6], [1.0, 1.0], [0.0, 1.0]]), 3.0)
    for x in (20.0, 320.0, WIDTH - 20.0):
        events = visits(at((x, float(HEIGHT)), 4.0), floor)
        assert len(of_kind(events, "entry", "exit")) == 2


def test_a_zone_narrower_than_the_doubt_can_be_entered() -> None:
    slot = Zone("slot", np.array([[0.2, 0.5], [0.8, 0.5], [0.8, 0.53], [0.2, 0.53]]), 1.0)
    events = visits(at((320, 247), 3.0), slot, tall=300.0)
    assert len(of_kind(events, "dwell")) == 2


@pytest.mark.parametrize(
    ("moments", "peaks", "span"),
    [
        (at(INSIDE, 3.0) + [{}] * 30, [1], (0.0, 2.9)),
        ([{1: INSIDE, 2: (200.0, 240.0)}] * 30, [2], (0.0, 2.9)),
        (
            at(INSIDE, 1.0) + [{1: INSIDE, 2: (200.0, 240.0)}] * 20 + at(INSIDE, 6.0),
            [1, 2, 2],
            (0.0, 8.9),
        ),
        # One is gone when the other comes, though his patience has not run out.
        (
            at(INSIDE, 2.0) + [{}] * 10 + at((200.0, 200.0), 3.0, track=2),
            [1, 1],
            (0.0, 5.9),
        ),
    ],
    ids=["one", "two at once", "one after the other", "one for the other"],
)
def test_occupancy(moments: list[People], peaks: list[int], span: tuple[float, float]) -> None:
    events = of_kind(visits(moments), "occupancy")
    assert events[0].phase == "start"
    assert events[-1].phase == "end"
    assert [event.value for event in events[: len(peaks)]] == peaks
    assert events[-1].value == max(peaks)
    assert len({event.key for event in events}) == 1
    assert (events[-1].start, events[-1].end) == pytest.approx(span)
    assert all(event.track_id is None and event.box is None for event in events)


def test_occupancy_ends_and_begins_again() -> None:
    events = of_kind(visits([*at(INSIDE, 2.0), *[{}] * 30, *at(INSIDE, 2.0)]), "occupancy")
    assert [event.phase for event in events] == ["start", "end"] * 2
    assert len({event.key for event in events}) == 2


def test_without_zones_the_whole_picture_is_one() -> None:
    watcher = SceneWatcher([], [], patience=2.0)
    events = watch(watcher, at((10.0, 105.0), 12.0) + [{}] * 25, finish=False)
    assert told(events) == [
        ("entry", "end", None),
        ("dwell", "start", None),
        ("dwell", "end", None),
        ("exit", "end", None),
    ]
    assert of_kind(events, "exit")[0].start == pytest.approx(11.9)
    assert watcher.occupancy == {None: 0}
    assert watcher.finish() == []


places = st.tuples(st.floats(0, WIDTH), st.floats(20, HEIGHT))
paths = st.lists(st.none() | places, max_size=60)


@settings(max_examples=60, deadline=None)
@given(paths, paths, st.sampled_from([1.0, 5.0, 10.0]))
def test_every_event_has_one_end(
    first: list[Place | None], second: list[Place | None], rate: float
) -> None:
    moments: list[People] = []
    for k in range(max(len(first), len(second))):
        now = {1: first[k : k + 1], 2: second[k : k + 1]}
        moments.append({track: found[0] for track, found in now.items() if found and found[0]})
    events = visits(moments, TABLE, CORNER, rate=rate, patience=3.5)
    for zone in ("table", "corner"):
        here = [event for event in events if event.region == zone]
        assert len(of_kind(here, "entry")) == len(of_kind(here, "exit"))
        ends = {event.key: event for event in here if event.phase == "end"}
        for event in here:
            assert event.key in ends
            assert ends[event.key].end >= event.start
        starts = [e.key for e in here if e.phase == "start"]
        assert len(starts) == len(set(starts))

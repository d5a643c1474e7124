"""Scoring live events: hand-made cases, and the shop as a perfect detector sees it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vision.analytics.watcher import SceneEvent
from vision.evaluation.live import (
    Announced,
    EventScore,
    TrueEvent,
    pool,
    score_events,
    score_occupancy,
)
from vision.evaluation.live_shop import (
    LOW_NOISE,
    NOISES,
    evaluate_shop,
    true_events,
)
from vision.synthetic.shop import Shop, view_named
from vision.synthetic.shop.happenings import happenings_of


def crossed(time: float, direction: Any = "forward", *, line: str = "Door") -> TrueEvent:
    return TrueEvent("crossing", line, direction, time, 0.0, time)


def dwelt(start: float, seconds: float, *, threshold: float = 5.0) -> TrueEvent:
    return TrueEvent("dwell", "Till", "", start, seconds, start + threshold)


def told(key: int, kind: Any, start: float, at: float, **more: Any) -> Announced:
    event = SceneEvent(
        key=key,
        kind=kind,
        phase="end",
        region="Door" if kind == "crossing" else "Till",
        direction="forward" if kind == "crossing" else "",
        track_id=1,
        class_name="person",
        start=start,
        end=start,
        value=None,
        box=None,
        confidence=None,
    )
    return Announced(replace(event, **more), at)


def only(scores: list[EventScore]) -> EventScore:
    (score,) = scores
    return score


def test_nothing_true_and_nothing_found_is_no_score() -> None:
    assert score_events([], []) == []
    assert pool([]) == []


@pytest.mark.parametrize(
    ("true", "found", "expected"),
    [
        pytest.param([10.0], [10.1], (1, 1, 0, 0), id="right"),
        pytest.param([10.0], [], (1, 0, 1, 0), id="missed"),
        pytest.param([], [10.0], (0, 1, 0, 1), id="extra"),
        pytest.param([10.0], [10.1, 10.3], (1, 2, 0, 1), id="counted twice"),
        pytest.param([10.0], [12.5], (1, 1, 1, 1), id="too far off"),
        pytest.param([10.0, 11.0], [10.9], (2, 1, 1, 0), id="one of two"),
        pytest.param([10.0, 11.5], [11.4, 12.9], (2, 2, 0, 0), id="both, though the second fits"),
    ],
)
def test_a_found_event_answers_one_true_one(
    true: list[float], found: list[float], expected: tuple[int, ...]
) -> None:
    announced = [told(key, "crossing", time, time) for key, time in enumerate(found)]
    score = only(score_events([crossed(time) for time in true], announced))
    assert (score.true, score.found, score.missed, score.extra) == expected
    assert score.error == len(found) - len(true)
    assert score.is_exact == (expected[2:] == (0, 0))


def test_the_other_direction_and_the_other_line_are_something_else() -> None:
    scores = score_events(
        [crossed(10.0), crossed(20.0, line="Gate")],
        [told(1, "crossing", 10.0, 10.0, direction="backward")],
    )
    rows = [(score.region, score.direction, score.missed, score.extra) for score in scores]
    assert rows == [
        ("Door", "backward", 0, 1),
        ("Door", "forward", 1, 0),
        ("Gate", "forward", 1, 0),
    ]


def test_errors_and_latency_are_in_seconds() -> None:
    score = only(score_events([crossed(10.0)], [told(1, "crossing", 9.8, 10.6)]))
    assert score.time_errors == pytest.approx((-0.2,))
    assert score.latencies == pytest.approx((0.6,))
    assert score.dwell_errors == ()


def test_a_dwell_is_put_together_from_its_phases() -> None:
    announced = [
        told(7, "dwell", 10.1, 15.2, phase="start", value=5.0, end=None),
        told(7, "dwell", 10.1, 20.2, phase="update", value=10.0, end=None),
        told(7, "dwell", 10.1, 22.4, phase="end", value=11.75, end=21.85),
    ]
    score = only(score_events([dwelt(10.0, 12.0)], announced))
    assert score.is_exact
    assert score.dwell_errors == pytest.approx((-0.25,))
    assert score.latencies == pytest.approx((0.2,))  # 15 s is when five seconds were over


def test_a_dwell_that_was_torn_in_two_is_found_once_and_once_extra() -> None:
    announced = [
        told(1, "dwell", 10.0, 15.0, value=6.0),
        told(2, "dwell", 16.5, 21.5, value=15.0),
    ]
    score = only(score_events([dwelt(10.0, 22.0)], announced))
    assert (score.missed, score.extra) == (0, 1)
    assert score.dwell_errors == pytest.approx((-7.0,))  # the longer part is meant


def test_a_dwell_that_still_goes_on_has_no_length_to_judge() -> None:
    announced = [told(1, "dwell", 10.0, 15.0, phase="start", value=5.0, end=None)]
    score = only(score_events([dwelt(10.0, 30.0)], announced))
    assert score.is_exact
    assert score.dwell_errors == ()


def test_occupancies_and_the_whole_picture_are_left_out() -> None:
    announced = [told(1, "occupancy", 1.0, 1.0, value=2), told(2, "entry", 1.0, 1.0, region=None)]
    assert score_events([], announced) == []


def test_runs_are_pooled_by_kind_region_and_direction() -> None:
    first = score_events([crossed(10.0)], [told(1, "crossing", 10.2, 10.5)])
    second = score_events([crossed(5.0), crossed(9.0, "backward")], [])
    backward, forward = pool([*first, *second])
    assert (backward.true, backward.found, backward.missed) == (1, 0, 1)
    assert (forward.true, forward.found, forward.missed) == (2, 1, 1)
    assert forward.time_errors == pytest.approx((0.2,))


@pytest.mark.parametrize(
    ("true", "found", "expected"),
    [
        pytest.param([], [], (0, 0, 0.0, 0), id="no moments"),
        pytest.param([0, 1, 2, 1], [0, 1, 2, 1], (4, 4, 0.0, 0), id="right"),
        pytest.param([0, 1, 2, 1], [0, 0, 2, 3], (4, 2, 0.75, 2), id="wrong"),
    ],
)
def test_occupancy_is_compared_moment_by_moment(
    true: list[int], found: list[int], expected: tuple[float, ...]
) -> None:
    score = score_occupancy("Till", np.array(true, np.int64), np.array(found, np.int64))
    assert (score.moments, score.right, score.error, score.most) == expected


def test_moments_must_be_the_same() -> None:
    with pytest.raises(ValueError, match="2 true numbers"):
        score_occupancy("Till", np.zeros(2, np.int64), np.zeros(3, np.int64))


def test_true_events_of_a_view_are_entry_exit_and_dwell_of_every_stay() -> None:
    view = view_named("aisle")
    happenings = happenings_of(view, Shop(seed=1).visitors)
    events = true_events(view, happenings)
    stays = happenings.stays
    assert len([event for event in events if event.kind == "entry"]) == len(stays) > 3
    assert sorted(event.time for event in events if event.kind == "exit") == pytest.approx(
        sorted(stay.end for stay in stays)
    )
    for event in events:
        if event.kind == "dwell":
            assert event.seconds >= 5.0
            assert event.due == pytest.approx(event.time + 5.0)


def test_an_empty_shop_scores_nothing() -> None:
    scores = list(evaluate_shop(Shop(seed=1, seconds=2), noise=LOW_NOISE))
    assert [score.camera for score in scores] == ["entrance", "aisle", "checkout", "overlap"]
    assert all(score.events == () for score in scores)
    assert all(row.right == row.moments == 24 for score in scores for row in score.occupancy)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 7])
def test_counts_are_exact_and_dwell_is_within_a_frame_at_low_noise(seed: int) -> None:
    for score in evaluate_shop(Shop(seed=seed), noise=NOISES["low"]):
        assert score.events
        for event in score.events:
            assert event.is_exact, (score.camera, event)
            assert all(abs(error) <= 1 / 12 for error in event.dwell_errors), (score.camera, event)
            assert max(event.latencies) < 1.5


@pytest.mark.slow
def test_a_blind_detector_misses_everything() -> None:
    blind = replace(LOW_NOISE, recall=0.0)
    for score in evaluate_shop(Shop(seed=0, seconds=60), noise=blind):
        assert all(event.found == 0 and event.missed == event.true for event in score.events)
        if score.camera == "entrance":
            assert sum(event.true for event in score.events) > 5

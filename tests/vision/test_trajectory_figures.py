"""What a trajectory says: path, speed, turns, sides."""

import numpy as np
import pytest
from numpy.typing import NDArray
from paths import RATE, make_trajectory

from vision.analytics.trajectories import describe_trajectory
from vision.structures.trajectories import Trajectory

TIMES = np.arange(250) / RATE
JITTER = np.random.default_rng(0).normal(0, 2, (2, 250))


def test_who_stands_goes_nowhere() -> None:
    figures = describe_trajectory(
        make_trajectory(300 + JITTER[0], 200 + JITTER[1]), width=640, height=480
    )
    assert figures.path_length == figures.mean_speed == figures.top_speed == 0
    assert figures.direction_changes == 0
    assert figures.displacement < 10
    assert figures.dwell == pytest.approx(249 / RATE)
    assert (figures.entry_side, figures.exit_side) == ("inside", "inside")


def test_who_walks_through_the_picture() -> None:
    path = make_trajectory(25 + 59 * TIMES + JITTER[0], 200 + JITTER[1])
    figures = describe_trajectory(path, width=640, height=480, metres_per_pixel=0.02)
    assert figures.path_length == pytest.approx(588, rel=0.03)
    assert figures.mean_speed == pytest.approx(59, rel=0.03)
    assert figures.top_speed == pytest.approx(59, rel=0.15)
    assert figures.mean_speed_bh == pytest.approx(59 / 120, rel=0.04)
    assert figures.path_length_bh == pytest.approx(588 / 120, rel=0.04)
    assert figures.mean_speed_mps == pytest.approx(1.18, rel=0.03)
    assert figures.path_length_m == pytest.approx(11.8, rel=0.03)
    assert figures.direction_changes == 0
    assert (figures.entry_side, figures.exit_side) == ("left", "right")


@pytest.mark.parametrize(
    ("x", "y", "turns"),
    [
        (50 + 60 * np.minimum(TIMES, 10 - TIMES), 200 + 0 * TIMES, 1),
        (50 + 60 * np.minimum(TIMES, 5), 100 + 60 * np.maximum(TIMES - 5, 0), 1),
        (50 + 60 * TIMES, 200 + 20 * TIMES, 0),
        (300 + 90 * np.abs((TIMES / 2.5) % 2 - 1) * 2, 200 + 0 * TIMES, 3),
    ],
    ids=["there and back", "round the corner", "straight", "to and fro"],
)
def test_turns(x: NDArray[np.float64], y: NDArray[np.float64], turns: int) -> None:
    path = make_trajectory(x + JITTER[0], y + JITTER[1])
    assert describe_trajectory(path, width=640, height=480).direction_changes == turns


def test_the_top_speed_is_that_of_half_a_second() -> None:
    x = 100 + np.cumsum(np.where((TIMES > 4) & (TIMES < 5), 200, 20)) / RATE
    x[30] += 300  # one wrong box is no sprint
    figures = describe_trajectory(make_trajectory(x, 200), width=640, height=480)
    assert figures.top_speed == pytest.approx(200, rel=0.1)
    assert figures.mean_speed == pytest.approx(38, rel=0.05)


@pytest.mark.parametrize(
    ("start", "end", "sides"),
    [
        ((320, 65), (320, 410), ("top", "bottom")),
        ((610, 240), (300, 240), ("right", "inside")),
        ((300, 240), (30, 240), ("inside", "left")),
        ((30, 418), (300, 418), ("left", "inside")),
    ],
    ids=["down", "from the right", "to the left", "along the lower edge"],
)
def test_sides(start: tuple[int, int], end: tuple[int, int], sides: tuple[str, str]) -> None:
    share = np.linspace(0, 1, 250)[:, None]
    way = np.array(start) * (1 - share) + np.array(end) * share
    figures = describe_trajectory(make_trajectory(way[:, 0], way[:, 1]), width=640, height=480)
    assert (figures.entry_side, figures.exit_side) == sides


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_short_trajectories_have_figures(length: int) -> None:
    path = make_trajectory(np.linspace(100, 130, length), 200)
    figures = describe_trajectory(path, width=640, height=480)
    assert figures.path_length >= 0
    assert np.isfinite(figures.top_speed)
    assert figures.path_length_m is None


@pytest.mark.parametrize("rate", [1, 5, 240])
def test_figures_do_not_depend_on_the_rate(rate: int) -> None:
    times = np.arange(10 * rate + 1) / rate
    figures = describe_trajectory(
        make_trajectory(50 + 50 * times, 200, times), width=640, height=480
    )
    assert figures.path_length == pytest.approx(500, rel=0.03)
    assert figures.top_speed == pytest.approx(50, rel=0.05)
    assert figures.dwell == 10


def test_a_trajectory_with_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="3 times"):
        Trajectory(
            1, 0, "x", np.zeros(3), np.zeros((2, 4), np.float32), np.zeros(3, np.float32),
            np.zeros(3, np.bool_),
        )  # fmt: skip

"""What may be watched, and what is refused with a sentence that helps."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.analytics.regions import (
    LEAST_LENGTH,
    MOST_POINTS,
    CountingLine,
    RegionError,
    check_line,
    check_polygon,
)

SQUARE = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]]


def circle(points: int, radius: float = 0.4) -> list[list[float]]:
    turns = [2 * math.pi * at / points for at in range(points)]
    return [[0.5 + radius * math.cos(turn), 0.5 + radius * math.sin(turn)] for turn in turns]


@pytest.mark.parametrize(
    "points",
    [
        SQUARE,
        [(0, 0), (1, 0), (1, 1), (0, 1)],
        [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]],
        # An L, a U and a corner that points inwards.
        [[0.1, 0.1], [0.3, 0.1], [0.3, 0.6], [0.8, 0.6], [0.8, 0.8], [0.1, 0.8]],
        [[0.1, 0.1], [0.5, 0.4], [0.9, 0.1], [0.5, 0.9]],
        # A point in the middle of an edge.
        [[0.1, 0.1], [0.3, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]],
        circle(MOST_POINTS),
        np.array(SQUARE),
    ],
    ids=["square", "picture", "triangle", "L", "notch", "point on edge", "circle", "array"],
)
def test_what_may_be_watched(points: Any) -> None:
    check_polygon(points)
    check_polygon(points[::-1])


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([], "too_few_points"),
        ([[0.1, 0.1], [0.5, 0.5]], "too_few_points"),
        (circle(MOST_POINTS + 1), "too_many_points"),
        ([[0.1, 0.1], [1.01, 0.1], [0.5, 0.5]], "outside"),
        ([[-0.001, 0.1], [0.5, 0.1], [0.5, 0.5]], "outside"),
        ([[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.5]], "crossing_edges"),
        ([*SQUARE, SQUARE[0]], "crossing_edges"),
        ([[0.1, 0.1], [0.1, 0.1], [0.5, 0.1], [0.5, 0.5]], "crossing_edges"),
        ([[0.1, 0.1], [0.5, 0.1], [0.3, 0.1]], "crossing_edges"),
        ([[0.1, 0.1], [0.9, 0.1], [0.9, 0.5], [0.5, 0.1], [0.1, 0.5]], "crossing_edges"),
        ([[0.1, 0.1], [0.6, 0.1], [0.6, 0.5], [0.4, 0.5], [0.6, 0.3]], "crossing_edges"),
        ([[0.1, 0.1], [0.12, 0.1], [0.11, 0.12]], "no_area"),
        ([[0.1, 0.1], [0.9, 0.1], [0.5, 0.1008]], "no_area"),
        ([[0.1, math.nan], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([[0.1, math.inf], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([["0.1", 0.1], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([[True, 0.1], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([[10**400, 0.1], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([[0.1, 0.1, 0.1], [0.5, 0.1], [0.5, 0.5]], "not_numbers"),
        ([0.1, 0.1, 0.5], "not_numbers"),
        (["ab", "cd", "ef"], "not_numbers"),
        ({"a": 1}, "not_numbers"),
        ("[[0, 0], [1, 0], [1, 1]]", "not_numbers"),
        (None, "not_numbers"),
    ],
)
def test_what_is_no_zone(points: Any, code: str) -> None:
    with pytest.raises(RegionError) as caught:
        check_polygon(points)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("points", "code"),
    [
        ([], "too_few_points"),
        ([[0.1, 0.1]], "too_few_points"),
        ([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], "too_many_points"),
        ([[0.1, 0.1], [0.1, 0.1]], "too_short"),
        ([[0.1, 0.1], [0.1, 0.1 + 0.9 * LEAST_LENGTH]], "too_short"),
        ([[0.1, 0.1], [0.1, 1.1]], "outside"),
        ([[0.1, 0.1], [0.1, math.nan]], "not_numbers"),
        ([[0.1, 0.1], None], "not_numbers"),
    ],
)
def test_what_is_no_line(points: Any, code: str) -> None:
    with pytest.raises(RegionError) as caught:
        check_line(points)
    assert caught.value.code == code


def test_lines_that_may_be_counted_on() -> None:
    line = CountingLine("door", (0.0, 0.5), (1.0, 0.5))
    check_line((line.start, line.end))
    check_line([[0.5, 0.5], [0.5, 0.5 + 1.1 * LEAST_LENGTH]])


def test_the_sentence_names_the_points_as_people_count_them() -> None:
    with pytest.raises(RegionError, match="Points 1 and 5 lie on each other"):
        check_polygon([*SQUARE, SQUARE[0]])
    with pytest.raises(RegionError, match="after points 1 and 3 cross"):
        check_polygon([[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.5]])


share = st.integers(0, 12).map(lambda value: value / 12)
polygons = st.lists(st.tuples(share, share), min_size=3, max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)


@settings(deadline=None)
@given(anything)
def test_nonsense_is_refused_as_a_region_error(points: Any) -> None:
    for check in (check_polygon, check_line):
        try:
            check(points)
        except RegionError as error:
            assert error.message  # noqa: PT017 - any other error fails the test


@settings(deadline=None)
@given(polygons)
def test_crossing_edges_are_found_as_exact_arithmetic_finds_them(
    points: list[tuple[float, float]],
) -> None:
    grid = [(round(x * 12), round(y * 12)) for x, y in points]
    simple = _is_simple(grid)
    try:
        check_polygon(points)
    except RegionError as error:
        assert (error.code == "crossing_edges") == (not simple)  # noqa: PT017
        if simple:
            assert error.code == "no_area"  # noqa: PT017
    else:
        assert simple


@settings(deadline=None)
@given(st.integers(3, MOST_POINTS), st.integers(0, 10_000))
def test_stars_around_a_point_are_zones(points: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turns = np.arange(points) * 2 * math.pi / points
    radius = rng.uniform(0.2, 0.5, points)
    star = 0.5 + radius[:, None] * np.column_stack((np.cos(turns), np.sin(turns)))
    check_polygon(star.tolist())


def _is_simple(corners: list[tuple[int, int]]) -> bool:
    """Compare every pair of edges in whole numbers."""
    count = len(corners)
    if len(set(corners)) < count:
        return False
    edges = [(corners[at], corners[(at + 1) % count]) for at in range(count)]
    for one in range(count):
        for other in range(one + 1, count):
            shared = set(edges[one]) & set(edges[other])
            ends = [(end, edges[other]) for end in edges[one] if end not in shared]
            ends += [(end, edges[one]) for end in edges[other] if end not in shared]
            if any(_on(end, *edge) for end, edge in ends):
                return False
            if not shared and _crosses(*edges[one], *edges[other]):
                return False
    return True


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _on(point: tuple[int, int], a: tuple[int, int], b: tuple[int, int]) -> bool:
    within = min(a[0], b[0]) <= point[0] <= max(a[0], b[0])
    within &= min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
    return within and _turn(a, b, point) == 0


def _crosses(a: Any, b: Any, c: Any, d: Any) -> bool:
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0

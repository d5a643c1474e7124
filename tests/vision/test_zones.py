"""Points in polygons: against exact arithmetic, and what lies on a boundary."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision.analytics.zones import in_polygons, points_in_polygon

SQUARE = np.array([[0, 0], [4, 0], [4, 4], [0, 4]])
BOW_TIE = np.array([[0, 0], [4, 4], [4, 0], [0, 4]])
U_SHAPE = np.array([[0, 0], [6, 0], [6, 6], [4, 6], [4, 2], [2, 2], [2, 6], [0, 6]])

corner = st.tuples(st.integers(-20, 20), st.integers(-20, 20))
polygons = st.lists(corner, min_size=3, max_size=8).map(np.array)
many_points = st.lists(
    st.tuples(st.integers(-80, 80), st.integers(-80, 80)), min_size=1, max_size=40
).map(lambda pairs: np.array(pairs) / 4)


def exactly_inside(point: NDArray[np.float64], polygon: NDArray[np.int64]) -> bool:
    """Cross edges to the right in exact arithmetic; lower and right boundaries are outside."""
    x, y = Fraction(float(point[0])), Fraction(float(point[1]))
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if (y1 <= y) != (y2 <= y):
            crossing = int(x1) + (y - int(y1)) * int(x2 - x1) / int(y2 - y1)
            inside ^= x < crossing
    return inside


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((2, 2), True),
        ((5, 2), False),
        ((0, 2), True),
        ((4, 2), False),
        ((2, 0), True),
        ((2, 4), False),
        ((0, 0), True),
        ((4, 4), False),
        ((np.nan, 2), False),
        ((np.inf, 2), False),
    ],
)
def test_points_of_a_square(point: tuple[float, float], expected: bool) -> None:
    assert points_in_polygon(np.array([point]), SQUARE).tolist() == [expected]


def test_a_crossing_polygon_and_a_concave_one() -> None:
    points = np.array([[2, 1], [1, 2], [3, 2], [2, 3]])
    assert points_in_polygon(points, BOW_TIE).tolist() == [False, True, True, False]
    assert points_in_polygon(np.array([[3, 4], [1, 4], [5, 4], [3, 1]]), U_SHAPE).tolist() == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "polygon",
    [np.empty((0, 2)), SQUARE[:2], np.array([[0, 0], [1, np.nan], [1, 1]])],
    ids=["no corners", "two corners", "not finite"],
)
def test_what_is_no_polygon_holds_nothing(polygon: NDArray[np.float64]) -> None:
    assert not points_in_polygon(np.array([[0.5, 0.5]]), polygon).any()


def test_no_points() -> None:
    assert points_in_polygon(np.empty((0, 2)), SQUARE).shape == (0,)
    assert in_polygons(np.empty((0, 2)), [SQUARE]).shape == (1, 0)
    assert in_polygons(np.zeros((3, 2)), []).shape == (0, 3)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\)"):
        points_in_polygon(np.zeros((3, 3)), SQUARE)


@given(many_points, polygons)
def test_equal_to_exact_arithmetic(points: NDArray[np.float64], polygon: NDArray[np.int64]) -> None:
    expected = [exactly_inside(point, polygon) for point in points]
    assert points_in_polygon(points, polygon).tolist() == expected
    assert points_in_polygon(points.astype(np.float32), polygon).tolist() == expected
    closed = np.concatenate((polygon, polygon[:1]))
    assert points_in_polygon(points, closed).tolist() == expected


@given(many_points, corner, corner)
def test_neighbours_share_no_point_and_leave_none_out(
    points: NDArray[np.float64], low: tuple[int, int], high: tuple[int, int]
) -> None:
    frame = np.array([[-30, -30], [30, -30], [30, 30], [-30, 30]])
    left = np.array([frame[0], low, high, frame[3]])
    right = np.array([low, frame[1], frame[2], high])
    top, bottom = np.array([frame[0], frame[1], low]), np.array([frame[3], high, frame[2]])
    counts = in_polygons(points, [left, right, top, bottom]).sum(axis=0)
    inside = points_in_polygon(points, frame)
    assert ((counts % 2 == 1) == inside).all()


def test_many_points_are_asked_in_pieces() -> None:
    points = np.random.default_rng(1).uniform(-1, 5, (40_000, 2))
    inside = ((points >= 0) & (points < 4)).all(axis=1)
    assert (points_in_polygon(points, SQUARE) == inside).all()

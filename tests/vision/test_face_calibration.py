"""Probabilities of distances: a curve that falls, and that is fitted to data."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import VisionError
from vision.faces.calibration import CALIBRATION, fit, probability


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_the_nearer_the_likelier(a: float, b: float) -> None:
    near, far = sorted((a, b))
    assert 0 <= probability(far) <= probability(near) <= 1


@pytest.mark.parametrize(
    ("distance", "least", "most"),
    [(0.0, 0.999, 1.0), (0.3, 0.999, 1.0), (0.5, 0.9, 0.97), (0.6, 0.2, 0.5), (0.8, 0, 0.01)],
)
def test_what_distances_mean(distance: float, least: float, most: float) -> None:
    assert least <= probability(distance) <= most


@pytest.mark.parametrize("distance", [math.nan, math.inf, -math.inf])
def test_no_distance_is_no_probability(distance: float) -> None:
    assert probability(distance) == 0.0


def test_a_fit_finds_the_curve_that_pairs_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    distances = rng.uniform(0.2, 1.0, 200_000)
    same = rng.random(len(distances)) < 1 / (1 + np.exp(30 * (distances - 0.6)))
    found = fit(distances, same, identities=9, source="drawn")
    assert found.slope == pytest.approx(30, rel=0.02)
    assert found.middle == pytest.approx(0.6, abs=0.002)
    assert (found.genuine, found.genuine + found.impostor) == (same.sum(), len(distances))


def test_classes_that_do_not_overlap_give_no_endless_slope() -> None:
    distances = np.array([0.3, 0.35, 0.4, 0.8, 0.9, 1.0])
    found = fit(distances, distances < 0.5, identities=2, source="")
    assert 0 < found.slope < 100
    assert 0.4 < found.middle < 0.8


@pytest.mark.parametrize(
    ("distances", "same", "code"),
    [
        pytest.param([], [], "too_few_pairs", id="no pairs"),
        pytest.param([0.3, 0.4], [True, True], "too_few_pairs", id="only one person"),
        pytest.param([0.3, 0.4], [False, False], "too_few_pairs", id="only strangers"),
        pytest.param([0.9, 0.4], [True, False], "no_calibration", id="the wrong way round"),
        pytest.param([0.5, 0.5], [True, False], "no_calibration", id="no difference"),
    ],
)
def test_what_cannot_be_fitted_is_refused(distances, same, code: str) -> None:
    with pytest.raises(VisionError) as refused:
        fit(np.array(distances, float), np.array(same, bool), identities=1, source="")
    assert refused.value.code == code


def test_the_curve_says_where_it_comes_from() -> None:
    assert CALIBRATION.genuine + CALIBRATION.impostor == 52 * 51 / 2
    assert CALIBRATION.source

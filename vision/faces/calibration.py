"""How likely is it that two faces are of one person, given the distance of their embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError

__all__ = ["CALIBRATION", "Calibration", "fit", "probability"]

_ITERATIONS: Final = 100
_SETTLED: Final = 1e-10
_FLAT: Final = 1e-3  # a curve that does not fall over all distances that there are


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve, and where it comes from.

    Attributes:
        slope: How fast the probability falls, per unit of distance; above 0.
        middle: The distance at which both answers are equally likely.
        genuine: How many pairs of one person it was fitted on.
        impostor: How many pairs of two people.
        identities: How many people.
        source: What the pictures are.
    """

    slope: float
    middle: float
    genuine: int
    impostor: int
    identities: int
    source: str

    def probability(self, distance: float) -> float:
        """Return 0..1; 0 for a distance that is none."""
        if not math.isfinite(distance):
            return 0.0
        return float(_logistic(np.asarray(self.slope * (self.middle - distance))))


# Fitted by `fit` on all pairs of 52 faces. It is little: without any one of the people the middle
# is between 0.572 and 0.596 and the slope between 30.9 and 34.7. Actors of one cast in studio light
# are neither strangers at a door nor twins, so the far ends are worth less than they look.
CALIBRATION: Final = Calibration(
    slope=33.56,
    middle=0.583,
    genuine=89,
    impostor=1237,
    identities=13,
    source=(
        "face_recognition's k-nearest-neighbours example (5 people) and a television cast "
        "(8 people x 5 faces), dlib's ResNet"
    ),
)


def probability(distance: float) -> float:
    """Return how likely two faces at this distance are of one person, 0..1.

    The odds are those of the pairs it was fitted on, where one in fifteen is of one person: about
    those of a stranger's face against a dozen people. Against a larger gallery it is less.
    """
    return CALIBRATION.probability(distance)


def fit(
    distances: NDArray[np.floating], same: NDArray[np.bool_], *, identities: int, source: str
) -> Calibration:
    """Fit a curve to pairs, by maximum likelihood.

    The targets are not 0 and 1 but what is left of them with so few pairs (Platt 1999), so that
    classes that do not overlap give no infinite slope.

    Args:
        distances: (N,) of pairs.
        same: (N,) whether a pair is of one person.
        identities: How many people they are of; kept for whoever reads it.
        source: What the pictures are.

    Raises:
        VisionError: ``too_few_pairs`` without pairs of both kinds; ``no_calibration`` where faces
            of one person are not closer together than those of two.
    """
    x, is_same = np.asarray(distances, np.float64), np.asarray(same, np.bool_)
    genuine, impostor = int(is_same.sum()), int((~is_same).sum())
    if not genuine or not impostor:
        raise VisionError(
            "too_few_pairs", "A calibration needs pairs of one person and pairs of two."
        )
    targets = np.where(is_same, (genuine + 1) / (genuine + 2), 1 / (impostor + 2))
    constant, factor = _newton(x, targets)
    if factor > -_FLAT:
        raise VisionError(
            "no_calibration", "Faces of one person are not closer together here than those of two."
        )
    return Calibration(-factor, -constant / factor, genuine, impostor, identities, source)


def _newton(x: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[float, float]:
    """Return a and b of the likeliest 1 / (1 + exp(-(a + b x)))."""
    design = np.stack((np.ones_like(x), x), axis=1)
    weights = np.zeros(2)
    for _ in range(_ITERATIONS):
        guess = _logistic(design @ weights)
        gradient = design.T @ (targets - guess)
        curvature = (design * (guess * (1 - guess))[:, None]).T @ design + 1e-9 * np.eye(2)
        # Far from the solution a full step overshoots: as much of it as does not make it worse.
        step = np.asarray(np.linalg.solve(curvature, gradient), np.float64)
        weights = _better(design, targets, weights, step)
        if np.abs(gradient).max() < _SETTLED * len(x):
            break
    return float(weights[0]), float(weights[1])


def _better(
    design: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    step: NDArray[np.float64],
) -> NDArray[np.float64]:
    before = _loss(design @ weights, targets)
    for _ in range(30):
        if _loss(design @ (weights + step), targets) <= before:
            return weights + step
        step = step / 2
    return weights


def _loss(scores: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    return float((np.logaddexp(0, scores) - targets * scores).sum())


def _logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-np.logaddexp(0, -scores))  # as 1 / (1 + exp(-x)), without overflow

"""Whose face is it: faces that were found in a picture, and people who were."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["faces_of_people"]

_LEAST_INSIDE: Final = 0.8
"""Share of a face that lies in the box of whoever it belongs to."""
_LEAST_WIDTH: Final = 0.1
"""A face that is narrower, as a share of the box, is somebody's behind them."""
_SURE: Final = 0.15
"""A face that could be two people's is nobody's, unless it fits one so much better."""

_NOBODY: Final = -1


def faces_of_people(faces: ArrayLike, people: ArrayLike) -> NDArray[np.int64]:
    """Return the index of the person for every face, -1 where there is none or it is not sure.

    A face belongs to the box that contains it, and sits there high and in the middle. Nobody has
    two: the one that fits better stays.

    Args:
        faces: (N, 4) xyxy pixels.
        people: (M, 4) xyxy pixels of the same picture.
    """
    inner = np.asarray(faces, np.float64).reshape(-1, 4)
    outer = np.asarray(people, np.float64).reshape(-1, 4)
    owners = np.full(len(inner), _NOBODY, np.int64)
    if not len(inner) or not len(outer):
        return owners
    misfit = _misfit(inner, outer)
    order = np.sort(misfit, axis=1)
    best = order[:, 0]
    with np.errstate(invalid="ignore"):  # where a face fits nobody at all
        doubtful = order[:, 1] - best < _SURE if len(outer) > 1 else np.zeros(len(inner), bool)
    owners = np.where(np.isfinite(best) & ~doubtful, np.argmin(misfit, axis=1), _NOBODY)
    for person in np.unique(owners[owners != _NOBODY]):
        theirs = np.flatnonzero(owners == person)
        owners[theirs] = _NOBODY
        owners[theirs[np.argmin(best[theirs])]] = person
    return owners.astype(np.int64)


def _misfit(faces: NDArray[np.float64], people: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, M): how far each face is from where the head of each person is, or infinity."""
    low = np.maximum(faces[:, None, :2], people[None, :, :2])
    high = np.minimum(faces[:, None, 2:], people[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    sides = faces[:, 2:] - faces[:, :2]
    inside = shared / np.maximum(np.prod(sides, axis=1), 1e-9)[:, None]
    room = np.maximum(people[:, 2:] - people[:, :2], 1e-9)
    centres = (faces[:, :2] + faces[:, 2:]) / 2
    aside = np.abs(centres[:, None, 0] - (people[None, :, 0] + people[None, :, 2]) / 2) / room[:, 0]
    below = (centres[:, None, 1] - people[None, :, 1]) / room[None, :, 1]
    width = sides[:, None, 0] / room[None, :, 0]
    fits = (inside >= _LEAST_INSIDE) & (width >= _LEAST_WIDTH)
    return np.where(fits, aside + below, np.inf)

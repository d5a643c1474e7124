"""Whose face is it: the nearest samples of a gallery, and when that is good enough to say so.

Whoever is not surely known is unknown. A face is known when the nearest sample is within the
threshold of its owner, every other owner is farther by a margin, and nobody has said of a nearer
face that it is not that person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.faces.calibration import probability
from vision.faces.structures import EMBEDDING_SIZE, Embeddings

__all__ = [
    "DEFAULT_RULES",
    "Candidate",
    "FaceMatch",
    "GalleryArrays",
    "MatchRules",
    "State",
    "as_match",
    "check_embedding",
    "check_embeddings",
    "decide",
    "distances_to",
    "is_ruled_out",
    "nearest",
    "search",
]

State = Literal["known", "uncertain", "unknown"]

# What is computed at once: 8 M float32 are 32 MB.
_CELLS: Final = 8_000_000
# Longer than any embedding of a face network, and short enough to be squared in float32.
_LONGEST: Final = 1e4


@dataclass(frozen=True, slots=True)
class MatchRules:
    """When a face is known.

    Attributes:
        threshold: The largest distance at which somebody is known, unless the profile has its own.
        margin: By how much every other profile must be farther.
        uncertain: The largest distance at which a person is asked.
    """

    threshold: float
    margin: float
    uncertain: float


# From the pairs of `vision.faces.calibration`: 89 of one person, 1237 of two, 13 people, 52 faces.
# At 0.50 none of the pairs of two people is closer (0% of 1237; 95% interval up to 0.3%; the
# closest is at 0.575), and 51 of the 52 faces are known by the others of the same person, none of
# them wrongly. The probability is 94% there, and 36% at 0.60, beyond which nobody is asked.
DEFAULT_RULES: Final = MatchRules(threshold=0.50, margin=0.06, uncertain=0.60)


@dataclass(frozen=True, slots=True)
class FaceMatch:
    """Who a face is.

    Attributes:
        state: ``known``; ``uncertain`` when a person should be asked; or ``unknown``.
        owner: The nearest profile when known or uncertain, otherwise None.
        distance: To the nearest sample of that profile; when unknown, to the nearest of all. None
            when there is nobody to compare with.
        probability: What the distance says by itself, 0..1; None without a distance.
        runner_up: The next profile; None when unknown or when there is no other.
        runner_up_distance: To the nearest sample of the next profile.
    """

    state: State
    owner: int | None = None
    distance: float | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_distance: float | None = None


class Candidate(NamedTuple):
    """A profile and how far its nearest sample is."""

    owner: int
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class GalleryArrays:
    """The samples of all profiles, ready to be searched; never changed, but replaced.

    Rows may come in any order; they are kept sorted by owner.

    Attributes:
        owners: (N,) int64, whose sample it is.
        embeddings: (N, 128) float32.
        thresholds: Distances of the profiles that have their own.
        negatives: (M, 128) float32 faces of which somebody said that they are not ...
        negative_owners: (M,) int64 ... this profile.

    Raises:
        VisionError: ``bad_embedding`` for wrong sizes and for values that are no numbers.
    """

    owners: NDArray[np.int64]
    embeddings: Embeddings
    thresholds: Mapping[int, float] = field(default_factory=dict)
    negatives: Embeddings = field(default_factory=lambda: _no_embeddings())
    negative_owners: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    _squares: NDArray[np.float32] = field(init=False, repr=False)
    _longest: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check and sort."""
        self._sort("owners", "embeddings")
        self._sort("negative_owners", "negatives")
        squares = np.einsum("ij,ij->i", self.embeddings, self.embeddings)
        object.__setattr__(self, "_squares", squares)
        object.__setattr__(self, "_longest", float(np.sqrt(squares.max(initial=0.0))))

    def _sort(self, owners_name: str, embeddings_name: str) -> None:
        owners = np.asarray(getattr(self, owners_name), np.int64)
        embeddings = check_embeddings(getattr(self, embeddings_name))
        if owners.shape != (len(embeddings),):
            raise VisionError(
                "bad_embedding",
                f"There are {len(embeddings)} embeddings, but {owners.size} owners.",
            )
        order = np.argsort(owners, kind="stable")
        object.__setattr__(self, owners_name, owners[order])
        object.__setattr__(self, embeddings_name, np.ascontiguousarray(embeddings[order]))

    def __len__(self) -> int:
        return len(self.owners)

    def threshold_of(self, owner: int, rules: MatchRules) -> float:
        """Return the largest distance at which this profile is known."""
        return self.thresholds.get(owner, rules.threshold)


def search(gallery: GalleryArrays, probes: Embeddings, rules: MatchRules) -> list[FaceMatch]:
    """Find whose face each probe is.

    Args:
        gallery: May be empty: then everybody is unknown.
        probes: (P, 128) float32. Leave out the rows of faces that were not embedded.
        rules: When somebody is known.

    Raises:
        VisionError: ``bad_embedding`` for wrong sizes and for values that are no numbers.
    """
    probes = check_embeddings(probes)
    if not len(gallery):
        return [FaceMatch("unknown") for _ in probes]
    return [_judge(gallery, candidates, rules) for candidates in nearest(gallery, probes)]


def nearest(gallery: GalleryArrays, probes: Embeddings, *, most: int = 2) -> list[list[Candidate]]:
    """Return the nearest profiles of each probe, nearest first, at most ``most`` of them.

    A profile of which a nearer face was said not to be that person is left out.
    """
    if not len(gallery):
        return [[] for _ in probes]
    at_once = max(1, _CELLS // len(gallery))
    found: list[list[Candidate]] = []
    for start in range(0, len(probes), at_once):
        part = probes[start : start + at_once]
        squares = _squared_distances(gallery, part)
        found += [
            _nearest_owners(gallery, probe, row, most)
            for probe, row in zip(part, squares, strict=True)
        ]
    return found


def decide(
    gallery: GalleryArrays, best: Candidate, other: Candidate | None, rules: MatchRules
) -> State:
    """Return what may be said about the nearest profile, given the next one."""
    threshold = gallery.threshold_of(best.owner, rules)
    if best.distance > max(threshold, rules.uncertain):
        return "unknown"
    keeps_margin = other is None or other.distance - best.distance >= rules.margin
    return "known" if best.distance <= threshold and keeps_margin else "uncertain"


def as_match(state: State, best: Candidate, other: Candidate | None) -> FaceMatch:
    """Put an answer together; who is unknown gets no name, not even a likely one."""
    likely = probability(best.distance)
    if state == "unknown":
        return FaceMatch(state, distance=best.distance, probability=likely)
    second = (None, None) if other is None else other
    return FaceMatch(state, best.owner, best.distance, likely, *second)


def distances_to(gallery: GalleryArrays, probes: Embeddings, owner: int) -> NDArray[np.float64]:
    """Return the (P,) distances to the nearest sample of a profile; infinite if it has none."""
    rows = _rows_of(gallery.owners, owner)
    if rows.start == rows.stop:
        return np.full(len(probes), np.inf)
    return np.stack([_exact(probe, gallery.embeddings[rows]).min() for probe in probes])


def is_ruled_out(gallery: GalleryArrays, probe: Embeddings, candidate: Candidate) -> bool:
    """Whether somebody said of a face, as near or nearer, that it is not this profile."""
    rows = _rows_of(gallery.negative_owners, candidate.owner)
    if rows.start == rows.stop:
        return False
    return bool(_exact(probe, gallery.negatives[rows]).min() <= candidate.distance)


def check_embeddings(values: Embeddings) -> Embeddings:
    """Return (N, 128) float32; an empty array of any shape has no rows.

    Raises:
        VisionError: ``bad_embedding``.
    """
    array = np.asarray(values)
    if array.size == 0 and array.ndim <= 2:
        return _no_embeddings()
    if array.ndim != 2 or array.shape[1] != EMBEDDING_SIZE:
        size = " x ".join(str(length) for length in array.shape)
        raise VisionError(
            "bad_embedding", f"An embedding has {EMBEDDING_SIZE} numbers; these are {size}."
        )
    if array.dtype.kind not in "fiu":
        raise VisionError("bad_embedding", "An embedding is made of numbers.")
    # Comparing also catches what is no number.
    if not (np.abs(array) <= _LONGEST).all():
        raise VisionError("bad_embedding", "An embedding has values that no face has.")
    return array.astype(np.float32, copy=False)


def check_embedding(values: Embeddings) -> Embeddings:
    """Return one embedding as (128,) float32.

    Raises:
        VisionError: ``bad_embedding``.
    """
    rows = check_embeddings(np.asarray(values).reshape(1, -1))
    if not len(rows):
        raise VisionError("bad_embedding", "There is no embedding.")
    return rows.reshape(EMBEDDING_SIZE)


def _no_embeddings() -> Embeddings:
    return np.empty((0, EMBEDDING_SIZE), np.float32)


def _judge(gallery: GalleryArrays, candidates: list[Candidate], rules: MatchRules) -> FaceMatch:
    if not candidates:
        return FaceMatch("unknown")
    best, other = candidates[0], candidates[1] if len(candidates) > 1 else None
    return as_match(decide(gallery, best, other, rules), best, other)


def _squared_distances(gallery: GalleryArrays, probes: Embeddings) -> NDArray[np.float32]:
    """Return (P, N), off by rounding, and without the probes' own length: the order is the same."""
    squares: NDArray[np.float32] = np.matmul(
        np.multiply(probes, -2, dtype=np.float32), gallery.embeddings.T
    )
    squares += gallery._squares
    return squares


def _nearest_owners(
    gallery: GalleryArrays, probe: Embeddings, row: NDArray[np.float32], most: int
) -> list[Candidate]:
    """Take the nearest owner, hide the samples of that one, and again; ``row`` is used up."""
    slack = _rounding(probe, gallery._longest)
    found: list[Candidate] = []
    for _ in range(len(row)):  # at most once for every owner, and mostly ``most`` times
        if len(found) == most:
            break
        least = row.min()
        if not np.isfinite(least):
            break
        # Rounding blurs the order of the very nearest: these few are computed exactly.
        few = np.flatnonzero(row <= least + slack)
        exact = _exact(probe, gallery.embeddings[few])
        place = int(exact.argmin())  # of equals the lowest owner: rows are sorted
        best = Candidate(int(gallery.owners[few[place]]), float(exact[place]))
        row[_rows_of(gallery.owners, best.owner)] = np.inf
        if not is_ruled_out(gallery, probe, best):
            found.append(best)
    return found


def _rows_of(sorted_owners: NDArray[np.int64], owner: int) -> slice:
    start = np.searchsorted(sorted_owners, owner, side="left")
    return slice(int(start), int(np.searchsorted(sorted_owners, owner, side="right")))


def _exact(probe: Embeddings, others: Embeddings) -> NDArray[np.float64]:
    """Return distances that are 0 for equals, as a sum of squares of differences is."""
    difference = others.astype(np.float64) - probe.astype(np.float64)
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(squares)


def _rounding(probe: Embeddings, longest: float) -> float:
    """Return by how much two squared distances may be off against each other."""
    length = float(np.linalg.norm(probe))
    # A float32 sum of n products is off by at most n half-steps of what the lengths allow.
    return 2 * EMBEDDING_SIZE * 2.0**-24 * (2 * length * longest + longest**2) + 1e-12

"""One decision for a track: its best faces vote.

Single frames are blurred, turned or half hidden, and some of them look like somebody else. The
distances to a profile are therefore taken over several faces, and faces that say two names are a
question for a person, not an average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.faces.matching import (
    Candidate,
    FaceMatch,
    GalleryArrays,
    MatchRules,
    as_match,
    check_embedding,
    decide,
    distances_to,
    is_ruled_out,
    nearest,
)
from vision.faces.structures import Embeddings, FaceQuality

__all__ = ["KeptFace", "TrackVotes", "weigh"]

KEPT: Final = 8
ENOUGH: Final = 3
"""Faces that suffice for a decision ..."""
SPAN: Final = 0.3
"""... if they are spread over this many seconds: neighbouring frames err alike."""
APART: Final = 0.4
"""Seconds from a better face at which a face is worth half of what it would be alone."""

# A single face decides only if it is this good, and by these factors clearer than usual.
_VERY_GOOD: Final = 0.6
_SINGLE_MARGIN: Final = 2.0
_SINGLE_CLOSER: Final = 0.1  # of distance

# This share of the votes for a second name that would be known by itself is a contradiction.
_CONTRADICTION: Final = 0.25
_MAJORITY: Final = 0.5

_RANKS: Final = 3
"""Of how many profiles each face votes: whoever is second over all is among some's first three."""

# A face of this many pixels counts in full; one that is turned fully away or rolled so far, half.
_FULL_SIZE: Final = 120.0
_STEEP_ROLL: Final = 45.0
_LEAST_WEIGHT: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class KeptFace:
    """A face of a track.

    Attributes:
        embedding: (128,) float32.
        quality: How well it can be seen.
        timestamp: Seconds of the source.
        crop: (150, 150, 3) uint8 BGR, or what the caller keeps of it.
        weight: How much its vote counts, above 0 and at most 1.
    """

    embedding: Embeddings
    quality: FaceQuality
    timestamp: float
    crop: NDArray[np.uint8] | None
    weight: float


class TrackVotes:
    """The best faces of one track, spread over the time it was seen. Not for several threads.

    Args:
        keep: How many faces are kept.
    """

    def __init__(self, keep: int = KEPT) -> None:
        if keep < ENOUGH:
            raise ValueError(f"{keep} faces never suffice for a decision")
        self._keep = keep
        self._faces: list[KeptFace] = []
        self.seen = 0
        """How many faces there were, kept or not."""

    def __len__(self) -> int:
        return len(self._faces)

    @property
    def faces(self) -> tuple[KeptFace, ...]:
        """Those that are kept, in order of time."""
        return tuple(self._faces)

    @property
    def best(self) -> KeptFace | None:
        """The one that can be seen best."""
        return max(self._faces, key=lambda face: face.weight, default=None)

    def add(
        self,
        embedding: Embeddings,
        quality: FaceQuality,
        timestamp: float,
        crop: NDArray[np.uint8] | None = None,
    ) -> bool:
        """Take a face in; return whether it is kept.

        Of one moment the better face is kept. With too many, the one goes that tells least: weak,
        or close in time to a better one.

        Raises:
            VisionError: ``bad_embedding``.
        """
        checked = check_embedding(embedding).copy()
        face = KeptFace(checked, quality, float(timestamp), crop, weigh(quality))
        self.seen += 1
        self._faces.append(face)
        self._faces.sort(key=lambda kept: kept.timestamp)
        self._drop_same_moment(face)
        if len(self._faces) > self._keep:
            # Of equals the earlier stays, or every new face would push out the one before.
            self._faces.remove(min(reversed(self._faces), key=self._worth))
        return any(kept is face for kept in self._faces)

    def decide(self, gallery: GalleryArrays, rules: MatchRules) -> FaceMatch | None:
        """Return who it is, from all that is kept; None while there is not enough.

        Enough are three faces that are spread over 0.3 seconds, or a single very good one that is
        much closer to somebody than the threshold, with twice the margin.
        """
        if not self._faces:
            return None
        probes = np.stack([face.embedding for face in self._faces])
        ballots = nearest(gallery, probes, most=_RANKS)
        if not self._is_enough():
            return self._decide_by_one(gallery, ballots, rules)
        if not any(ballots):
            return FaceMatch("unknown")
        return self._count(gallery, probes, ballots, rules)

    def _is_enough(self) -> bool:
        span = self._faces[-1].timestamp - self._faces[0].timestamp
        return len(self._faces) >= ENOUGH and span >= SPAN

    def _drop_same_moment(self, face: KeptFace) -> None:
        same = [kept for kept in self._faces if kept.timestamp == face.timestamp]
        if len(same) > 1:
            self._faces.remove(min(same, key=lambda kept: kept.weight))

    def _worth(self, face: KeptFace) -> float:
        """Return the weight, less the nearer in time there are better faces."""
        away = [
            other.timestamp - face.timestamp
            for other in self._faces
            if other is not face and other.weight >= face.weight
        ]
        before = min((-seconds for seconds in away if seconds < 0), default=math.inf)
        after = min((seconds for seconds in away if seconds >= 0), default=math.inf)
        if math.isinf(min(before, after)):
            return face.weight
        # At either end there is one neighbour: as if the other were as far.
        near, far = sorted((before, after))
        gap = (near + (far if math.isfinite(far) else near)) / 2
        return face.weight * gap / (gap + APART)

    def _decide_by_one(
        self, gallery: GalleryArrays, ballots: list[list[Candidate]], rules: MatchRules
    ) -> FaceMatch | None:
        """Return a match if the best face settles it, and none of the others objects."""
        index = max(range(len(self._faces)), key=lambda place: self._faces[place].weight)
        candidates = ballots[index]
        if not candidates or self._faces[index].weight < _VERY_GOOD:
            return None
        best, other = candidates[0], candidates[1] if len(candidates) > 1 else None
        if any(not ballot or ballot[0].owner != best.owner for ballot in ballots):
            return None
        strict = MatchRules(rules.threshold, rules.margin * _SINGLE_MARGIN, rules.uncertain)
        closer = Candidate(best.owner, best.distance + _SINGLE_CLOSER)
        # The other is moved as well: the margin is that between the two as they are.
        farther = None if other is None else Candidate(other.owner, other.distance + _SINGLE_CLOSER)
        if decide(gallery, closer, farther, strict) != "known":
            return None
        return as_match("known", best, other)

    def _count(
        self,
        gallery: GalleryArrays,
        probes: Embeddings,
        ballots: list[list[Candidate]],
        rules: MatchRules,
    ) -> FaceMatch:
        weights = np.array([face.weight for face in self._faces])
        ballot_box = _BallotBox(gallery, rules, probes, ballots, weights / weights.sum())
        return ballot_box.count()


@dataclass(frozen=True, slots=True, eq=False)
class _BallotBox:
    gallery: GalleryArrays
    rules: MatchRules
    probes: Embeddings
    ballots: list[list[Candidate]]
    weights: NDArray[np.float64]

    def count(self) -> FaceMatch:
        named = {candidate.owner for ballot in self.ballots for candidate in ballot}
        ranked = sorted(
            (self._over_all_faces(owner) for owner in named if not self._is_refused(owner)),
            key=lambda candidate: (candidate.distance, candidate.owner),
        )
        if not ranked:
            return FaceMatch("unknown")
        best, other = ranked[0], ranked[1] if len(ranked) > 1 else None
        state = decide(self.gallery, best, other, self.rules)
        if state == "known" and self._is_disputed(best.owner):
            state = "uncertain"
        return as_match(state, best, other)

    def _over_all_faces(self, owner: int) -> Candidate:
        distances = distances_to(self.gallery, self.probes, owner)
        return Candidate(owner, _weighted_median(distances, self.weights))

    def _is_refused(self, owner: int) -> bool:
        """Whether most of the faces are like one that was said not to be this person."""
        return self._ruled_out(owner) >= _MAJORITY

    def _is_disputed(self, owner: int) -> bool:
        first = [ballot[0].owner if ballot else None for ballot in self.ballots]
        votes = self._share([name == owner for name in first])
        others = [
            bool(ballot) and ballot[0].owner != owner and self._is_known(ballot)
            for ballot in self.ballots
        ]
        return (
            votes <= _MAJORITY
            or self._share(others) >= _CONTRADICTION
            or self._ruled_out(owner) >= _CONTRADICTION
        )

    def _is_known(self, ballot: list[Candidate]) -> bool:
        other = ballot[1] if len(ballot) > 1 else None
        return decide(self.gallery, ballot[0], other, self.rules) == "known"

    def _ruled_out(self, owner: int) -> float:
        distances = distances_to(self.gallery, self.probes, owner)
        return self._share(
            [
                is_ruled_out(self.gallery, probe, Candidate(owner, float(distance)))
                for probe, distance in zip(self.probes, distances, strict=True)
            ]
        )

    def _share(self, which: list[bool]) -> float:
        return float(self.weights[np.array(which, np.bool_)].sum())


def weigh(quality: FaceQuality) -> float:
    """Return how much a face counts, above 0 and at most 1: large, sharp and frontal ones most."""
    size = min(1.0, max(0.0, quality.size) / _FULL_SIZE)
    sharp = min(1.0, max(0.0, quality.sharpness))
    frontal = (1 - min(1.0, abs(quality.yaw)) / 2) * (1 - min(1.0, abs(quality.pitch)) / 2)
    upright = 1 - min(_STEEP_ROLL, abs(quality.roll)) / (2 * _STEEP_ROLL)
    weight = math.sqrt(size * sharp) * frontal * upright
    return max(_LEAST_WEIGHT, weight) if math.isfinite(weight) else _LEAST_WEIGHT


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return where half of the weight is reached; between two values when it is met exactly."""
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.cumsum(weights[order])
    low = int(np.searchsorted(reached, 0.5 - 1e-9))
    high = int(np.searchsorted(reached, 0.5 + 1e-9))
    last = len(values) - 1
    return float((values[min(low, last)] + values[min(high, last)]) / 2)

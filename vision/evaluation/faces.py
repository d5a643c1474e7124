"""How good faces are told apart: pairs of one person and of two, and who is known in a gallery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from vision.errors import VisionError
from vision.faces.matching import Candidate, GalleryArrays, MatchRules, State, decide, nearest
from vision.faces.structures import Embeddings

__all__ = [
    "PEER_THRESHOLD",
    "CurvePoint",
    "IdentificationScore",
    "PairScore",
    "Share",
    "identify",
    "score_pairs",
    "share_of",
]

PEER_THRESHOLD: Final = 0.6
"""The tolerance of ``face_recognition.compare_faces``."""

RARE: Final = 0.001
"""The share of false matches that a strict threshold allows."""

_CONFIDENCE: Final = 0.95


class Share(NamedTuple):
    """So many of all, and between which shares the truth is with 95% (Clopper and Pearson)."""

    number: int
    of: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """0..1; 0 of nothing."""
        return self.number / self.of if self.of else 0.0


class CurvePoint(NamedTuple):
    """What a threshold does: pairs up to that distance are taken for one person."""

    threshold: float
    false_matches: Share
    false_non_matches: Share

    @property
    def accuracy(self) -> float:
        """Share of all pairs that are right."""
        pairs = self.false_matches.of + self.false_non_matches.of
        wrong = self.false_matches.number + self.false_non_matches.number
        return 1 - wrong / pairs if pairs else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class PairScore:
    """Distances of pairs.

    Attributes:
        genuine: Distances of the pairs of one person, ascending.
        impostor: Distances of the pairs of two, ascending.
        equal: The point where both kinds of errors are equally frequent.
        rare: The largest threshold with at most 0.1% false matches.
        cross_validated: Mean accuracy of ten parts, each at the best threshold of the others; None
            where a part has no pairs.
    """

    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]
    equal: CurvePoint
    rare: CurvePoint
    cross_validated: float | None

    def at(self, threshold: float) -> CurvePoint:
        """Return the errors at a threshold."""
        return _point(self.genuine, self.impostor, threshold)

    def curve(self, thresholds: Sequence[float]) -> list[CurvePoint]:
        """Return the errors at several thresholds."""
        return [self.at(threshold) for threshold in thresholds]


@dataclass(frozen=True, slots=True)
class IdentificationScore:
    """Every face against a gallery of all others, by the rules that recognition uses.

    Attributes:
        known: Of the faces that have others of the same person: named rightly.
        asked: Of those: a question for a person.
        mistaken: Of those: named wrongly.
        impostors: Of all faces, the same person's others taken out: named all the same.
        impostors_asked: Of those: a question for a person.
    """

    known: Share
    asked: Share
    mistaken: Share
    impostors: Share
    impostors_asked: Share


def share_of(count: int, of: int) -> Share:
    """Return a share with its interval; of nothing it may be anything."""
    if not of:
        return Share(count, of, 0.0, 1.0)
    tail = (1 - _CONFIDENCE) / 2
    low = float(beta.ppf(tail, count, of - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, of - count)) if count < of else 1.0
    return Share(count, of, low, high)


def score_pairs(
    distances: NDArray[np.floating], same: NDArray[np.bool_], folds: NDArray[np.int64]
) -> PairScore:
    """Judge pairs by their distances.

    Args:
        distances: (P,) of pairs.
        same: (P,) whether they are of one person.
        folds: (P,) parts for cross-validation.

    Raises:
        VisionError: ``no_pairs`` if there are not both kinds.
    """
    values, is_same = np.asarray(distances, np.float64), np.asarray(same, np.bool_)
    if not is_same.any() or is_same.all():
        raise VisionError("no_pairs", "There are no pairs of both kinds whose faces were found.")
    genuine, impostor = np.sort(values[is_same]), np.sort(values[~is_same])
    fmr, fnmr, at = _rates(genuine, impostor)
    equal = float(at[np.abs(fmr - fnmr).argmin()])
    allowed = int(RARE * len(impostor))
    rare = float(np.nextafter(impostor[allowed], 0)) if allowed < len(impostor) else np.inf
    return PairScore(
        genuine,
        impostor,
        _point(genuine, impostor, equal),
        _point(genuine, impostor, rare),
        _cross_validate(values, is_same, folds),
    )


def identify(
    embeddings: Embeddings, identities: NDArray[np.int64], rules: MatchRules
) -> IdentificationScore:
    """Ask for every face who it is, with and without the other faces of that person.

    Args:
        embeddings: (N, 128) float32.
        identities: (N,) int64, whose they are.
        rules: When somebody is known.
    """
    gallery = GalleryArrays(identities, embeddings)
    genuine, impostor = Counter[str](), Counter[str]()
    for index, ranked in enumerate(nearest(gallery, embeddings, most=3)):
        own = int(identities[index])
        others = [candidate for candidate in ranked if candidate.owner != own]
        impostor[_state(gallery, others, rules)] += 1
        mates = identities == own
        mates[index] = False
        if not mates.any():
            continue
        away = embeddings[mates].astype(np.float64) - embeddings[index]
        mate = Candidate(own, float(np.linalg.norm(away, axis=1).min()))
        both = sorted([*others, mate], key=lambda candidate: candidate.distance)
        state: str = _state(gallery, both, rules)
        genuine["mistaken" if state == "known" and both[0].owner != own else state] += 1
    return IdentificationScore(
        known=share_of(genuine["known"], genuine.total()),
        asked=share_of(genuine["uncertain"], genuine.total()),
        mistaken=share_of(genuine["mistaken"], genuine.total()),
        impostors=share_of(impostor["known"], impostor.total()),
        impostors_asked=share_of(impostor["uncertain"], impostor.total()),
    )


def _state(gallery: GalleryArrays, ranked: Sequence[Candidate], rules: MatchRules) -> State:
    if not ranked:
        return "unknown"
    return decide(gallery, ranked[0], ranked[1] if len(ranked) > 1 else None, rules)


def _point(
    genuine: NDArray[np.float64], impostor: NDArray[np.float64], threshold: float
) -> CurvePoint:
    matches = int(np.searchsorted(impostor, threshold, side="right"))
    misses = len(genuine) - int(np.searchsorted(genuine, threshold, side="right"))
    return CurvePoint(threshold, share_of(matches, len(impostor)), share_of(misses, len(genuine)))


def _rates(
    genuine: NDArray[np.float64], impostor: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return shares of false matches and non-matches at every threshold that makes a difference."""
    distances = np.unique(np.concatenate((genuine, impostor)))
    # Between two distances all thresholds are the same: take the middle, far from both.
    at = np.concatenate(((distances[:-1] + distances[1:]) / 2, distances[-1:]))
    fmr = np.searchsorted(impostor, at, side="right") / max(1, len(impostor))
    fnmr = 1 - np.searchsorted(genuine, at, side="right") / max(1, len(genuine))
    return fmr, fnmr, at


def _cross_validate(
    distances: NDArray[np.float64], same: NDArray[np.bool_], folds: NDArray[np.int64]
) -> float | None:
    accuracies = []
    for fold in np.unique(folds):
        held, others = folds == fold, folds != fold
        if not others.any() or not same[others].any() or same[others].all():
            return None
        best = _best_threshold(distances[others], same[others])
        accuracies.append(float(((distances[held] <= best) == same[held]).mean()))
    return float(np.mean(accuracies)) if accuracies else None


def _best_threshold(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    genuine, impostor = np.sort(distances[same]), np.sort(distances[~same])
    fmr, fnmr, at = _rates(genuine, impostor)
    return float(at[(fmr * len(impostor) + fnmr * len(genuine)).argmin()])

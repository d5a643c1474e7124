"""A small tracker: constant velocity, and the best assignment of detections to tracks."""

from itertools import count
from typing import Final, Protocol, cast

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.structures import Frame
from vision.tracking.clock import SteadyClock
from vision.tracking.kinds import kinds_of
from vision.tracking.patience import longest_step

__all__ = ["Affinity", "MatchingTracker"]

# A new velocity counts for this share: boxes jitter more than objects accelerate.
_NEW_VELOCITY: Final = 0.2


class Affinity(Protocol):
    """How well detections fit tracks."""

    def __call__(
        self, tracks: NDArray[np.float64], boxes: NDArray[np.float64], lost: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return (K, N) values; more is better, and what is not above 0 is no match.

        Args:
            tracks: (K, 4) boxes where the tracks are expected, xyxy pixels.
            boxes: (N, 4) boxes that were found.
            lost: (K,) seconds since each track was seen.
        """
        ...


class MatchingTracker:
    """Matches detections to where tracks are expected, one assignment per frame.

    All state is arrays with one row per track, so 100 objects cost little more than one.

    Args:
        affinity: How well a detection fits a track.
        rate: Updates per second.
        patience: Seconds after which a track that was not seen is over.
        minimum_hits: Sightings in a row before an object gets its id, from 2 on.
        minimum_confidence: Weaker detections continue tracks and start none.
    """

    def __init__(
        self,
        affinity: Affinity,
        *,
        rate: float,
        patience: float,
        minimum_hits: int = 2,
        minimum_confidence: float = 0.4,
    ) -> None:
        self._affinity = affinity
        self._rate = rate
        self.patience = patience
        self._longest = longest_step(rate, patience)
        self._minimum_hits = minimum_hits
        self._minimum_confidence = minimum_confidence
        self._next_id = count(1)
        self.reset()

    def reset(self) -> None:
        """Forget all objects; ids go on."""
        self._clock = SteadyClock(self._rate, self._longest)
        self._boxes = np.empty((0, 4))
        self._velocities = np.empty((0, 2))
        self._kinds = np.empty(0, np.int64)
        self._seen = np.empty(0)
        self._placed = np.empty(0)  # as ``_seen``, but in the clock of motion
        self._hits = np.empty(0, np.int64)
        self._ids = np.empty(0, np.int64)

    def update(self, detections: sv.Detections, frame: Frame) -> sv.Detections:
        """Return the rows of confirmed tracks with their ids (see `Tracker`)."""
        now = self._clock.advance(frame.timestamp)
        self._keep(now - self._seen <= self.patience)
        boxes = np.asarray(detections.xyxy, np.float64).reshape(-1, 4)
        kinds = kinds_of(detections)
        tracks, rows = self._match(boxes, kinds, now)
        self._move(tracks, boxes[rows], now)
        self._confirm(tracks)
        confirmed = self._ids[tracks] > 0
        order = np.argsort(rows[confirmed])
        ids = self._ids[tracks[confirmed]][order]
        self._forget_unconfirmed(now)
        self._start(boxes, kinds, self._starters(detections, rows), now)
        tracked = cast(sv.Detections, detections[rows[confirmed][order]])
        tracked.tracker_id = ids
        return tracked

    def _match(
        self, boxes: NDArray[np.float64], kinds: NDArray[np.int64], now: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return positions of tracks and rows of the detections that continue them."""
        if not len(boxes) or not len(self._boxes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        ahead = self._clock.motion - self._placed
        expected = self._boxes + np.tile(self._velocities * ahead[:, None], 2)
        values = self._affinity(expected, boxes, now - self._seen)
        values = np.where(self._kinds[:, None] == kinds[None, :], values, 0.0)
        tracks, rows = linear_sum_assignment(values, maximize=True)
        good = values[tracks, rows] > 0
        return tracks[good], rows[good]

    def _move(self, tracks: NDArray[np.int64], boxes: NDArray[np.float64], now: float) -> None:
        before = self._boxes[tracks]
        moved = (boxes[:, :2] + boxes[:, 2:] - before[:, :2] - before[:, 2:]) / 2
        measured = moved / (self._clock.motion - self._placed[tracks])[:, None]
        known = (self._hits[tracks] > 1)[:, None]
        # The first velocity that is known counts in full.
        share = np.where(known, _NEW_VELOCITY, 1.0)
        self._velocities[tracks] += share * (measured - self._velocities[tracks])
        self._boxes[tracks] = boxes
        self._seen[tracks], self._placed[tracks] = now, self._clock.motion

    def _confirm(self, tracks: NDArray[np.int64]) -> None:
        """Count a sighting of these tracks; give an id to those that have enough."""
        self._hits[tracks] += 1
        fresh = tracks[(self._ids[tracks] == 0) & (self._hits[tracks] >= self._minimum_hits)]
        self._ids[fresh] = [next(self._next_id) for _ in range(len(fresh))]

    def _starters(self, detections: sv.Detections, taken: NDArray[np.int64]) -> NDArray[np.int64]:
        free = np.ones(len(detections), np.bool_)
        free[taken] = False
        if detections.confidence is not None:
            free &= detections.confidence >= self._minimum_confidence
        return np.flatnonzero(free)

    def _start(
        self,
        boxes: NDArray[np.float64],
        kinds: NDArray[np.int64],
        rows: NDArray[np.int64],
        now: float,
    ) -> None:
        n = len(rows)
        self._boxes = np.concatenate((self._boxes, boxes[rows]))
        self._velocities = np.concatenate((self._velocities, np.zeros((n, 2))))
        self._kinds = np.concatenate((self._kinds, kinds[rows]))
        self._seen = np.concatenate((self._seen, np.full(n, now)))
        self._placed = np.concatenate((self._placed, np.full(n, self._clock.motion)))
        self._hits = np.concatenate((self._hits, np.ones(n, np.int64)))
        self._ids = np.concatenate((self._ids, np.zeros(n, np.int64)))

    def _forget_unconfirmed(self, now: float) -> None:
        """A detection that the next frame does not confirm was none."""
        self._keep((self._ids > 0) | (self._seen == now))

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        if kept.all():
            return
        self._boxes, self._velocities = self._boxes[kept], self._velocities[kept]
        self._seen, self._placed = self._seen[kept], self._placed[kept]
        self._kinds, self._ids = self._kinds[kept], self._ids[kept]
        self._hits = self._hits[kept]

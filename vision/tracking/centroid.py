"""Own tracker by distance: centres of predicted and found boxes, best assignment.

For small or fast things whose boxes do not overlap from frame to frame.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.tracking.matching import MatchingTracker

__all__ = ["make_centroid_tracker"]

# How far off a centre may be, in the size of the box; and how much more per second unseen.
_REACH: Final = 0.5
_REACH_PER_SECOND: Final = 0.5
_SIZE_RATIO: Final = 2.0


def make_centroid_tracker(rate: float, patience: float, minimum_hits: int = 2) -> MatchingTracker:
    """Return a tracker that joins boxes of similar size whose centres are close."""
    return MatchingTracker(_affinity, rate=rate, patience=patience, minimum_hits=minimum_hits)


def _affinity(
    tracks: NDArray[np.float64], boxes: NDArray[np.float64], lost: NDArray[np.float64]
) -> NDArray[np.float64]:
    apart = _centres(tracks)[:, None] - _centres(boxes)[None, :]
    distance = np.hypot(apart[..., 0], apart[..., 1])
    size, found = _sizes(tracks)[:, None], _sizes(boxes)[None, :]
    reach = (_REACH + _REACH_PER_SECOND * lost)[:, None] * np.sqrt(size * found)
    similar = np.maximum(size, found) <= _SIZE_RATIO * np.minimum(size, found)
    closeness = 1.0 - distance / np.maximum(reach, 1e-6)
    return np.where(similar, np.maximum(closeness, 0.0), 0.0)


def _centres(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    sizes: NDArray[np.float64] = np.sqrt(sides[:, 0] * sides[:, 1])
    return sizes

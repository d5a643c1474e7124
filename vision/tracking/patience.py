"""How long a track that is not seen goes on."""

import math
from typing import Final

from vision.errors import VisionError

__all__ = ["LOST_UPDATES", "longest_step", "patience_for"]

_LOST_SECONDS: Final = 1.5
_LONGEST_SECONDS: Final = 0.2
_LONGEST_UPDATES: Final = 2.0
LOST_UPDATES: Final = 3.5
"""Updates without a sighting that a track survives: three, and a half for uneven clocks."""


def patience_for(rate: float, asked: float | None = None) -> float:
    """Return the seconds of the source after which a track that was not seen is over.

    Args:
        rate: Updates per second of the source, above 0.
        asked: The least patience that is wanted, in seconds; below the usual it changes nothing.

    Raises:
        VisionError: ``bad_patience``.
    """
    usual = max(_LOST_SECONDS, LOST_UPDATES / rate)
    if asked is None:
        return usual
    if not (math.isfinite(asked) and asked >= 0):
        raise VisionError("bad_patience", f"A tracker waits for some seconds, but not for {asked}.")
    return max(usual, asked)


def longest_step(rate: float, patience: float) -> float:
    """Return the seconds that motion may be predicted over from one update to the next.

    More patience than usual is asked for where nobody looks while nothing moves. There a box that
    jitters by a pixel from frame to frame would be expected a hundred pixels away at the next look.
    Elsewhere objects move on while frames are missing.

    Args:
        rate: Updates per second of the source, above 0.
        patience: Seconds after which a track that was not seen is over.
    """
    if patience <= patience_for(rate):
        return math.inf
    return max(_LONGEST_SECONDS, _LONGEST_UPDATES / rate)

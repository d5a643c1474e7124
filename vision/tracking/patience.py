"""How long a track that is not seen goes on."""

import math
from typing import Final

from vision.errors import VisionError

__all__ = ["LOST_UPDATES", "longest_step", "patience_for"]

_LOST_SECONDS: Final = 1.5
_LEAST_SECONDS: Final = 0.5
_FOLLOWED_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 0.2
_LONGEST_UPDATES: Final = 2.0
LOST_UPDATES: Final = 3.5
"""Updates without a sighting that a track survives: three, and a half for uneven clocks."""


def patience_for(rate: float, asked: float | None = None) -> float:
    """Return the seconds of the source after which a track that was not seen is over.

    The usual is 1.5 seconds. From half a second on it is what was asked for; less is no patience
    that a detector's gaps leave anything of, and means the usual. Either is at least three
    updates, or nobody would be followed in a source of few frames.

    Args:
        rate: Updates per second of the source, above 0.
        asked: The patience that is wanted, in seconds.

    Raises:
        VisionError: ``bad_patience``.
    """
    if asked is not None and not (math.isfinite(asked) and asked >= 0):
        raise VisionError("bad_patience", f"A tracker waits for some seconds, but not for {asked}.")
    wanted = _LOST_SECONDS if asked is None or asked < _LEAST_SECONDS else asked
    return max(wanted, LOST_UPDATES / rate)


def longest_step(rate: float, patience: float) -> float:
    """Return the seconds that motion may be predicted over from one update to the next.

    Patience of many seconds is asked for where nobody looks while nothing moves. There a box that
    jitters by a pixel from frame to frame would be expected a hundred pixels away at the next look.
    Elsewhere, as with a camera whose tracks end after some seconds, objects move on while frames
    are missing.

    Args:
        rate: Updates per second of the source, above 0.
        patience: Seconds after which a track that was not seen is over.
    """
    if patience <= max(_FOLLOWED_SECONDS, patience_for(rate)):
        return math.inf
    return max(_LONGEST_SECONDS, _LONGEST_UPDATES / rate)

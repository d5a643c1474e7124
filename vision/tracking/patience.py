"""How long a track that is not seen goes on."""

import math
from typing import Final

from vision.errors import VisionError

__all__ = ["LOST_UPDATES", "patience_for"]

_LOST_SECONDS: Final = 1.5
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

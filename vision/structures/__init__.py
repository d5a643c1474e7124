"""Plain values that cross the engine's seams. Importing this package costs nothing but numpy."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "Priority"]


class Priority(IntEnum):
    """Order of admission to a model: the lower value goes first; the first two take turns."""

    LIVE = 0
    INTERACTIVE = 1
    BATCH = 2


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: (H, W, 3) uint8, BGR.
        index: Position in the source, from 0.
        timestamp: Seconds of the source's own time line (never a frame count).
        wall_clock: When the frame was captured, timezone aware.
        source_id: The camera or file it comes from.
    """

    image: NDArray[np.uint8]
    index: int
    timestamp: float
    wall_clock: datetime
    source_id: str

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.image.shape[0])

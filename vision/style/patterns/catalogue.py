"""Which patterns there are, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.style.patterns import (
    great_waves,
    mosaic_tiles,
    night_strokes,
    stained_glass,
    watercolour,
    woodcut,
)
from vision.style.patterns.tools import SIDE

__all__ = ["PATTERNS", "Pattern"]

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A picture to paint like.

    Attributes:
        key: What programs call it; stays.
        title: What people call it.
        description: One sentence for them.
        paint: Makes it at the size that it is made for, (S, S, 3) uint8 BGR.
    """

    key: str
    title: str
    description: str
    paint: Callable[[], Image]

    def draw(self, side: int) -> Image:
        """Return the picture, (side, side, 3) uint8 BGR; the same pixels every time.

        Args:
            side: Pixels, at least 1. It is made for 768: smaller ones show the same, larger ones
                no more.
        """
        picture = self.paint()
        if side == SIDE:
            return picture
        method = cv2.INTER_AREA if side < SIDE else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(picture, (side, side), interpolation=method), np.uint8)


_ALL: Final = (
    Pattern(
        "stained-glass",
        "Stained glass",
        "Panes of coloured glass in black lead, from a golden light outwards to deep blue.",
        stained_glass.paint,
    ),
    Pattern(
        "night-strokes",
        "Night strokes",
        "Thick strokes of blue and gold that follow the wind of a starry sky over dark hills.",
        night_strokes.paint,
    ),
    Pattern(
        "woodcut",
        "Woodcut",
        "A print in black lines and a few flat inks: a red sun, mountains and a lake.",
        woodcut.paint,
    ),
    Pattern(
        "mosaic-tiles",
        "Mosaic tiles",
        "Small stones in fans, sea blue, terracotta and cream, with pale joints between them.",
        mosaic_tiles.paint,
    ),
    Pattern(
        "watercolour",
        "Watercolour",
        "Transparent washes that run on wet paper: poppies and cornflowers under a soft sky.",
        watercolour.paint,
    ),
    Pattern(
        "great-waves",
        "Great waves",
        "Rolling waves in bands of indigo with white foam, as on old colour prints.",
        great_waves.paint,
    ),
)

PATTERNS: Final[Mapping[str, Pattern]] = MappingProxyType({one.key: one for one in _ALL})
"""The patterns by key."""

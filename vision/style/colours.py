"""Luminance and chroma: what painting in the content's own colours needs.

After Gatys, Bethge, Hertzmann and Shechtman, "Preserving Color in Neural Artistic Style Transfer"
(2016), section 4: only luminance is painted, the style's being moved to the content's first.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["luminance", "match_luminance", "with_chroma_of"]

_WEIGHTS: Final = np.array((0.114, 0.587, 0.299), np.float32)  # of BGR, ITU-R BT.601

Luminance = NDArray[np.float32]


def luminance(image: NDArray[np.uint8]) -> Luminance:
    """Return (H, W) float32 in 0..1 of an (H, W, 3) BGR picture."""
    values: Luminance = np.asarray(image, np.float32) @ _WEIGHTS / np.float32(255)
    return values


def match_luminance(style: Luminance, content: Luminance) -> Luminance:
    """Return the style with mean and deviation of the content; values may leave 0..1.

    A style of one grey only cannot be stretched: it is moved.
    """
    deviation = float(style.std())
    scale = float(content.std()) / deviation if deviation > 1e-4 else 1.0
    moved: Luminance = (style - style.mean()) * np.float32(scale) + content.mean()
    return moved


def with_chroma_of(image: NDArray[np.uint8], painted: Luminance) -> NDArray[np.uint8]:
    """Return the picture with another luminance.

    Adding the same to all three colours leaves their differences, the chroma, as they are. Where a
    colour would leave 0..255 the chroma is reduced until it does not: clipping would turn the hue.

    Args:
        image: (H, W, 3) uint8 BGR, whose chroma is kept.
        painted: (H, W) float32 luminance in 0..1.
    """
    wanted = painted.clip(0, 1)[:, :, None] * np.float32(255)
    chroma = image - luminance(image)[:, :, None] * np.float32(255)
    # The largest part of the chroma, of each colour, that stays inside.
    room = np.where(chroma > 0, 255 - wanted, wanted)
    parts = room / np.maximum(np.abs(chroma), np.float32(1e-3))
    share = parts.min(axis=2, keepdims=True).clip(0, 1)
    result: NDArray[np.uint8] = np.rint(wanted + share * chroma).clip(0, 255).astype(np.uint8)
    return result

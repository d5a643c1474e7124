"""Light that changes over the whole picture: how it is estimated, undone and recognised."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.motion.protocol import Mask, Small

__all__ = [
    "SAME_LIGHT",
    "Cells",
    "Light",
    "correct",
    "estimate_light",
    "light_cells",
    "texture_agreement",
]

Cells = NDArray[np.float32]  # (192,) mean brightness, 0..255

_CELLS = (16, 12)  # columns and rows: a moving thing covers few of them, the light all
_SIMPLER_WITHIN = 0.3  # levels: a plainer explanation wins when it is this nearly as good
_STILL = 0.5  # levels: differences this small are no change
_WORST_ERROR = 6.0  # levels: a cell that is further off holds a thing; how far is no matter
_WORST_RESIDUAL = 4.0  # levels; beyond it something else than light has changed
_GAINS = (0.1, 10.0)
_BLACK, _WHITE = 3.0, 225.0  # levels; the sensor has cut off part of what lies beyond
_TEXTURE_WINDOW = (9, 9)  # pixels of the small picture
_LEAST_TEXTURE = 2.5  # levels of standard deviation that a picture must have to be recognised
_TOO_DARK = 16.0  # levels; what is darker hides its structure


@dataclass(frozen=True, slots=True)
class Light:
    """``now = gain * before + offset`` for every pixel value of the picture.

    Attributes:
        gain: 1 where nothing changes.
        offset: Levels of 0..255.
    """

    gain: float = 1.0
    offset: float = 0.0

    @property
    def change(self) -> float:
        """How far this is from no change at mid grey, as a share: 0 is none."""
        return abs(self.gain * 128.0 + self.offset - 128.0) / 128.0

    def undone(self, values: Cells) -> Cells:
        """Return brightness values as they were before the light changed."""
        return (values - np.float32(self.offset)) / np.float32(self.gain)


SAME_LIGHT = Light()


def light_cells(small: Small) -> Cells:
    """Return the mean brightness, 0..255, of 16 x 12 cells as (192,) float32."""
    cells = np.asarray(cv2.resize(small, _CELLS, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cells.mean(axis=2), np.float32).ravel()


def estimate_light(before: Cells, now: Cells) -> Light:
    """Return the change of light that explains most cells, or none where none does.

    Four explanations compete: no change, a gain, an offset, and both (Theil-Sen slope over pairs
    of dark and bright cells). Medians and clipped residuals keep the cells that things move in
    from deciding, as long as those are the minority; where even the best explanation leaves
    large residuals, the light is taken to be the same.
    """
    usable = (np.minimum(before, now) > _BLACK) & (np.maximum(before, now) < _WHITE)
    if np.count_nonzero(usable) < usable.size // 4:
        return SAME_LIGHT
    x, y = before[usable], now[usable]
    best, best_residual = SAME_LIGHT, _residual(SAME_LIGHT, x, y)
    if best_residual <= _STILL:
        return best
    for candidate in (
        Light(float(np.median(y / x)), 0.0),
        Light(1.0, float(np.median(y - x))),
        _line(x, y),
    ):
        residual = _residual(candidate, x, y)
        if residual < best_residual - _SIMPLER_WITHIN and _GAINS[0] < candidate.gain < _GAINS[1]:
            best, best_residual = candidate, residual
    return best if best_residual <= _WORST_RESIDUAL else SAME_LIGHT


def correct(small: Small, light: Light) -> Small:
    """Return the picture as it would look before the light changed."""
    if light == SAME_LIGHT:
        return small
    # convertScaleAbs would turn negative values positive; the table clips them.
    table = light.undone(np.arange(256, dtype=np.float32)).round().clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(small, table), np.uint8)


def texture_agreement(before: Small, now: Small, mask: Mask) -> float | None:
    """Tell whether the same things are to be seen under the mask: -1..1, 1 the very same.

    The correlation of fine structure (local mean removed) is blind to brightness: high where
    only the light changed, near zero where one thing stands before another.

    Returns:
        None where there is too little structure in both, or too little light before, to tell.
    """
    inside = mask > 0
    first, second = _fine(before)[inside], _fine(now)[inside]
    if first.size < 16 or max(first.std(), second.std()) < _LEAST_TEXTURE:
        return None
    if before[inside].mean() < _TOO_DARK:
        return None
    first, second = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / norm if norm > 0 else 0.0


def _fine(small: Small) -> NDArray[np.float32]:
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
    return np.asarray(grey - cv2.blur(grey, _TEXTURE_WINDOW), np.float32)


def _residual(light: Light, x: Cells, y: Cells) -> float:
    errors = np.abs(light.gain * x + light.offset - y)
    return float(np.minimum(errors, _WORST_ERROR).mean())


def _line(x: Cells, y: Cells) -> Light:
    order = np.argsort(x)
    half = len(order) // 2
    low, high = order[:half], order[-half:]
    span = x[high] - x[low]
    wide = span > 8
    if not wide.any():
        return SAME_LIGHT
    gain = float(np.median((y[high] - y[low])[wide] / span[wide]))
    return Light(gain, float(np.median(y - gain * x)))

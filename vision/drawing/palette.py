"""Colours of classes: the same everywhere, for ever, and told apart at a glance."""

import math
from functools import lru_cache
from typing import Final

_GOLDEN_ANGLE: Final = 137.50776
_FIRST_HUE: Final = 25.0
# Neighbouring ids differ in lightness as well as in hue, for eyes that see few hues.
_LIGHTNESS: Final = (0.68, 0.80, 0.60)
_CHROMA: Final = 0.19


@lru_cache(maxsize=1024)
def class_color(class_id: int) -> str:
    """Return the colour of a class as ``"#rrggbb"``.

    Hues advance by the golden angle in OKLCH, so that any number of classes stays spread out and
    a class keeps its colour whatever other classes there are.
    """
    hue = (_FIRST_HUE + _GOLDEN_ANGLE * class_id) % 360
    red, green, blue = _oklch_to_rgb(_LIGHTNESS[class_id % 3], _CHROMA, hue)
    return f"#{red:02x}{green:02x}{blue:02x}"


def color_to_bgr(color: str) -> tuple[int, int, int]:
    """Return the (blue, green, red) values of ``"#rrggbb"``, each 0..255."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return blue, green, red


def label_color(background: str) -> str:
    """Return black or white, whichever reads better on a colour (WCAG contrast)."""
    blue, green, red = (_linear(value / 255) for value in color_to_bgr(background))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    on_black = (luminance + 0.05) / 0.05
    on_white = 1.05 / (luminance + 0.05)
    return "#000000" if on_black >= on_white else "#ffffff"


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _oklch_to_rgb(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """Return the nearest colour in sRGB with this lightness and hue: chroma gives way."""
    while True:
        channels = _oklab_to_srgb(
            lightness,
            chroma * math.cos(math.radians(hue)),
            chroma * math.sin(math.radians(hue)),
        )
        if all(-0.001 <= channel <= 1.001 for channel in channels) or chroma <= 0:
            red, green, blue = (round(min(max(channel, 0.0), 1.0) * 255) for channel in channels)
            return red, green, blue
        chroma -= 0.005


def _oklab_to_srgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Convert OKLab to sRGB (Ottosson 2020)."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _encoded(value: float) -> float:
    if value <= 0.0031308:
        return 12.92 * value
    return float(1.055 * value ** (1 / 2.4) - 0.055)

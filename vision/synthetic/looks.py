"""People to paint: cut-outs of a picture, mirrored, in clothes of many colours."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.sources.examples import find_example
from vision.synthetic.outlines import FIGURES, Figure, Outline

__all__ = ["Look", "Sprite", "looks", "sprite_of"]

Colour = tuple[int, int, int]  # blue, green, red

_COATS: tuple[Colour, ...] = (
    (30, 30, 170), (150, 70, 20), (50, 120, 40), (40, 170, 205), (205, 210, 210), (35, 32, 32),
    (130, 40, 100), (20, 95, 215), (120, 130, 30), (40, 65, 105), (150, 110, 215), (110, 110, 115),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = (
    (90, 55, 25), (30, 30, 32), (105, 108, 110), (110, 150, 175),
    (45, 85, 75), (70, 40, 30), (195, 200, 200), (40, 55, 90),
)  # fmt: skip
_PATTERNS = ("plain", "stripes", "checks", "two-tone")
_LIGHT, _DARK = (235, 235, 235), (40, 40, 40)
_STRIPE, _CHECK = 18, 14  # pixels of the cut-out
_PER_FIGURE = 8
_ROOM = 2  # pixels left around an outline for its soft edge


@dataclass(frozen=True, slots=True)
class Look:
    """How one person looks.

    Attributes:
        figure: Index of the cut-out.
        mirrored: Whether left and right are exchanged.
        coat: Blue, green, red of what is worn above.
        trousers: The same of what is worn below.
        pattern: Of the coat: ``"plain"``, ``"stripes"``, ``"checks"`` or ``"two-tone"``.
    """

    figure: int
    mirrored: bool
    coat: Colour
    trousers: Colour
    pattern: str = "plain"


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A person ready to be painted.

    Attributes:
        image: (h, w, 3) uint8 BGR.
        alpha: (h, w) uint8, 255 where the person is opaque.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


def looks() -> tuple[Look, ...]:
    """Return the 32 looks: every cut-out, both ways round, in eight sets of clothes each.

    Sets are dealt out so that no cut-out wears the same coat and trousers twice. Patterns are
    there because a re-identification network sees more in them than in colours.
    """
    made = []
    for variant in range(2 * len(FIGURES)):
        figure, mirrored = divmod(variant, 2)
        for turn in range(_PER_FIGURE):
            coat = _COATS[(5 * turn + 3 * variant) % len(_COATS)]
            trousers = _TROUSERS[(turn + 2 * variant) % len(_TROUSERS)]
            pattern = _PATTERNS[(turn + variant) % len(_PATTERNS)]
            made.append(Look(figure, bool(mirrored), coat, trousers, pattern))
    return tuple(made)


@lru_cache(maxsize=64)
def sprite_of(look: Look) -> Sprite:
    """Return the person of a look, about 500 pixels tall and cropped to the outline.

    Raises:
        VisionError: ``example_picture_missing`` when ultralytics is not installed.
    """
    figure = FIGURES[look.figure]
    picture = _example_picture()
    inside = _filled(figure.outline, picture.shape)
    rows, columns = np.nonzero(inside)
    window = np.s_[
        rows.min() - _ROOM : rows.max() + 1 + _ROOM,
        columns.min() - _ROOM : columns.max() + 1 + _ROOM,
    ]
    image = _dressed(picture, inside, figure, look)[window]
    alpha = np.asarray(cv2.GaussianBlur(inside, (3, 3), 0), np.uint8)[window]
    if look.mirrored:
        image, alpha = image[:, ::-1], alpha[:, ::-1]
    return Sprite(np.ascontiguousarray(image), np.ascontiguousarray(alpha))


@lru_cache(maxsize=1)
def _example_picture() -> NDArray[np.uint8]:
    path = find_example()
    picture = cv2.imread(str(path)) if path is not None else None
    if picture is None:
        raise VisionError(
            "example_picture_missing",
            "Synthetic scenes need bus.jpg of the ultralytics package, which is not installed.",
        )
    return np.asarray(picture, np.uint8)


def _filled(outline: Outline, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255)
    return mask


def _dressed(
    picture: NDArray[np.uint8], inside: NDArray[np.uint8], figure: Figure, look: Look
) -> NDArray[np.uint8]:
    red = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb), np.uint8)[..., 1]
    cloth = (inside > 0) & (red <= figure.reddest_cloth)
    image = picture.astype(np.float32)
    coat = cloth & (_filled(figure.coat, picture.shape) > 0)
    trousers = cloth & (_filled(figure.trousers, picture.shape) > 0)
    _dye(image, trousers, np.array(look.trousers, np.float32))
    _dye(image, coat, _pattern(coat, look))
    return image.round().clip(0, 255).astype(np.uint8)


def _pattern(coat: NDArray[np.bool_], look: Look) -> NDArray[np.float32]:
    """Return the colour of every pixel of a coat, (N, 3) in the order of ``coat``."""
    rows, columns = np.nonzero(coat)
    if look.pattern == "stripes":
        second = rows // _STRIPE % 2 == 0
    elif look.pattern == "checks":
        second = (rows // _CHECK + columns // _CHECK) % 2 == 0
    elif look.pattern == "two-tone":
        second = rows > np.median(rows)
    else:
        second = np.zeros(len(rows), np.bool_)
    other = _LIGHT if sum(look.coat) < 300 else _DARK
    return np.where(second[:, None], np.array(other, np.float32), np.array(look.coat, np.float32))


def _dye(
    image: NDArray[np.float32], where: NDArray[np.bool_], colours: NDArray[np.float32]
) -> None:
    """Give cloth its colours and keep its folds: brightness relative to the cloth's own mean."""
    brightness = image[where].mean(axis=1)
    # The offset keeps the noise of black cloth from becoming a pattern on white.
    folds = ((brightness + 25) / (brightness.mean() + 25)) ** 0.8
    image[where] = colours * folds.clip(0.35, 1.7)[:, None]

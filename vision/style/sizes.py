"""How large a picture may become: memory that is there, and memory that a size takes."""

from __future__ import annotations

import bisect
from typing import Final

from vision.errors import ModelError, PictureError
from vision.style.config import LEAST_SIDE
from vision.style.framing import fitted_size

__all__ = [
    "estimate_bytes",
    "fit",
    "largest_size",
    "out_of_memory",
    "remembered_steps",
    "require_memory",
]

MOST_SIDE: Final = 8192

_WEIGHTS: Final = 12_947_776  # numbers in VGG19's first thirteen layers
_SCRATCH: Final = 96 * 2**20  # what the runtime itself takes, whatever the size
_STEP: Final = 2 * 3 * 4  # bytes a pixel of one remembered step: two float32 RGB pictures
_HISTORY: Final = 600 * 2**20
_REMEMBERED: Final = (12, 100)
# Numbers a pixel that are alive at the worst moment, responses and gradients together: the layers
# keep 320, and the first block's way back needs the widest several times more. Responses computed
# twice instead of kept saved nothing (measured at 512 x 512): that block is the worst of both ways.
_KEPT: Final = 460
# Bytes a pixel: the widest responses once more for their Gram matrix, and a handful of pictures.
_FLOATS: Final = 64 * 4 + 10 * 3 * 4
_SHARE: Final = 0.8  # of what is free: others breathe, too


def fit(height: int, width: int, *, longer_side: int | None = None) -> tuple[int, int]:
    """Return (height, width) of a picture reduced to a longer side, its aspect kept.

    Smaller pictures stay as they are.

    Raises:
        PictureError: ``too_small``: a side has fewer than 16 pixels.
    """
    scaled = fitted_size(height, width, longer_side)
    if min(scaled) < LEAST_SIDE:
        raise PictureError(
            "too_small",
            f"A picture of {scaled[1]} x {scaled[0]} pixels is too small to be painted: "
            f"both sides need {LEAST_SIDE}.",
        )
    return scaled


def remembered_steps(height: int, width: int) -> int:
    """Return how many steps L-BFGS remembers: a hundred, fewer of large pictures.

    It follows from the size alone, not from what is free: the same picture comes out every time.
    """
    return max(_REMEMBERED[0], min(_REMEMBERED[1], _HISTORY // (height * width * _STEP)))


def estimate_bytes(
    height: int, width: int, *, number_bytes: int, steps: int = _REMEMBERED[1]
) -> int:
    """Return how many bytes a picture takes at the worst moment, the network included.

    Args:
        height: Pixels.
        width: Pixels.
        number_bytes: Of one number of the network: 4, or 2 for bfloat16.
        steps: How many will be made.
    """
    least, most = (min(steps, count) * height * width * _STEP for count in _REMEMBERED)
    history = max(least, min(most, _HISTORY))
    kept = _KEPT * number_bytes
    return _SCRATCH + _WEIGHTS * number_bytes + history + height * width * (kept + _FLOATS)


def largest_size(
    available_bytes: int,
    aspect: float = 1.0,
    *,
    number_bytes: int,
    steps: int = _REMEMBERED[1],
) -> int:
    """Return the longer side of the largest picture that fits, in pixels; 0 if none does.

    Args:
        available_bytes: What may be used.
        aspect: Shorter side to longer side, 0..1.
        number_bytes: See ``estimate_bytes``.
        steps: See ``estimate_bytes``.
    """

    def needed(side: int) -> int:
        shorter = round(side * aspect)
        return estimate_bytes(shorter, side, number_bytes=number_bytes, steps=steps)

    fits = bisect.bisect_right(range(MOST_SIDE + 1), available_bytes, key=needed) - 1
    return fits if fits * aspect >= LEAST_SIDE else 0


def require_memory(
    height: int, width: int, available: int, *, number_bytes: int, steps: int = _REMEMBERED[1]
) -> None:
    """Refuse a picture that does not fit into the memory there is.

    Args:
        height: Pixels of the result.
        width: Pixels of the result.
        available: Bytes that are free.
        number_bytes: See ``estimate_bytes``.
        steps: See ``estimate_bytes``.

    Raises:
        ModelError: ``out_of_memory``, naming the largest size that fits.
    """
    budget = int(available * _SHARE)
    if estimate_bytes(height, width, number_bytes=number_bytes, steps=steps) <= budget:
        return
    aspect = min(height, width) / max(height, width)
    largest = largest_size(budget, aspect, number_bytes=number_bytes, steps=steps)
    raise out_of_memory(height, width, largest)


def out_of_memory(height: int, width: int, largest: int) -> ModelError:
    """Return the error that says which size would do."""
    there = (
        f"the largest is {largest} pixels on the longer side"
        if largest
        else "there is too little for any size"
    )
    return ModelError(
        "out_of_memory",
        f"A picture of {width} x {height} pixels does not fit into the memory that is free; "
        f"{there}.",
    )

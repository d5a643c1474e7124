"""What stylizers tell while they work, and what they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OnProgress", "StyleProgress", "Stylized"]


@dataclass(frozen=True, slots=True)
class StyleProgress:
    """How far a picture has come.

    Attributes:
        step: Of ``steps``, from 1.
        steps: How many there will be.
        loss: Of the newest step; None where nothing is optimised.
        share: Of the work that is done, 0..1; coarse steps are cheaper than fine ones.
        picture: Makes the best picture so far, (H, W, 3) uint8 BGR. It costs a conversion:
            call it only if somebody looks, and before the callback returns.
    """

    step: int
    steps: int
    loss: float | None
    share: float
    picture: Callable[[], NDArray[np.uint8]]


OnProgress = Callable[[StyleProgress], bool | None]
"""Called after every step, in the thread that works. False ends the work; the best is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Stylized:
    """A picture in a style.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        losses: (steps,) of every step that was made; empty where nothing is optimised.
        seconds: How long it took.
        stopped: Whether a callback ended it early.
        model: What made it, e.g. ``vgg19`` or ``rain-princess``.
        device: ``cpu`` or ``cuda:0``.
    """

    image: NDArray[np.uint8]
    losses: NDArray[np.float64]
    seconds: float
    stopped: bool
    model: str
    device: str

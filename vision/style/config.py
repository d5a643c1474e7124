"""How pictures are painted by optimisation, and who paints them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from vision.errors import VisionError
from vision.weights.store import WeightsStore

if TYPE_CHECKING:
    from vision.style.gatys import GatysStylizer

__all__ = ["LEAST_SIDE", "GatysConfig", "GatysOptions", "Start", "create_gatys"]

Start = Literal["content", "noise", "picture"]

LEAST_SIDE: Final = 16
"""Pixels of a picture: four times halved, one is left for the deepest layer."""

_MOST_STEPS: Final = 2000
_SIZES: Final = (16, 8192)
_STYLE_WEIGHTS: Final = (1e-3, 1e6)


@dataclass(frozen=True, slots=True)
class GatysOptions:
    """What somebody wishes of one picture.

    Attributes:
        steps: Of L-BFGS, 1..2000.
        style_weight: How much the style matters beside the content, 0.001..1,000,000. A tenth
            leaves the picture plainly to be seen, ten times as much lets it dissolve.
        keep_colours: Paint only light and dark; the colours stay those of the content.
        start: What the first step begins with: the content, noise, or a picture that is given,
            e.g. what a fast network made.
        seed: Of the noise; others begin without chance.
        size: Longer side of the result in pixels, 16..8192; smaller pictures keep their size.
            None keeps every picture's.

    Raises:
        VisionError: ``bad_option``: the message names the option and what it may be.
    """

    steps: int = 150
    style_weight: float = 20.0
    keep_colours: bool = False
    start: Start = "content"
    seed: int = 0
    size: int | None = 512

    def __post_init__(self) -> None:
        _check_whole("steps", self.steps, 1, _MOST_STEPS)
        _check_whole("seed", self.seed, 0, 2**63 - 1)
        if self.size is not None:
            _check_whole("size", self.size, *_SIZES)
        weight, (least, most) = self.style_weight, _STYLE_WEIGHTS
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise _bad("style_weight", weight, f"a number from {least} to {most:,.0f}")
        if not math.isfinite(weight) or not least <= weight <= most:
            raise _bad("style_weight", weight, f"a number from {least} to {most:,.0f}")
        if self.start not in get_args(Start):
            raise _bad("start", self.start, f"one of {', '.join(get_args(Start))}")


@dataclass(frozen=True)
class GatysConfig:
    """Everything a painter needs to know.

    Attributes:
        weights: Where VGG19 comes from.
        options: Of pictures that bring none of their own.
        features: ``"auto"`` is VGG19, and seeded random features where its weights cannot be had;
            ``"vgg19"`` then fails, ``"random"`` never asks for them.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        precision: Of the network; ``"auto"`` is BF16 where the device multiplies it in hardware.
            Pictures, Gram matrices and losses are float32 in any case.
        threads: Processor threads; None takes what affinity and container allow.
        memory: Bytes that may be used; None for what is free when a picture comes.
    """

    weights: WeightsStore
    options: GatysOptions = field(default_factory=GatysOptions)
    features: Literal["auto", "vgg19", "random"] = "auto"
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int | None = None
    memory: int | None = None


def create_gatys(config: GatysConfig) -> GatysStylizer:
    """Return a painter; its network is loaded when it is first used.

    Raises:
        ModelError: ``unknown_backend``: there are no such features, device or precision.
    """
    from vision.style.gatys import GatysStylizer

    return GatysStylizer(config)


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _bad(name, value, f"a whole number from {least} to {most}")


def _bad(name: str, value: object, wanted: str) -> VisionError:
    return VisionError("bad_option", f"The option {name} must be {wanted}, not {value!r:.40}.")

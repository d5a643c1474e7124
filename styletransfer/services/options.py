"""How something is to be painted, judged field by field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from styletransfer.errors import InvalidError
from styletransfer.models import Restyling
from vision.style import GatysOptions
from vision.weights.style_cards import STYLE_CARDS

Start = Restyling.Start

DEFAULT_SIZE: Final = 384
DEFAULT_STEPS: Final = 100
DEFAULT_STYLE_WEIGHT: Final = 20.0
SIZES: Final = (64, 4096)
STEPS: Final = (1, 2000)
STYLE_WEIGHTS: Final = (1e-3, 1e6)
SEEDS: Final = (0, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class RestyleOptions:
    """What somebody wishes of one picture or video.

    Attributes:
        size: Pixels along the longer side of the result; None keeps those of the file, and is for
            fast styles only. Nothing is enlarged.
        steps: Of the optimisation; fast styles ignore them, as all that follows but the colours.
        style_weight: How much the style matters beside the content.
        keep_colours: Paint light and dark only.
        start: What the first step begins with.
        start_network: Card of the fast style that paints the beginning, with ``start="fast"``.
        seed: Of the noise.
    """

    size: int | None = DEFAULT_SIZE
    steps: int = DEFAULT_STEPS
    style_weight: float = DEFAULT_STYLE_WEIGHT
    keep_colours: bool = False
    start: str = Start.CONTENT
    start_network: str = ""
    seed: int = 0

    def for_painter(self) -> GatysOptions:
        """Return them as the engine takes them."""
        starts = {Start.CONTENT: "content", Start.NOISE: "noise", Start.FAST: "picture"}
        return GatysOptions(
            steps=self.steps,
            style_weight=self.style_weight,
            keep_colours=self.keep_colours,
            start=starts[Start(self.start)],  # type: ignore[arg-type]
            seed=self.seed,
            size=self.size,
        )


def parse_options(data: Mapping[str, Any], *, is_fast: bool) -> RestyleOptions:
    """Judge the options of a form or of JSON; what is left out, or empty, is the default.

    Args:
        data: Any of the names of `RestyleOptions`.
        is_fast: Whether a network paints: without a size it then keeps the file's.

    Raises:
        InvalidError: With a sentence for every field that is wrong.
    """
    wrong: dict[str, str] = {}
    options = RestyleOptions(
        size=_whole(data, "size", SIZES, None if is_fast else DEFAULT_SIZE, wrong),
        steps=_whole(data, "steps", STEPS, DEFAULT_STEPS, wrong) or DEFAULT_STEPS,
        style_weight=_number(data, "style_weight", STYLE_WEIGHTS, DEFAULT_STYLE_WEIGHT, wrong),
        keep_colours=_flag(data, "keep_colours", wrong),
        start=_choice(data, "start", Start.values, Start.CONTENT, wrong),
        start_network=_choice(data, "start_network", list(STYLE_CARDS), "", wrong),
        seed=_whole(data, "seed", SEEDS, 0, wrong) or 0,
    )
    if options.start == Start.FAST and not options.start_network and not is_fast:
        wrong.setdefault("start_network", "Say which fast style paints the beginning.")
    if wrong:
        raise InvalidError(wrong)
    return options


def _given(data: Mapping[str, Any], name: str) -> Any:
    value = data.get(name)
    return None if isinstance(value, str) and not value.strip() else value


def _whole(
    data: Mapping[str, Any],
    name: str,
    limits: tuple[int, int],
    default: int | None,
    wrong: dict[str, str],
) -> int | None:
    value = _given(data, name)
    if value is None:
        return default
    number = _read_number(value)
    least, most = limits
    if number is None or number != int(number) or not least <= number <= most:
        wrong[name] = f"{name} must be a whole number from {least} to {most:,}."
        return default
    return int(number)


def _number(
    data: Mapping[str, Any],
    name: str,
    limits: tuple[float, float],
    default: float,
    wrong: dict[str, str],
) -> float:
    value = _given(data, name)
    if value is None:
        return default
    number = _read_number(value)
    least, most = limits
    if number is None or not least <= number <= most:
        wrong[name] = f"{name} must be a number from {least:g} to {most:,.0f}."
        return default
    return number


def _read_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _flag(data: Mapping[str, Any], name: str, wrong: dict[str, str]) -> bool:
    value = _given(data, name)
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).strip().lower()
    if text not in ("true", "1", "on", "false", "0", "off"):
        wrong[name] = f"{name} must be true or false."
    return text in ("true", "1", "on")


def _choice(
    data: Mapping[str, Any], name: str, choices: list[str], default: str, wrong: dict[str, str]
) -> str:
    value = _given(data, name)
    if value is None:
        return default
    if value not in choices:
        wrong[name] = f"{name} must be one of {', '.join(choices)}."
        return default
    return str(value)

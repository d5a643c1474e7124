"""Cards of networks that paint in one style each, in a single pass.

They are the five of the ONNX Model Zoo, trained by PyTorch's `fast_neural_style` example; hashes
and sizes are those of the zoo's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from vision.errors import ModelError
from vision.weights.cards import WeightsFile

__all__ = ["STYLE_CARDS", "StyleCard", "get_style_card"]


@dataclass(frozen=True, slots=True)
class StyleCard(WeightsFile):
    """A network that paints in one style (Johnson et al. 2016, "Perceptual Losses").

    Its input is (1, 3, H, W) float32 RGB from 0 to 255, its output the same.

    Attributes:
        title: What people call the style.
    """

    title: str


# The zoo's own repository serves no files since July 2025; this is where it moved to.
_ZOO: Final = "https://huggingface.co/onnxmodelzoo"
_BYTES: Final = 6_728_029  # of all five: one network with different weights

# name, title, SHA-256
_ZOO_STYLES: Final[tuple[tuple[str, str, str], ...]] = (
    ("candy", "Candy", "9d11a3529d1e547da6ae07201d93484dbab2ec0a3614535752c8f40f0fe2968a"),
    ("mosaic", "Mosaic", "fa646dedade881243f8d5a2ceb7de2b93675b21fc24f7482894ac4851a9a0a47"),
    (
        *("pointilism", "Pointillism"),
        "5ee2b8d4d6bc60a777f54e0fe96a1b717360a004b79d56c67390d4a975b14d98",
    ),
    (
        *("rain-princess", "Rain princess"),
        "4162912e6f75fedef6f810ae989b9e10d3d5d43308dab34b027c850cf255e152",
    ),
    ("udnie", "Udnie", "8656b6ce7dec8f22ee13c2d557d6b67bd6f550dde88d0f2e7c9972aeb765cc0d"),
)

STYLE_CARDS: Final[Mapping[str, StyleCard]] = MappingProxyType(
    {
        name: StyleCard(
            name=name,
            title=title,
            file=f"{name}-9.onnx",
            url=f"{_ZOO}/{name}-9/resolve/main/{name}-9.onnx",
            sha256=sha256,
            bytes=_BYTES,
            licence="BSD-3-Clause",
        )
        for name, title, sha256 in _ZOO_STYLES
    }
)
"""The cards of fast styles by name."""


def get_style_card(name: str) -> StyleCard:
    """Return the card of a fast style.

    Raises:
        ModelError: ``unknown_model``.
    """
    card = STYLE_CARDS.get(name)
    if card is None:
        raise ModelError(
            "unknown_model",
            f"There is no fast style {name[:40]!r}; there are {', '.join(STYLE_CARDS)}.",
        )
    return card

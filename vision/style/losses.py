"""What L-BFGS brings down: how far a picture is from the content and from the style.

After Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR
2016), equations 1 to 7, with one difference: every term is divided by the size of its target.
Terms then are fractions of their targets, so that one weight of the style suits trained and random
features and pictures of every size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch

from vision.style.features import CONTENT_LAYER, STYLE_LAYERS, FeatureNetwork, Features

__all__ = ["Targets", "gram", "make_targets", "picture_loss", "total_loss"]

_LEAST: Final = 1e-6  # of a mean square: a picture of the mean colour has features near zero


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What a picture is compared to.

    Attributes:
        content: (1, C, H, W) responses of the content layer, in the precision of the features.
        content_scale: Their mean square.
        grams: (C, C) float32 of each style layer.
        gram_scales: Their mean squares.
    """

    content: torch.Tensor
    content_scale: float
    grams: Mapping[str, torch.Tensor]
    gram_scales: Mapping[str, float]


def gram(responses: torch.Tensor) -> torch.Tensor:
    """Return (C, C) float32: the mean over all places of the products of two channels.

    Args:
        responses: (1, C, H, W) of any floating type; multiplied and summed in float32.
    """
    return _Gram.apply(responses)  # type: ignore[no-any-return]


def make_targets(content: Features, style: Features) -> Targets:
    """Return the targets that the responses to content and style make."""
    grams = {name: gram(style[name]) for name in STYLE_LAYERS}
    return Targets(
        content=content[CONTENT_LAYER],
        content_scale=_mean_square(content[CONTENT_LAYER]),
        grams=grams,
        gram_scales={name: _mean_square(matrix) for name, matrix in grams.items()},
    )


def total_loss(responses: Features, targets: Targets, style_weight: float) -> torch.Tensor:
    """Return content + style_weight * style, a float32 scalar.

    Content is the mean squared difference of the responses, style the mean over the layers of the
    mean squared difference of the Gram matrices; each divided by the mean square of its target.
    """
    measured = {name: _measure(name, values) for name, values in responses.items()}
    return _combined(measured, targets, style_weight)


def picture_loss(
    network: FeatureNetwork, picture: torch.Tensor, targets: Targets, style_weight: float
) -> torch.Tensor:
    """Return the ``total_loss`` of a picture; its responses are let go as soon as they can be."""
    measured = network(picture, reduce=_measure)
    return _combined(measured, targets, style_weight)


def _measure(name: str, responses: torch.Tensor) -> torch.Tensor:
    return gram(responses) if name in STYLE_LAYERS else responses


def _combined(measured: Features, targets: Targets, style_weight: float) -> torch.Tensor:
    difference = (measured[CONTENT_LAYER] - targets.content).float()
    content = difference.square().mean() / targets.content_scale
    layers = [
        (measured[name] - targets.grams[name]).square().mean() / targets.gram_scales[name]
        for name in STYLE_LAYERS
    ]
    return content + style_weight * torch.stack(layers).mean()


class _Gram(torch.autograd.Function):
    """Autograd alone would multiply twice on the way back, and in float32."""

    @staticmethod
    def forward(ctx: Any, responses: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(responses)
        places = _by_place(responses).float()
        return places.T @ places / places.shape[0]

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (responses,) = ctx.saved_tensors
        places = _by_place(responses)
        # Scaled before it is rounded: in half precision small numbers would vanish.
        factor = ((gradient + gradient.T) / places.shape[0]).to(places.dtype)
        _, channels, height, width = responses.shape
        return (places @ factor).reshape(1, height, width, channels).permute(0, 3, 1, 2)


def _by_place(responses: torch.Tensor) -> torch.Tensor:
    """Return (H*W, C): no copy where channels come last in memory."""
    return responses.permute(0, 2, 3, 1).reshape(-1, responses.shape[1])


def _mean_square(values: torch.Tensor) -> float:
    return max(float(values.float().square().mean()), _LEAST)

"""What a picture makes a network respond: VGG19's first thirteen layers, trained or random.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2015);
which layers tell content and style is from Gatys et al. (CVPR 2016). Pooling is by the average, as
they recommend: it gives smoother pictures, and needs no memory of where the largest value was.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch
from torch.nn import functional

from vision.errors import ModelError

__all__ = [
    "CONTENT_LAYER",
    "STYLE_LAYERS",
    "FeatureNetwork",
    "Features",
    "load_weights",
    "random_weights",
]

Features = Mapping[str, torch.Tensor]
Reduce = Callable[[str, torch.Tensor], torch.Tensor]
Weights = list[tuple[torch.Tensor, torch.Tensor]]
"""(out, in, 3, 3) kernels and (out,) biases, from the picture on."""

STYLE_LAYERS: Final = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
CONTENT_LAYER: Final = "conv4_2"

_BLOCKS: Final = ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,))
_LAYERS: Final = tuple(
    (f"conv{block}_{layer}", channels)
    for block, widths in enumerate(_BLOCKS, 1)
    for layer, channels in enumerate(widths, 1)
)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB in 0..1
_SEED: Final = 2016


class FeatureNetwork:
    """Computes responses of the layers that Gatys' losses look at.

    Args:
        weights: Of the thirteen layers; see ``load_weights`` and ``random_weights``.
        device: Where it computes.
        dtype: What it computes in; pictures stay float32.
    """

    def __init__(self, weights: Weights, *, device: torch.device, dtype: torch.dtype) -> None:
        self.device, self.dtype = device, dtype
        self._weights = [
            (
                kernel.to(device, dtype).contiguous(memory_format=torch.channels_last),
                bias.to(device, dtype),
            )
            for kernel, bias in weights
        ]
        self._mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(_DEVIATION, device=device).view(1, 3, 1, 1)

    def __call__(self, picture: torch.Tensor, *, reduce: Reduce | None = None) -> Features:
        """Return the responses, after their rectifiers, by the layer's name.

        Args:
            picture: (1, 3, H, W) float32 RGB in 0..1, sides of at least 16.
            reduce: What becomes of a layer's name and responses at once. What it makes small need
                not be kept until the end, nor its gradient from the end.
        """
        values = ((picture - self._mean) / self._deviation).to(self.dtype)
        values = values.contiguous(memory_format=torch.channels_last)
        found: dict[str, torch.Tensor] = {}
        first = 0
        for widths in _BLOCKS:
            last = first + len(widths)
            values, taps = self._block(values, first, last, reduce)
            found.update(taps)
            first = last
        return found

    def _block(
        self, values: torch.Tensor, first: int, last: int, reduce: Reduce | None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        taps = {}
        for place in range(first, last):
            kernel, bias = self._weights[place]
            # In place: the way back needs what the rectifier gave, not what it got.
            values = functional.relu_(functional.conv2d(values, kernel, bias, padding=1))
            name = _LAYERS[place][0]
            if name in STYLE_LAYERS or name == CONTENT_LAYER:
                taps[name] = values if reduce is None else reduce(name, values)
        if last == len(_LAYERS):
            return values, taps
        # Within the block: pooling remembers what it got, and that must not outlive it.
        return functional.avg_pool2d(values, 2), taps


def load_weights(path: Path) -> Weights:
    """Return the layers' weights of torchvision's VGG19.

    Raises:
        ModelError: ``bad_model``: the file holds something else.
    """
    try:
        # The published file is of torch's old format, which cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        places = _places()
        weights = [(state[f"features.{at}.weight"], state[f"features.{at}.bias"]) for at in places]
        shapes = [tuple(kernel.shape) for kernel, _ in weights]
    except Exception as error:  # pickle, zip and torch each raise their own
        raise ModelError("bad_model", f"{path.name} is not VGG19: {error}.") from error
    if shapes != _shapes():
        raise ModelError("bad_model", f"{path.name} is not VGG19: its layers have other shapes.")
    return [(kernel.float(), bias.float()) for kernel, bias in weights]


def random_weights(seed: int = _SEED) -> Weights:
    """Return seeded weights without any training, always the same.

    Such features restyle pictures, too: He, Wang and Hopcroft, "A Powerful Generative Model Using
    Random Weights for the Deep Image Representation" (NIPS 2016). Kernels are normally distributed
    with variance 2 / inputs (He et al., ICCV 2015).
    """
    generator = torch.Generator().manual_seed(seed)
    weights = []
    for shape in _shapes():
        deviation = math.sqrt(2 / math.prod(shape[1:]))
        weights.append((torch.randn(shape, generator=generator) * deviation, torch.zeros(shape[0])))
    return weights


def _places() -> list[int]:
    """Where torchvision's list of layers has the convolutions: each is followed by a rectifier."""
    places, at = [], 0
    for widths in _BLOCKS:
        for _ in widths:
            places.append(at)
            at += 2
        at += 1  # the pooling
    return places


def _shapes() -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    inputs = 3
    for _, channels in _LAYERS:
        shapes.append((channels, inputs, 3, 3))
        inputs = channels
    return shapes

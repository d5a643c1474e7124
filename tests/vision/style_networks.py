"""Small one-pass style networks of seeded random weights, and the files that hold them."""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import nn

from vision.weights.cards import WeightsFile

Image = NDArray[np.uint8]


def make_card(path: Path, **changes: Any) -> WeightsFile:
    content = path.read_bytes()
    fields = {
        "name": "random",
        "file": path.name,
        "url": "",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": "CC0-1.0",
    }
    return WeightsFile(**{**fields, **changes})


def noise(height: int, width: int, seed: int = 0) -> Image:
    """A picture with large and small things in it."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return (image + random.integers(-20, 21, image.shape)).clip(0, 255).astype(np.uint8)


def as_torch_paints(network: nn.Module, pixels: Image) -> NDArray[np.float32]:
    """(1, H, W, 3) RGB in and out, unrounded."""
    with torch.no_grad():
        painted = network(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
    values: NDArray[np.float32] = painted.permute(0, 2, 3, 1).numpy()
    return values


class Layer(nn.Module):
    """A convolution over a picture that its edges mirror."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.mirror = nn.ReflectionPad2d(kernel // 2)
        self.convolve = nn.Conv2d(inputs, outputs, kernel, stride)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.convolve(self.mirror(values))


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            Layer(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
            nn.ReLU(),
            Layer(channels, channels, 3),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.steps(values) + values


class Enlarged(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(values, scale_factor=2, mode="nearest")


class TransformerNet(nn.Sequential):
    """The architecture of Johnson et al. 2016 as the zoo's networks have it, but narrower."""

    @classmethod
    def random(cls, seed: int, width: int = 8) -> "TransformerNet":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers: list[nn.Module] = []
            for inputs, outputs, kernel, stride in (
                (3, width, 9, 1),
                (width, 2 * width, 3, 2),
                (2 * width, 4 * width, 3, 2),
            ):
                layers += _normalised(Layer(inputs, outputs, kernel, stride), outputs)
            layers += [Residual(4 * width) for _ in range(5)]
            for inputs, outputs in ((4 * width, 2 * width), (2 * width, width)):
                layers += [Enlarged(), *_normalised(Layer(inputs, outputs, 3), outputs)]
            last = Layer(width, 3, 9)
            with torch.no_grad():  # colours that fill most of 0..255
                last.convolve.weight *= 30
                last.convolve.bias += 128
            return cls(*layers, last).eval()


def export_as_published(network: nn.Module, path: Path) -> Path:
    """Write a network as the ONNX Model Zoo's were: opset 9, for 224 x 224 pixels only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is asked for what is out of date
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, 224, 224),),
            path,
            opset_version=9,
            input_names=["input1"],
            output_names=["output1"],
            dynamo=False,
        )
    return path


def with_computed_enlarging(published: Path, path: Path) -> Path:
    """Write a network whose factors are computed as old exporters did it.

    They divide the size that the exporter saw, a number in the file, by that of the picture.
    """
    model = onnx.load(published)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    seen = iter((112, 224))
    for node in nodes:
        if node.op_type == "Upsample":
            model.graph.node.extend(_factors(model.graph, node, next(seen)))
        model.graph.node.append(node)
    onnx.save(model, path)
    return path


def _factors(graph: onnx.GraphProto, node: onnx.NodeProto, size: int) -> list[onnx.NodeProto]:
    own = f"factors_{size}"
    graph.initializer.extend(
        (
            numpy_helper.from_array(np.ones(2, np.float32), f"{own}_ones"),
            numpy_helper.from_array(np.full(2, size, np.float32), f"{own}_seen"),
        )
    )
    nodes = [
        helper.make_node("Shape", [node.input[0]], [f"{own}_shape"]),
        helper.make_node(
            "Slice", [f"{own}_shape"], [f"{own}_sides"], axes=[0], starts=[2], ends=[4]
        ),
        helper.make_node("Cast", [f"{own}_sides"], [f"{own}_float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Div", [f"{own}_seen", f"{own}_float"], [f"{own}_both"]),
        helper.make_node("Concat", [f"{own}_ones", f"{own}_both"], [own], axis=0),
    ]
    node.input[1] = own
    return nodes


def _normalised(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(channels, affine=True), nn.ReLU()]

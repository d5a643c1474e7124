"""YuNet: finds faces and their landmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor

from vision.detection.nms import suppress
from vision.errors import ModelError
from vision.faces.found import Found
from vision.faces.programs import StaticPrograms

__all__ = ["MINIMUM_SCORE", "Look", "YuNet", "plan_looks"]

Image = NDArray[np.uint8]

MINIMUM_SCORE: Final = 0.6
"""Less sure ones are not returned, unless they are asked for."""

_STRIDES = (8, 16, 32)
_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
_FIRST_SIDE = 640  # longer side of the first look: finds all faces but small ones
_FIRST_SHAPES = ((160, 160), (320, 320), (384, 640), (640, 384), (640, 640))
_LONGEST_SIDE = 2048  # of the second
_STEP = 128  # pixels, of its sides
_SMALLEST = 10  # pixels of the input that a face needs to be found
_OVERLAP = 0.3
_MOST = 1000
_PROGRAMS = 16
_TURNED_SIDE = 160
_TURNED_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Look:
    """How large a picture is looked at.

    Attributes:
        scale: Pixels of the input per pixel of the picture.
        height: Of the input; a multiple of 32.
        width: Of the input; a multiple of 32.
    """

    scale: float
    height: int
    width: int


def plan_looks(height: int, width: int, minimum_size: int) -> list[Look]:
    """Return how to look at a picture to find faces of a size and all larger ones.

    One look at a reduced picture finds all but small faces, and large ones better than a look at
    the whole picture would; a second, larger one follows only where smaller faces are asked for.
    """
    first = min(1.0, _FIRST_SIDE / max(height, width))
    # Few shapes: parts of pictures are of all sizes, and each shape is a program to compile.
    high, wide = _scaled(height, first), _scaled(width, first)
    shape = next(shape for shape in _FIRST_SHAPES if high <= shape[0] and wide <= shape[1])
    looks = [Look(first, *shape)]
    wanted = min(1.0, _SMALLEST / max(1, minimum_size), _LONGEST_SIDE / max(height, width))
    if wanted > first * 1.2:
        sides = (math.ceil(_scaled(side, wanted) / _STEP) * _STEP for side in (height, width))
        looks.append(Look(wanted, *sides))
    return looks


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


class YuNet:
    """Finds faces; from any thread.

    Args:
        path: The network's ONNX file.
        threads: Processor threads to use.

    Raises:
        ModelError: ``bad_model_file``.
    """

    name = "yunet"

    def __init__(self, path: Path, *, threads: int) -> None:
        try:
            network = ov.Core().read_model(path)
            names = {name for port in network.outputs for name in port.names}
        except RuntimeError as error:
            raise ModelError("bad_model_file", f"{path.name} cannot be read.") from error
        if not names.issuperset(_OUTPUTS):
            raise ModelError("bad_model_file", f"{path.name} is not YuNet.")
        self._programs = StaticPrograms(
            lambda shape: _build(network, shape), threads=threads, limit=_PROGRAMS
        )

    def prepare(self, image: Image, look: Look) -> Image:
        """Return the picture at the size of a look, (1, H, W, 3), zeros beside it."""
        pixels = np.zeros((1, look.height, look.width, 3), np.uint8)
        size = tuple(_scaled(side, look.scale) for side in image.shape[1::-1])
        content = pixels[0, : size[1], : size[0]]
        if size == image.shape[1::-1]:
            content[:] = image
        else:
            method = cv2.INTER_AREA if look.scale < 0.4 else cv2.INTER_LINEAR
            content[:] = cv2.resize(image, size, interpolation=method)
        return pixels

    def forward(self, pixels: Image, *, alone: bool) -> list[NDArray[np.float32]]:
        """Run the network over one prepared picture."""
        return self._programs.run(pixels, alone=alone)

    def decode(
        self, raw: list[NDArray[np.float32]], look: Look, confidence: float = MINIMUM_SCORE
    ) -> Found:
        """Return the faces of a look in pixels of the picture, not yet free of double ones."""
        scores, boxes, points = (values[0] for values in raw)
        chosen = np.flatnonzero(scores[:, 0] > confidence)
        if not len(chosen):
            return Found.none()
        corners, strides = _grid(look, chosen)
        centre = (corners + boxes[chosen, :2]) * strides
        half = np.exp(boxes[chosen, 2:].clip(-10, 10)) * strides / 2
        landmarks = (corners[:, None] + points[chosen].reshape(-1, 5, 2)) * strides[:, None]
        found = np.concatenate((centre - half, centre + half), axis=1)
        return Found(
            (found / look.scale).astype(np.float32),
            scores[chosen, 0],
            (landmarks / look.scale).astype(np.float32),
        )

    @staticmethod
    def turned_crops(image: Image, box: NDArray[np.float32]) -> Image:
        """Return a face four times, (4, 160, 160, 3): upright, and turned by 90, 180 and 270°."""
        middle, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * 1.6
        scale = _TURNED_SIDE / max(side, 1.0)
        shift = _TURNED_SIDE / 2 - middle * scale
        # At the edges of a picture its own colours go on, so that no turn is at a disadvantage.
        upright = cv2.warpAffine(
            image,
            np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64),
            (_TURNED_SIDE, _TURNED_SIDE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.ascontiguousarray([np.rot90(upright, turns) for turns in range(4)], np.uint8)

    def is_upright(self, crops: Image, *, alone: bool) -> bool:
        """Return whether a face is surest as it is, of its four crops."""
        scores = [float(self.forward(crop[None], alone=alone)[0].max()) for crop in crops]
        return scores[0] + _TURNED_MARGIN >= max(scores)

    @staticmethod
    def merge(looks: list[Found]) -> Found:
        """Return the faces of all looks, each once."""
        found = Found.together(looks)
        if len(found) < 2:
            return found
        return found.take(suppress(found.boxes, found.scores, iou=_OVERLAP, limit=_MOST))


def _grid(look: Look, chosen: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return column, row and stride of chosen anchors: (N, 2) and (N, 1)."""
    corners = np.empty((len(chosen), 2))
    strides = np.empty((len(chosen), 1))
    begin = 0
    for stride in _STRIDES:
        columns = look.width // stride
        count = columns * (look.height // stride)
        inside = (chosen >= begin) & (chosen < begin + count)
        rows, places = np.divmod(chosen[inside] - begin, columns)
        corners[inside] = np.stack((places, rows), axis=1)
        strides[inside] = stride
        begin += count
    return corners, strides


def _build(network: ov.Model, shape: tuple[int, ...]) -> ov.Model:
    """Return the network for one size: bytes in; score, box and landmarks of all anchors out."""
    model = network.clone()
    model.reshape({0: [shape[0], 3, shape[1], shape[2]]})
    ports = {name: port for port in model.outputs for name in port.names}

    def gather(kind: str) -> ov.Node:
        # What leads to an output, not the output: that one belongs to the old model.
        parts = [ports[f"{kind}_{stride}"].get_node().input_value(0) for stride in _STRIDES]
        return ops.concat(parts, axis=1)

    scores = ops.sqrt(ops.multiply(ops.clamp(gather("cls"), 0, 1), ops.clamp(gather("obj"), 0, 1)))
    merged = ov.Model([scores, gather("bbox"), gather("kps")], model.get_parameters(), "yunet")
    steps = PrePostProcessor(merged)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().tensor().set_color_format(ColorFormat.BGR)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()

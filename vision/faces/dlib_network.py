"""dlib's face network as an OpenVINO model.

The same numbers as dlib's own runtime to 1e-6, and some forty times as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from vision.faces.dlib_format import (
    BLOCKS,
    FACE_SIZE,
    Convolution,
    FaceNetwork,
    read_face_network,
)
from vision.faces.programs import StaticPrograms
from vision.faces.structures import EMBEDDING_SIZE, Embeddings

__all__ = ["BATCHES", "DlibNetwork", "build_model"]

BATCHES: Final = (8, 4, 2, 1)
"""How many faces share a call; a face more or less must not compile another program."""


class DlibNetwork:
    """Turns face pictures into embeddings; from any thread.

    Args:
        path: ``dlib_face_recognition_resnet_model_v1.dat``.
        threads: Processor threads to use.

    Raises:
        ModelError: ``bad_model_file``.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        network = read_face_network(path)
        self._programs = StaticPrograms(
            lambda shape: build_model(network, shape[0]), threads=threads, limit=2 * len(BATCHES)
        )

    def embed(self, chips: NDArray[np.uint8], *, alone: bool) -> Embeddings:
        """Return (N, 128) for (N, 150, 150, 3) BGR; N is one of `BATCHES`."""
        return self._programs.run(np.ascontiguousarray(chips), alone=alone)[0]


def build_model(network: FaceNetwork, batch: int) -> ov.Model:
    """Return the network for a fixed number of pictures, (batch, 150, 150, 3) uint8 BGR."""
    picture = ops.parameter([batch, FACE_SIZE, FACE_SIZE, 3], np.uint8, name="faces")
    colours = ops.gather(picture, _constant([2, 1, 0], np.int64), _constant(3, np.int64))
    planes = ops.transpose(ops.convert(colours, np.float32), _constant([0, 3, 1, 2], np.int64))
    mean = _constant(np.reshape(network.mean, (1, 3, 1, 1)), np.float32)
    values = ops.multiply(ops.subtract(planes, mean), _constant(1 / 256, np.float32))
    values = ops.relu(_convolve(values, network.first))
    values = ops.max_pool(values, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(0)
    for (first, second), (_, halves) in zip(network.blocks, BLOCKS, strict=True):
        inner = _convolve(ops.relu(_convolve(values, first)), second)
        if halves:
            values = ops.avg_pool(values, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=True)
        values = ops.relu(_add(inner, values))
    values = ops.reduce_mean(values, _constant([2, 3], np.int64), keep_dims=False)
    projection = _constant(network.projection, np.float32)
    embedding = ops.matmul(values, projection, transpose_a=False, transpose_b=False)
    embedding.set_friendly_name("embedding")
    model = ov.Model([embedding], [picture], "dlib-face-network")
    if list(embedding.output(0).shape) != [batch, EMBEDDING_SIZE]:
        raise AssertionError("the network's output has another shape")
    return model


def _constant(values: Any, dtype: Any) -> ov.Node:
    return ops.constant(np.asarray(values, dtype=dtype))


def _convolve(values: ov.Node, layer: Convolution) -> ov.Node:
    """Convolve, the scaling after it folded into the weights."""
    scale = layer.scale.astype(np.float64)
    weights = layer.weights * scale[:, None, None, None]
    bias = layer.bias * scale + layer.shift
    strides, pads = [layer.stride] * 2, [layer.padding] * 2
    result = ops.convolution(values, _constant(weights, np.float32), strides, pads, pads, [1, 1])
    return ops.add(result, _constant(bias.reshape(1, -1, 1, 1), np.float32))


def _add(first: ov.Node, second: ov.Node) -> ov.Node:
    """Add two stacks of planes; what one lacks in channels, rows or columns counts as zero."""
    shapes = [list(node.shape) for node in (first, second)]
    largest = [max(sizes) for sizes in zip(*shapes, strict=True)]
    return ops.add(_grow(first, shapes[0], largest), _grow(second, shapes[1], largest))


def _grow(values: ov.Node, shape: Sequence[int], wanted: Sequence[int]) -> ov.Node:
    missing = [want - have for have, want in zip(shape, wanted, strict=True)]
    if not any(missing):
        return values
    ends = _constant(missing, np.int64)
    return ops.pad(values, _constant([0] * 4, np.int64), ends, "constant", _constant(0, np.float32))

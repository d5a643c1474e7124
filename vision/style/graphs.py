"""Style networks as they are published, made ready for pictures of any size.

The ONNX Model Zoo's were saved for 224 x 224 pixels: their graphs say so at both ends. Nothing
between them depends on it, but for enlarging, whose factor some exporters compute from the sizes
that they saw.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper
from onnx.helper import get_attribute_value

from vision.errors import ModelError

__all__ = ["MULTIPLE", "load_for_any_size", "needed_margin"]

MULTIPLE: Final = 4
"""Sides of a network's input are multiples: it halves them twice, and doubles them twice."""

_MARGIN: Final = 40  # pixels that zeros at the edges reach inwards, through all layers
_SIZE_AXES: Final = ("height", "width")


def load_for_any_size(path: Path) -> onnx.ModelProto:
    """Return a network with a free height and width, else as it is in the file.

    Args:
        path: ONNX file with one input and one output, both (1, 3, H, W) float32.

    Raises:
        ModelError: ``bad_model_file``.
    """
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        raise not_a_style(path) from error
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    # Old exporters list weights among the inputs.
    ends = [[value for value in graph.input if value.name not in constants], list(graph.output)]
    if any(len(values) != 1 or not _is_picture(values[0]) for values in ends):
        raise not_a_style(path)
    for (value,) in ends:
        for dim, name in zip(value.type.tensor_type.shape.dim[2:], _SIZE_AXES, strict=True):
            dim.dim_param = name  # a dim has either; the number goes
    del graph.value_info[:]  # sizes between the layers, where the exporter wrote them down
    _fix_enlarging(graph, constants)
    return model


def needed_margin(model: onnx.ModelProto) -> int:
    """Return how many pixels to add around a picture, so that no band shows at its edges.

    A network that continues pictures with zeros paints the edges in other colours; one that
    reflects them, as the zoo's do, needs nothing.
    """
    for node in model.graph.node:
        if node.op_type == "Conv":
            attributes = {item.name: get_attribute_value(item) for item in node.attribute}
            if any(attributes.get("pads", ())) or attributes.get("auto_pad", b"").startswith(
                b"SAME"
            ):
                return _MARGIN
    return 0


def not_a_style(path: Path) -> ModelError:
    """Return the error of a file that holds no style network."""
    return ModelError("bad_model_file", f"{path.name} is not a network that paints pictures.")


def _is_picture(value: onnx.ValueInfoProto) -> bool:
    kind = value.type.tensor_type
    dims = kind.shape.dim
    if kind.elem_type != onnx.TensorProto.FLOAT or len(dims) != 4:
        return False
    return dims[1].dim_value in (0, 3)  # 0 is a name or nothing


def _fix_enlarging(graph: onnx.GraphProto, constants: set[str]) -> None:
    """Let whatever enlarges by computed factors double the sides: these networks do just that."""
    fixed = constants | {
        name for node in graph.node if node.op_type == "Constant" for name in node.output
    }
    computed = [
        node
        for node in graph.node
        if node.op_type == "Upsample" and len(node.input) == 2 and node.input[1] not in fixed
    ]
    if not computed:
        return
    name = "sightline_doubling"
    doubling = np.array([1, 1, 2, 2], np.float32)  # of batch, channels, height, width
    graph.initializer.append(numpy_helper.from_array(doubling, name))
    for node in computed:
        node.input[1] = name

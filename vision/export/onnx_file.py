"""Writes a network as ONNX, with free batch, height and width. Imports torch."""

import warnings
from pathlib import Path

import torch

from vision.export.network import load_network

__all__ = ["write_onnx"]

_OPSET = 17
_AXES = {
    "images": {0: "batch", 1: "height", 2: "width"},
    "boxes": {0: "batch", 2: "anchors"},
    "scores": {0: "batch", 1: "anchors"},
    "labels": {0: "batch", 1: "anchors"},
    "coefficients": {0: "batch", 2: "anchors"},
    "prototypes": {0: "batch", 2: "rows", 3: "columns"},
    "keypoints": {0: "batch", 2: "anchors"},
}


def write_onnx(weights: Path, target: Path) -> None:
    """Export a checkpoint.

    One file serves every bucket: runtimes fix the shape when they compile, which is a matter of a
    tenth of a second, so a new bucket costs no new export.

    Raises:
        ModelError: ``unsupported_task``.
    """
    network = load_network(weights)
    network.fold_scale()
    names = network.output_names
    example = torch.zeros(1, 384, 640, 3, dtype=torch.uint8)
    with torch.inference_mode(), warnings.catch_warnings():
        # The exporter based on torch.export needs a further package and yields no better graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (example,),
            str(target),
            input_names=["images"],
            output_names=list(names),
            dynamic_axes={name: _AXES[name] for name in ("images", *names)},
            opset_version=_OPSET,
            dynamo=False,
        )

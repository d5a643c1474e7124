"""One-pass style networks as static OpenVINO programs: bytes in, bytes out.

OpenVINO and not ONNX Runtime: it is as fast or faster, and needs half of the memory. Its dynamic
shapes make memory grow, so every size is a program of its own; a video needs one. What a picture
goes through before and after is part of the program, but for the order of colours: reversed at
both ends of one program, OpenVINO 2026.4 computes another picture.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from vision.detection.hardware import has_bf16
from vision.errors import ModelError
from vision.style.graphs import MULTIPLE, load_for_any_size, needed_margin, not_a_style

__all__ = ["Precision", "StyleNetwork", "largest_side", "needed_memory"]

Precision = Literal["auto", "fp32", "bf16"]
Image = NDArray[np.uint8]

_PROGRAMS: Final = 6  # as landscape, portrait, square, each as a preview and as a result
_KEPT_PIXELS: Final = 2_000_000  # of all programs but the newest
_BYTES_PER_PIXEL: Final = 540  # measured at fp32, of the zoo's networks; bf16 takes fewer
_BYTES: Final = 45_000_000  # whatever the size


def needed_memory(height: int, width: int) -> int:
    """Return the bytes that painting an input of this size takes, about."""
    return _BYTES + height * width * _BYTES_PER_PIXEL


def largest_side(height: int, width: int, memory: int) -> int:
    """Return the longer side of the largest input of these proportions that a memory allows."""
    pixels = max(0, memory - _BYTES) / _BYTES_PER_PIXEL
    return int(max(height, width) * math.sqrt(pixels / (height * width)))


class StyleNetwork:
    """Runs one network; from one thread at a time.

    Args:
        path: ONNX file, see `load_for_any_size`.
        threads: Processor threads to use.
        precision: ``auto`` is BF16 where the processor multiplies it in hardware: half of the
            time, and colours that are off by up to 1 of 255 on average. ``fp32`` paints as the
            network was published, on every machine.

    Attributes:
        margin: Pixels to add around a picture, see `needed_margin`.
        precision: ``fp32`` or ``bf16``.

    Raises:
        ModelError: ``bad_model_file``.
    """

    def __init__(self, path: Path, *, threads: int, precision: Precision = "auto") -> None:
        graph = load_for_any_size(path)
        self.margin = needed_margin(graph)
        self.precision = _choose(precision)
        self._core = ov.Core()
        self._config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
            "ENABLE_CPU_PINNING": False,
        }
        self._programs: OrderedDict[tuple[int, ...], Any] = OrderedDict()
        try:
            self._model = self._core.read_model(graph.SerializeToString(), b"")
            probe = self._model.clone()
            probe.reshape([1, 3, 8 * MULTIPLE, 11 * MULTIPLE])
            fits = list(probe.output().shape) == [1, 3, 8 * MULTIPLE, 11 * MULTIPLE]
        except RuntimeError as error:
            raise not_a_style(path) from error
        if not fits:
            raise not_a_style(path)

    def run(self, pixels: Image) -> Image:
        """Return a painted picture.

        Args:
            pixels: (1, H, W, 3) uint8 RGB, contiguous; sides are multiples of 4.

        Returns:
            The same shape and colours, in memory that the next call may overwrite.

        Raises:
            ModelError: ``out_of_memory``.
        """
        try:
            request = self._program(pixels.shape)
            request.set_input_tensor(ov.Tensor(pixels, shared_memory=True))
            request.infer(share_outputs=True)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "alloc" not in str(error):
                raise
            failed = True
        else:
            failed = False
        if failed:  # outside the handler, so that nothing holds what was to be freed
            self._programs.clear()
            raise ModelError(
                "out_of_memory", "There is too little memory for a picture of this size."
            )
        painted: Image = request.output_tensors[0].data
        return painted

    def holds(self, height: int, width: int) -> bool:
        """Whether there is a program for inputs of this size."""
        return (1, height, width, 3) in self._programs

    def close(self) -> None:
        """Let go of all programs."""
        self._programs.clear()

    def _program(self, shape: tuple[int, ...]) -> Any:
        request = self._programs.get(shape)
        if request is None:
            # Room first: a program holds all that happens between its layers.
            while self._programs and (
                len(self._programs) >= _PROGRAMS or self._kept > _KEPT_PIXELS
            ):
                self._programs.popitem(last=False)
            # In a thread of its own: OpenVINO gives the one that compiles first a stack for
            # signals that is too small, and the next Ctrl-C there would be a segmentation fault.
            with ThreadPoolExecutor(1, thread_name_prefix="style-compile") as pool:
                request = self._programs[shape] = pool.submit(self._compile, shape).result()
        self._programs.move_to_end(shape)
        return request

    def _compile(self, shape: tuple[int, ...]) -> Any:
        compiled = self._core.compile_model(_build(self._model, shape), "CPU", self._config)
        return compiled.create_infer_request()

    @property
    def _kept(self) -> int:
        return sum(height * width for _, height, width, _ in self._programs)


def _choose(precision: Precision) -> Literal["fp32", "bf16"]:
    if precision == "auto":
        return "bf16" if has_bf16() else "fp32"
    return precision


def _build(network: ov.Model, shape: tuple[int, ...]) -> ov.Model:
    """Return the network for one size, with bytes at both ends."""
    model = network.clone()
    model.reshape([1, 3, shape[1], shape[2]])
    steps = PrePostProcessor(model)
    before, after = steps.input(), steps.output()
    before.model().set_layout(ov.Layout("NCHW"))
    before.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    before.preprocess().convert_element_type(ov.Type.f32)
    after.model().set_layout(ov.Layout("NCHW"))
    after.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    after.postprocess().custom(_round)
    return steps.build()


def _round(painted: Any) -> Any:
    return ops.round(ops.clamp(painted, 0.0, 255.0), "half_to_even").output(0)

"""Networks as static OpenVINO programs, called from any thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from vision.detection.openvino import stream_count

__all__ = ["StaticPrograms"]

Shape = tuple[int, ...]


class StaticPrograms:
    """Runs one network; every shape of its input is compiled for itself when first needed.

    Dynamic shapes make OpenVINO's memory grow. Each shape is compiled for a lone caller (all
    threads on one call) or for a crowd (calls side by side), as the detectors' are.

    Args:
        build: Returns the network for a shape of its one input.
        threads: Processor threads to use.
        limit: Programs kept; the one used longest ago goes first.
    """

    def __init__(self, build: Callable[[Shape], ov.Model], *, threads: int, limit: int) -> None:
        self._build = build
        self._threads = threads
        self._streams = stream_count(threads)
        self._limit = limit
        self._core = ov.Core()
        self._programs: OrderedDict[tuple[Shape, bool], Future[SimpleQueue[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, values: NDArray[np.uint8], *, alone: bool) -> list[NDArray[np.float32]]:
        """Return copies of the network's outputs, in its order.

        Args:
            values: C-contiguous; its shape chooses the program.
            alone: Nothing else runs or waits, so latency counts and not throughput.
        """
        idle = self._program(values.shape, alone)
        request = idle.get()
        try:
            request.set_input_tensor(ov.Tensor(values, shared_memory=True))
            request.infer(share_outputs=True)
            # Views into the request's memory: copied before the request is used again.
            return [np.array(tensor.data, np.float32) for tensor in request.output_tensors]
        finally:
            idle.put(request)

    def _program(self, shape: Shape, alone: bool) -> SimpleQueue[Any]:
        key = (shape, alone)
        with self._lock:
            program = self._programs.get(key)
            is_first = program is None
            if program is None:
                program = self._programs[key] = Future()
            self._programs.move_to_end(key)
            while len(self._programs) > self._limit:
                self._programs.popitem(last=False)
        if is_first:
            self._fill(program, key)
        return program.result()

    def _fill(self, program: Future[SimpleQueue[Any]], key: tuple[Shape, bool]) -> None:
        """Compile a program, once for all who wait for it; others are not held up by it."""
        try:
            program.set_result(self._compile(*key))
        except BaseException as error:
            with self._lock:  # the next one tries again
                if self._programs.get(key) is program:
                    del self._programs[key]
            program.set_exception(error)

    def _compile(self, shape: Shape, alone: bool) -> SimpleQueue[Any]:
        streams = 1 if alone else self._streams
        compiled = self._core.compile_model(
            self._build(shape),
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY" if alone else "THROUGHPUT",
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": self._threads,
                # Distances between embeddings are compared with fixed thresholds: full precision.
                "INFERENCE_PRECISION_HINT": "f32",
                "ENABLE_CPU_PINNING": False,
            },
        )
        idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(streams if alone else streams + 1):
            idle.put(compiled.create_infer_request())
        return idle

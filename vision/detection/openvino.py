"""OpenVINO on the processor: static shapes, explicit threads, one request per running call."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import openvino as ov

from vision.detection.candidates import OUTPUT_NAMES, Candidates, select_candidates
from vision.detection.letterbox import Bucket
from vision.detection.protocol import NetworkInput

__all__ = ["OpenVinoRuntime", "stream_count"]

_COMPILED_LIMIT = 12  # programs kept: a bucket needs up to two, of some ten megabytes each


def stream_count(threads: int) -> int:
    """Return how many pictures are computed side by side when several wait.

    Measured on two cores: two streams of one thread give a fifth more pictures per second than
    one stream of two. On more cores a stream has two threads.
    """
    return threads if threads <= 2 else (threads + 1) // 2


@dataclass(frozen=True, slots=True)
class _Program:
    """One network compiled for one bucket, with its idle requests."""

    idle: "SimpleQueue[Any]"


class OpenVinoRuntime:
    """Runs an exported network with OpenVINO.

    The file is free of shapes; every bucket is compiled as a static shape of its own when first
    needed (dynamic shapes grow memory), once for latency and once for throughput.

    Args:
        path: ``.onnx`` or ``.xml`` of the network.
        precision: ``"fp32"``, ``"bf16"`` or ``"int8"`` (a quantised file; what is left in float
            then runs in bfloat16 where ``bf16`` says so).
        threads: Processor threads to use.
        bf16: Whether the processor has bfloat16.
    """

    backend = "openvino"
    device = "cpu"

    def __init__(self, path: Path, *, precision: str, threads: int, bf16: bool = False) -> None:
        self.precision = precision
        self._threads = threads
        self._streams = stream_count(threads)
        in_bf16 = precision == "bf16" or (precision == "int8" and bf16)
        self._hint = "bf16" if in_bf16 else "f32"
        self._core = ov.Core()
        self._network = self._core.read_model(path)
        self._outputs = [name for name in OUTPUT_NAMES if self._has_output(name)]
        self._programs: OrderedDict[tuple[Bucket, bool], _Program] = OrderedDict()
        self._lock = threading.Lock()

    def forward(self, batch: Sequence[NetworkInput], *, alone: bool) -> list[Candidates]:
        """Run the network; see ``Runtime``. Inputs are computed one after the other."""
        return [self._infer(item, alone) for item in batch]

    def _infer(self, item: NetworkInput, alone: bool) -> Candidates:
        height, width, _ = item.pixels.shape
        program = self._program((height, width), alone)
        request = program.idle.get()
        try:
            request.set_input_tensor(ov.Tensor(item.pixels[None], shared_memory=True))
            request.infer(share_outputs=True)
            # Views into the request's memory: copied out before the request is used again.
            outputs = {name: request.get_tensor(name).data for name in self._outputs}
            return select_candidates(outputs, 0, item.query)
        finally:
            program.idle.put(request)

    def _has_output(self, name: str) -> bool:
        # A tensor may carry further names, so any_name would not do.
        return any(name in port.names for port in self._network.outputs)

    def _program(self, bucket: Bucket, alone: bool) -> _Program:
        key = (bucket, alone)
        # Held while compiling, so that many first callers compile once; it takes 0.1 s.
        with self._lock:
            program = self._programs.get(key)
            if program is None:
                program = self._programs[key] = self._compile(bucket, alone)
            self._programs.move_to_end(key)
            while len(self._programs) > _COMPILED_LIMIT:
                self._programs.popitem(last=False)
            return program

    def _compile(self, bucket: Bucket, alone: bool) -> _Program:
        network = self._network.clone()
        network.reshape({0: [1, *bucket, 3]})
        streams = 1 if alone else self._streams
        compiled = self._core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY" if alone else "THROUGHPUT",
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": self._threads,
                "INFERENCE_PRECISION_HINT": self._hint,
                # Several processes that each pin to the first cores would sit on one another.
                "ENABLE_CPU_PINNING": False,
            },
        )
        idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(streams if alone else streams + 1):
            idle.put(compiled.create_infer_request())
        return _Program(idle)

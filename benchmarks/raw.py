"""The raw runtime: the exported network alone, no picture handled before or after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov

from vision.detection.hardware import available_cpus, has_bf16
from vision.detection.openvino import stream_count
from vision.export import Exports
from vision.weights.cards import get_card

REQUESTS = 64


class RawRuntime:
    """OpenVINO on one static input, several requests in flight: what the hardware gives at best.

    Args:
        weights: The ``.pt`` whose export is run.
        cache: The engine's cache directory.
        height: Of the network input.
        width: Of the network input.
    """

    def __init__(self, card: str, weights: Path, cache: Path, height: int, width: int) -> None:
        core = ov.Core()
        network = core.read_model(Exports(cache).network(get_card(card), weights).path)
        network.reshape({0: [1, height, width, 3]})
        threads = available_cpus()
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "NUM_STREAMS": stream_count(threads),
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": "bf16" if has_bf16() else "f32",
            },
        )
        self._queue = ov.AsyncInferQueue(compiled, stream_count(threads) + 1)
        self._pixels = np.full((1, height, width, 3), 114, dtype=np.uint8)

    def run(self) -> int:
        for _ in range(REQUESTS):
            self._queue.start_async({0: self._pixels})
        self._queue.wait_all()
        return REQUESTS

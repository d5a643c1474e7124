"""ONNX Runtime on the processor, for machines without OpenVINO."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from vision.detection.candidates import Candidates, select_candidates
from vision.detection.protocol import NetworkInput

__all__ = ["OnnxRuntime"]


class OnnxRuntime:
    """Runs an exported network with ONNX Runtime.

    Args:
        path: ``.onnx`` file.
        threads: Processor threads of the session.
    """

    backend = "onnxruntime"
    device = "cpu"
    precision = "fp32"

    def __init__(self, path: Path, *, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads of several sessions would otherwise burn the cores of the busy one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._outputs = [output.name for output in self._session.get_outputs()]

    def forward(self, batch: Sequence[NetworkInput], *, alone: bool) -> list[Candidates]:
        """Run the network over inputs of equal size; see ``Runtime``."""
        images = np.stack([item.pixels for item in batch]) if len(batch) > 1 else batch[0].pixels
        images = images.reshape(len(batch), *batch[0].pixels.shape)
        values = self._session.run(self._outputs, {"images": images})
        outputs = dict(zip(self._outputs, values, strict=True))
        return [select_candidates(outputs, row, item.query) for row, item in enumerate(batch)]

"""The seams of detection: what the rest of the house calls, and what a runtime provides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.candidates import Candidates, Query

__all__ = ["Detector", "Image", "NetworkInput", "Runtime", "StagedDetector"]

Image = NDArray[np.uint8]
"""(H, W, 3) uint8, BGR."""


class Detector(Protocol):
    """Finds objects in pictures."""

    def detect(
        self,
        images: Sequence[Image],
        *,
        confidence: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[int] | None = None,
    ) -> list[sv.Detections]:
        """Return the objects of each picture, best first.

        Args:
            images: (H, W, 3) uint8 BGR each; sizes may differ.
            confidence: 0..1; only objects above it are returned.
            iou: 0..1; of two boxes of one class that overlap more, the better one stays.
            classes: Class ids to look for; None looks for all.
        """
        ...


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """One letterboxed picture, ready for the network.

    Attributes:
        pixels: (H, W, 3) uint8 BGR, C-contiguous, sides multiples of 32.
        query: Which anchors to bring back.
    """

    pixels: Image
    query: Query


class Runtime(Protocol):
    """Runs one network. One file per runtime; its heavy imports happen when it is chosen.

    Safe to call from as many threads as ``slots`` says.

    Attributes:
        backend: ``"openvino"``, ``"onnxruntime"`` or ``"torch"``.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        precision: ``"fp32"``, ``"bf16"``, ``"fp16"`` or ``"int8"``.
    """

    backend: str
    device: str
    precision: str

    def forward(self, batch: Sequence[NetworkInput], *, alone: bool) -> list[Candidates]:
        """Run the network over inputs of equal size.

        Args:
            batch: At least one input; all of one shape.
            alone: Nothing else runs or waits, so latency counts and not throughput.
        """
        ...


class StagedDetector(Protocol):
    """A model in three stages, so that the engine can queue the middle one.

    ``pre_process`` and ``post_process`` run in the caller's thread.
    """

    model: str
    backend: str
    device: str
    precision: str
    classes: tuple[str, ...]

    def pre_process(self, image: Image, query: Query) -> Any:
        """Return what ``forward`` takes; its attribute ``bucket`` says what may share a batch."""
        ...

    def forward(self, prepared: Sequence[Any], *, alone: bool) -> list[Any]:
        """Return one raw result per prepared picture, in order."""
        ...

    def post_process(self, prepared: Any, raw: Any, *, iou: float) -> sv.Detections:
        """Return the objects of one picture and give its buffers back."""
        ...

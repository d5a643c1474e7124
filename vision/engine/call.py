"""One picture on its way through an engine."""

import time
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.engine.admission import Outcome
from vision.engine.models import LoadedModel

__all__ = ["Call"]


class Call:
    """One picture on its way through the stages."""

    __slots__ = ("detections", "image", "prepared", "prepared_in", "started")

    detections: sv.Detections

    def __init__(
        self, image: NDArray[np.uint8], prepared: Any, started: float, prepared_in: float
    ) -> None:
        self.image = image
        self.prepared = prepared
        self.started = started
        self.prepared_in = prepared_in

    def finish(self, loaded: LoadedModel, outcome: Outcome, iou: float) -> None:
        """Decode the raw result and note what the picture cost."""
        began = time.perf_counter()
        detections = loaded.detector.post_process(self.prepared, outcome.result, iou=iou)
        ended = time.perf_counter()
        seconds = {
            "preprocess": self.prepared_in,
            "queue": outcome.waited,
            "inference": outcome.ran,
            "postprocess": ended - began,
            "total": ended - self.started,
        }
        info = loaded.info
        detections.metadata = {
            "model": info.model,
            "backend": info.backend,
            "device": info.device,
            "precision": info.precision,
            "timings_ms": {stage: round(value * 1e3, 3) for stage, value in seconds.items()},
            "width": int(self.image.shape[1]),
            "height": int(self.image.shape[0]),
        }
        self.detections = detections

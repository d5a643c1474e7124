"""YOLOv8 in three stages: letterbox, network, decoding with suppression."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.buffers import BufferPool
from vision.detection.candidates import Candidates, Query, decode_boxes, sigmoid
from vision.detection.keypoints import decode_keypoints
from vision.detection.letterbox import Bucket, Letterbox, plan_letterbox
from vision.detection.masks import build_masks
from vision.detection.nms import non_max_suppression
from vision.detection.protocol import Image, NetworkInput, Runtime

__all__ = ["Prepared", "YoloDetector"]

MAX_DETECTIONS = 300


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letterboxed picture on its way through the network."""

    letterbox: Letterbox
    network_input: NetworkInput

    @property
    def bucket(self) -> Bucket:
        """Pictures of one bucket may share a batch."""
        return self.letterbox.bucket


class YoloDetector:
    """A YOLOv8 detection, segmentation or pose network on one runtime.

    Implements ``Detector`` on its own, and ``StagedDetector`` for the engine. Thread safe as far
    as its runtime is.

    Args:
        model: Name of the model, for the results.
        classes: Class names; the position is the class id.
        runtime: Where the network runs.
        input_size: Longer side of the network input in pixels, where a query names none.
    """

    def __init__(
        self, model: str, classes: Sequence[str], runtime: Runtime, *, input_size: int = 640
    ) -> None:
        self.model = model
        self.classes = tuple(classes)
        self.backend = runtime.backend
        self.device = runtime.device
        self.precision = runtime.precision
        self._names = np.asarray(self.classes)
        self._runtime = runtime
        self._input_size = input_size
        self._buffers = BufferPool()

    def detect(
        self,
        images: Sequence[Image],
        *,
        confidence: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[int] | None = None,
    ) -> list[sv.Detections]:
        """Return the objects of each picture; see ``Detector``."""
        query = Query(confidence, None if classes is None else tuple(classes))
        results = []
        for image in images:
            prepared = self.pre_process(image, query)
            (raw,) = self.forward([prepared], alone=True)
            results.append(self.post_process(prepared, raw, iou=iou))
        return results

    def pre_process(self, image: Image, query: Query) -> Prepared:
        """Letterbox a picture into a reused buffer."""
        size = query.input_size or self._input_size
        plan = plan_letterbox(image.shape[0], image.shape[1], size)
        pixels = self._buffers.take(plan.bucket)
        plan.apply(image, pixels)
        return Prepared(plan, NetworkInput(pixels, query))

    def forward(self, prepared: Sequence[Prepared], *, alone: bool) -> list[Candidates]:
        """Run the network over pictures of one bucket."""
        return self._runtime.forward([item.network_input for item in prepared], alone=alone)

    def post_process(self, prepared: Prepared, raw: Candidates, *, iou: float) -> sv.Detections:
        """Decode, suppress and map to picture pixels, with the masks or joints of the network."""
        self._buffers.give(prepared.network_input.pixels)
        letterbox = prepared.letterbox
        in_bucket = decode_boxes(raw, letterbox.bucket)
        scores = sigmoid(raw.logits)
        keep = non_max_suppression(
            in_bucket, scores, raw.class_ids, iou=iou, max_detections=MAX_DETECTIONS
        )
        boxes = letterbox.boxes_to_picture(in_bucket[keep])
        mask = None
        if "coefficients" in raw.features:
            coefficients = raw.features["coefficients"][keep]
            mask, drawn = build_masks(raw.maps.get("prototypes"), coefficients, boxes, letterbox)
            keep, boxes = keep[drawn], boxes[drawn]
        found = self._detections(boxes, scores[keep], raw.class_ids[keep], mask)
        if "keypoints" in raw.features:
            joints = raw.features["keypoints"][keep]
            found.data["keypoints"] = decode_keypoints(joints, raw.anchors[keep], letterbox)
        return found

    def _detections(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        class_ids: NDArray[np.int64],
        mask: Any,
    ) -> sv.Detections:
        return sv.Detections(
            xyxy=boxes,
            confidence=scores,
            class_id=class_ids,
            mask=mask,
            data={"class_name": self._names[class_ids]},
        )

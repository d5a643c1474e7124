"""People and faces without any weights: OpenCV's HOG detector and Haar cascade.

Slow and rough next to a network; it stands in where no weights can be had, and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.candidates import Query, sigmoid
from vision.detection.letterbox import Bucket
from vision.detection.nms import non_max_suppression
from vision.detection.protocol import Image

__all__ = ["OpenCvDetector"]

_WORKING_SIDE = 640  # longer side, pixels: both detectors cost time in proportion to the area
_HOG_WINDOW = (64, 128)  # width, height
_FACE_LEVEL_SCALE = 4.0  # cascade stage sums of 0..10 brought to the range of a logit


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A picture reduced to its working size. Pictures are handled one by one: no shared bucket."""

    picture: Image
    scale: float
    width: int
    height: int
    query: Query
    bucket: Bucket = (0, 0)


@dataclass(frozen=True, slots=True)
class _Raw:
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int64]


class OpenCvDetector:
    """HOG people (Dalal and Triggs, 2005) and Haar frontal faces (Viola and Jones, 2001).

    Implements ``Detector`` and ``StagedDetector``. The confidence is a logistic function of the
    detectors' own scores: it orders results, but is not calibrated.
    """

    model = "opencv-fallback"
    backend = "opencv"
    device = "cpu"
    precision = "fp32"
    classes: tuple[str, ...] = ("person", "face")

    def __init__(self) -> None:
        self._people = cv2.HOGDescriptor()
        people = np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector(), dtype=np.float32)
        self._people.setSVMDetector(people)
        cascades = Path(cv2.__file__).parent / "data"
        self._cascade = str(cascades / "haarcascade_frontalface_default.xml")

    def detect(
        self,
        images: Sequence[Image],
        *,
        confidence: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[int] | None = None,
    ) -> list[sv.Detections]:
        """Return the people and faces of each picture; see ``Detector``."""
        query = Query(confidence, None if classes is None else tuple(classes))
        prepared = [self.pre_process(image, query) for image in images]
        raw = self.forward(prepared, alone=True)
        pairs = zip(prepared, raw, strict=True)
        return [self.post_process(item, found, iou=iou) for item, found in pairs]

    def pre_process(self, image: Image, query: Query) -> _Prepared:
        """Reduce a large picture to the working size; small ones stay as they are."""
        height, width = image.shape[:2]
        scale = min(1.0, _WORKING_SIDE / max(height, width))
        picture = image
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            picture = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return _Prepared(picture, scale, width, height, query)

    def forward(self, prepared: Sequence[_Prepared], *, alone: bool) -> list[_Raw]:
        """Run both detectors over each picture."""
        return [self._find(item) for item in prepared]

    def post_process(self, prepared: _Prepared, raw: _Raw, *, iou: float) -> sv.Detections:
        """Drop weak and repeated boxes and map the rest to picture pixels."""
        strong = np.flatnonzero(raw.scores > prepared.query.confidence)
        kept = non_max_suppression(
            raw.boxes[strong], raw.scores[strong], raw.class_ids[strong], iou=min(iou, 0.45)
        )
        chosen = strong[kept]
        limit = np.array([prepared.width, prepared.height] * 2, np.float32)
        class_ids = raw.class_ids[chosen]
        return sv.Detections(
            xyxy=(raw.boxes[chosen] / np.float32(prepared.scale)).clip(0, limit),
            confidence=raw.scores[chosen],
            class_id=class_ids,
            data={"class_name": np.asarray(self.classes)[class_ids]},
        )

    def _find(self, item: _Prepared) -> _Raw:
        wanted = (0, 1) if item.query.classes is None else item.query.classes
        found = [
            find(item.picture)
            for class_id, find in ((0, self._find_people), (1, self._find_faces))
            if class_id in wanted
        ]
        found.append(_raw([], [], 0))
        return _Raw(
            np.concatenate([raw.boxes for raw in found]),
            np.concatenate([raw.scores for raw in found]),
            np.concatenate([raw.class_ids for raw in found]),
        )

    def _find_people(self, picture: Image) -> _Raw:
        height, width = picture.shape[:2]
        if width < _HOG_WINDOW[0] or height < _HOG_WINDOW[1]:
            return _raw([], [], 0)
        boxes, weights = self._people.detectMultiScale(
            picture, winStride=(8, 8), padding=(8, 8), scale=1.05
        )
        return _raw(boxes, np.ravel(weights), 0)

    def _find_faces(self, picture: Image) -> _Raw:
        # A cascade keeps state while it runs, so that every call has its own; loading takes 20 ms.
        cascade = cv2.CascadeClassifier(self._cascade)
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        boxes, _, weights = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=5, minSize=(24, 24), outputRejectLevels=True
        )
        return _raw(boxes, np.ravel(weights) / _FACE_LEVEL_SCALE, 1)


def _raw(boxes: object, weights: object, class_id: int) -> _Raw:
    corners = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]  # x, y, width, height
    scores = sigmoid(np.asarray(weights, dtype=np.float32).reshape(-1))
    return _Raw(corners, scores, np.full(len(corners), class_id, dtype=np.int64))

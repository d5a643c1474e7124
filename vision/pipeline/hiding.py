"""Where people may be, for those who are not to be recognised."""

from collections import deque

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.pipeline.config import PipelineConfig
from vision.weights.cards import get_card

__all__ = ["HIDDEN_CLASSES", "HIDING_CONFIDENCE", "PeopleToHide", "what_to_ask"]

HIDDEN_CLASSES = ("person", "face")
HIDING_CONFIDENCE = 0.1
"""Hiding one thing too many is better than one person too few."""

_KEPT_SECONDS = 1.0
_MARGIN = 0.08

Boxes = NDArray[np.float32]


def what_to_ask(config: PipelineConfig) -> tuple[float, tuple[int, ...] | None]:
    """Return the least confidence and the classes to ask the detector for.

    Where people or faces are to be hidden, people are looked for, however unsure, whatever else is.

    Raises:
        ModelError: ``unknown_model``.
    """
    confidence, classes = config.confidence, config.classes
    if not config.needs_people:
        return confidence, classes
    if classes is not None:
        people = get_card(config.model).classes.index("person")
        classes = tuple(sorted({*classes, people}))
    return min(confidence, HIDING_CONFIDENCE), classes


class PeopleToHide:
    """Remembers where people were a moment ago: a detector misses some of them now and then.

    What is hidden in a frame is whoever was found in it, however unsure, whoever is tracked, and
    where anybody was found within the last second. After a look nothing is forgotten until the
    next one, since nothing else is known.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[float, Boxes]] = deque()

    def look(self, found: sv.Detections, timestamp: float) -> None:
        """Note what the detector has found, tracked or not."""
        self._recent.append((timestamp, _people(found)))
        while len(self._recent) > 1 and self._recent[0][0] < timestamp - _KEPT_SECONDS:
            self._recent.popleft()

    def boxes(self, tracked: sv.Detections) -> Boxes:
        """Return (N, 4) xyxy pixels to be hidden, a little larger than what was found."""
        boxes = np.concatenate([_people(tracked), *(found for _, found in self._recent)])
        sides = boxes[:, 2:] - boxes[:, :2]
        return np.hstack((boxes[:, :2] - _MARGIN * sides, boxes[:, 2:] + _MARGIN * sides))


def _people(detections: sv.Detections) -> Boxes:
    names = detections.data.get("class_name")
    boxes = np.asarray(detections.xyxy, np.float32).reshape(-1, 4)
    return boxes if names is None else boxes[np.isin(names, HIDDEN_CLASSES)]

"""Finding the faces of people whose boxes are known, for cameras and videos alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.faces import FaceEngine, FaceQuality, quality_of
from vision.faces.people import faces_of_people
from vision.structures import Frame, Priority

LEAST_SIDE: Final = 48
"""Pixels; who is smaller has no face that could be told from another."""
LEAST_FACE: Final = 24
_MARGIN: Final = 0.1
_WHOLE_FROM: Final = 1800
"""Pixels; a larger part would be looked at twice, the second time in a size of its own, for which a
network has to be compiled: the whole picture always has the same."""


NeedsCrop: TypeAlias = Callable[[int, FaceQuality], bool]


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face that is good enough to be matched.

    Attributes:
        person: Index of whose it is.
        crop: (150, 150, 3) uint8 BGR, upright; None where nobody needs it.
    """

    person: int
    embedding: NDArray[np.float32]
    quality: FaceQuality
    crop: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The people of a frame who are large enough to be recognised.

    Attributes:
        numbers: (N,) int64, of their tracks.
        boxes: (N, 4) float32 xyxy pixels.
    """

    numbers: NDArray[np.int64]
    boxes: NDArray[np.float32]


def people_in(detections: sv.Detections, *, detected: bool) -> People:
    """Return the tracked people of a frame.

    Args:
        detections: Of the frame.
        detected: Whether a detector has looked at it. Where it has, those whom it did not find
            are left out; where it rests, everybody is where they were.
    """
    numbers = detections.tracker_id
    names = detections.data.get("class_name")
    if numbers is None or names is None or not len(numbers):
        return People(np.empty(0, np.int64), np.empty((0, 4), np.float32))
    boxes = np.asarray(detections.xyxy, np.float32)
    keep = np.asarray(names) == "person"
    keep &= (boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= LEAST_SIDE
    predicted = detections.data.get("predicted")
    if detected and predicted is not None:
        keep &= ~np.asarray(predicted, bool)
    return People(np.asarray(numbers)[keep].astype(np.int64), boxes[keep])


def look_at_faces(
    engine: FaceEngine,
    frame: Frame,
    people: People,
    due: NDArray[np.bool_],
    *,
    priority: Priority,
    needs_crop: NeedsCrop,
) -> list[SeenFace]:
    """Return the faces of those who are due, at most one each, that are good enough to match.

    Args:
        engine: Finds and embeds.
        frame: The picture.
        people: All of it: a face may be that of somebody who is not due.
        due: (N,) bool.
        priority: Who goes first.
        needs_crop: Told the index of a person and how well the face can be seen; says whether a
            picture of it is wanted, which costs about as much as its embedding.

    Raises:
        VisionError: The engine cannot answer.
    """
    if not due.any():
        return []
    region, corner = _region(frame, people.boxes[due])
    if not region.size:
        return []
    (faces,) = engine.detect([region], minimum_size=LEAST_FACE, priority=priority)
    if not len(faces):
        return []
    owners = faces_of_people(faces.xyxy + np.tile(corner, 2), people.boxes)
    good = np.array([not flaw for flaw in faces.data["flaw"]], bool)
    chosen = np.flatnonzero(good & (owners >= 0))
    chosen = chosen[due[owners[chosen]]]
    if not len(chosen):
        return []
    picked = faces[chosen]
    assert isinstance(picked, sv.Detections)
    embeddings = engine.embed(region, picked, priority=priority)
    seen = []
    for place, face in enumerate(chosen.tolist()):
        if not np.isfinite(embeddings[place]).all():
            continue
        person, quality, crop = int(owners[face]), quality_of(faces, face), None
        if needs_crop(person, quality):
            one = faces[[face]]
            assert isinstance(one, sv.Detections)
            (crop,) = engine.crop(region, one)
        seen.append(SeenFace(person, embeddings[place], quality, crop))
    return seen


def _region(
    frame: Frame, boxes: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the part of a picture that holds all boxes, or all of it; and where its corner is."""
    sides = (boxes[:, 2:] - boxes[:, :2]) * _MARGIN
    low = np.floor((boxes[:, :2] - sides).min(axis=0)).astype(int).clip(0)
    high = np.ceil((boxes[:, 2:] + sides).max(axis=0)).astype(int)
    x2, y2 = np.minimum(high, (frame.width, frame.height))
    if max(x2 - low[0], y2 - low[1]) > _WHOLE_FROM:
        return np.ascontiguousarray(frame.image), np.zeros(2, np.float32)
    part = frame.image[low[1] : y2, low[0] : x2]
    return np.ascontiguousarray(part), low.astype(np.float32)

"""Where faces may be, for those whose faces are not to be shown."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.engine import Engine
from vision.errors import VisionError
from vision.faces.protocol import STAND_IN
from vision.pipeline.results import FacesSeen, FrameResult
from vision.structures import Priority

__all__ = [
    "CLOSE_SECONDS",
    "FACE_CONFIDENCE",
    "LEAST_FACE",
    "FacesToHide",
    "faces_seen",
    "heads_of",
    "look_for_faces",
    "places_to_hide",
]

LEAST_FACE: Final = 12
"""Pixels; the detector is asked for faces as small as that."""

FACE_CONFIDENCE: Final = 0.3
"""Hiding what is no face is better than showing one."""

CLOSE_SECONDS: Final = 0.5
"""Between looks at a whole picture, which take several times as long as one at a smaller copy: what
is found is hidden for longer."""

_KEPT_SECONDS: Final = 1.0
_MARGIN: Final = 0.25
_SURE: Final = 0.6
"""A face so sure is the one of its person, whose head need not be hidden as well, if it fits."""
_LEAST_WIDTH: Final = 0.15
_MOST_ASIDE: Final = 0.25
"""As shares of a person's width: a narrower face, or one farther from the middle, may be somebody
else's beside or behind them. One in forty real ones is."""
_SAME: Final = 0.7
"""Boxes that share so much of their area are one person."""
_HEAD_HEIGHT: Final = 1 / 3
_HEAD_WIDTH: Final = 0.7
"""A head is in the upper third of who stands. Of who sits, or is cut off by the edge of the
picture, it is no higher than this share of the shoulders' width."""
_COPY_SIDE: Final = 64
"""Faces that are no smaller than this part of the longer side are found in one look."""
_NOBODY: Final = -1

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What is to be hidden of one frame.

    Attributes:
        moment: Index of the frame, and seconds of the source.
        boxes: (N, 4) xyxy pixels.
        owners: Of each box, the tracks that it may belong to; `_NOBODY` is among them, or they are
            none at all, where it may be anybody's.
        missing: Whether nothing could look for faces.
    """

    moment: tuple[int, float]
    boxes: Boxes
    owners: tuple[frozenset[int], ...]
    missing: bool


class FacesToHide:
    """Tells where faces are in the frames of one source, and where some were a moment ago.

    Hidden are: every face that is found in a frame, however unsure; the head of everybody of whom
    no face is found for sure, which is all there is where nothing can look for faces; and all that
    was hidden within the last second. A frame is looked at when somebody asks, and only once.

    A face is left clear only where it can be but that of one track, and this is among those
    cleared: one in the heads of two people, with another in the same head, or that does not fit
    the person, is hidden.

    Args:
        engine: Finds the faces.
        priority: Who goes first in the engine.
    """

    def __init__(self, engine: Engine, *, priority: Priority) -> None:
        self._engine = engine
        self._priority = priority
        self._lock = threading.Lock()
        self._recent: deque[_Look] = deque()
        self._missing = False
        self._closely = float("-inf")

    @property
    def missing(self) -> bool:
        """Whether nothing could look for faces when this was asked for last."""
        return self._missing

    def boxes(self, result: FrameResult, cleared: Collection[int] = ()) -> Boxes:
        """Return (N, 4) xyxy pixels to be hidden, larger than what was found; from any thread.

        Args:
            result: The frame, with what the detector has found last. Its picture is looked at
                unless ``result.faces`` says what was found there.
            cleared: Ids of tracks whose faces may be seen.
        """
        shown = frozenset(cleared)
        with self._lock:
            newest = self._look(result)
            self._missing = newest.missing
            looks = [newest, *(look for look in self._recent if look is not newest)]
        hidden = [
            box
            for look in looks
            for box, owners in zip(look.boxes, look.owners, strict=True)
            if not owners or not owners <= shown
        ]
        return _enlarged(hidden)

    def _look(self, result: FrameResult) -> _Look:
        """Return what is hidden of a frame, and forget what is over."""
        frame = result.frame
        moment = (frame.index, frame.timestamp)
        known = next((look for look in self._recent if look.moment == moment), None)
        if known is not None:
            return known
        faces = result.faces
        if faces is None:
            closely = abs(frame.timestamp - self._closely) >= CLOSE_SECONDS
            if closely:
                self._closely = frame.timestamp
            faces = look_for_faces(
                self._engine, frame.image, priority=self._priority, closely=closely
            )
        look = _attribute(moment, faces, result.detections, result.found)
        # What is ahead of a frame is kept too: they are not asked for in order.
        near = (look for look in self._recent if abs(look.moment[1] - moment[1]) <= _KEPT_SECONDS)
        self._recent = deque((look, *near))
        return look


def look_for_faces(
    engine: Engine, image: NDArray[np.uint8], *, priority: Priority, closely: bool = True
) -> FacesSeen:
    """Return the faces of a picture, unsure ones too, or that nothing could look for them.

    dlib's HOG counts as nothing: it misses small and turned faces, and takes 30 times as long.

    Args:
        engine: Finds them.
        image: (H, W, 3) uint8 BGR.
        priority: Who goes first in the engine.
        closely: Whether the smallest count; otherwise those that a smaller copy shows.
    """
    smallest = LEAST_FACE if closely else max(LEAST_FACE, max(image.shape[:2]) // _COPY_SIDE)
    try:
        if engine.faces.detector == STAND_IN:
            return faces_seen(None)
        (faces,) = engine.faces.detect(
            [image], minimum_size=smallest, confidence=FACE_CONFIDENCE, priority=priority
        )
    except VisionError:
        return faces_seen(None)
    return faces_seen(faces)


def faces_seen(faces: sv.Detections | None) -> FacesSeen:
    """Return what a face engine has found, for hiding; None is that it could not look."""
    if faces is None or faces.metadata.get("model") == STAND_IN:
        return FacesSeen(_no_boxes(), np.empty(0, np.float32), missing=True)
    return FacesSeen(_boxes(faces), _confidence(faces))


def places_to_hide(faces: FacesSeen, found: sv.Detections) -> Boxes:
    """Return (N, 4) xyxy pixels to be hidden of a single picture, so that nobody's face is shown.

    Args:
        faces: Of the picture.
        found: What the detector has found in it.
    """
    return _enlarged(_attribute((0, 0.0), faces, sv.Detections.empty(), found).boxes)


def heads_of(people: Boxes) -> Boxes:
    """Return where the heads of people are, as boxes that may hold more than the head.

    Args:
        people: (N, 4) xyxy pixels.
    """
    heads = np.array(people, np.float32).reshape(-1, 4)
    widths, heights = heads[:, 2] - heads[:, 0], heads[:, 3] - heads[:, 1]
    high = np.minimum(heights, np.maximum(_HEAD_HEIGHT * heights, _HEAD_WIDTH * widths))
    heads[:, 3] = heads[:, 1] + high
    return heads


def _attribute(
    moment: tuple[int, float],
    faces: FacesSeen,
    tracked: sv.Detections,
    found: sv.Detections | None,
) -> _Look:
    """Say whose the faces are, and add the heads of those who have none."""
    boxes, sure = faces.boxes, faces.confidence >= _SURE
    if found is not None:  # a stand-in of the detector finds faces itself
        others = _of_class(found, "face")
        boxes = np.concatenate([boxes, others])
        sure = np.concatenate([sure, np.zeros(len(others), bool)])
    people, ids = _people(tracked, found)
    heads = heads_of(people)
    inside = _inside(boxes, heads)
    strange = inside & ~_fits(boxes, people)
    owners = [frozenset(ids[row].tolist()) for row in inside]
    crowded = inside.sum(axis=0) > 1
    owners = [
        found | {_NOBODY} if crowded[row].any() or odd.any() else found
        for found, row, odd in zip(owners, inside, strange, strict=True)
    ]
    alone = sure & (inside.sum(axis=1) == 1)
    faceless = ~(inside & ~strange & alone[:, None]).any(axis=0)
    return _Look(
        moment,
        np.concatenate([boxes, heads[faceless]]),
        (*owners, *(frozenset({number}) for number in ids[faceless].tolist())),
        faces.missing,
    )


def _people(tracked: sv.Detections, found: sv.Detections | None) -> tuple[Boxes, NDArray[np.int64]]:
    """Return the boxes of everybody in a frame and their tracks; `_NOBODY` for who has none."""
    known = _of_class(tracked, "person")
    ids = np.full(len(known), _NOBODY, np.int64)
    if tracked.tracker_id is not None:
        ids = np.asarray(tracked.tracker_id, np.int64)[_are(tracked, "person")]
    if found is None:
        return known, ids
    others = _of_class(found, "person")
    if len(known) and len(others):
        others = others[(sv.box_iou_batch(known, others) < _SAME).all(axis=0)]
    nobody = np.full(len(others), _NOBODY, np.int64)
    return np.concatenate([known, others]), np.append(ids, nobody)


def _inside(faces: Boxes, heads: Boxes) -> NDArray[np.bool_]:
    """Tell, (F, P), which faces have their middle in which heads."""
    middles = (faces[:, None, :2] + faces[:, None, 2:]) / 2
    inside = (middles >= heads[None, :, :2]) & (middles <= heads[None, :, 2:])
    return np.asarray(inside.all(axis=2))


def _fits(faces: Boxes, people: Boxes) -> NDArray[np.bool_]:
    """Tell, (F, P), which faces are as wide, and as much in the middle, as that of each person."""
    widths = np.maximum(people[:, 2] - people[:, 0], 1e-6)
    middles, centres = (faces[:, 0] + faces[:, 2]) / 2, (people[:, 0] + people[:, 2]) / 2
    aside = np.abs(middles[:, None] - centres) / widths
    wide = (faces[:, 2] - faces[:, 0])[:, None] / widths
    return np.asarray((wide >= _LEAST_WIDTH) & (aside <= _MOST_ASIDE))


def _enlarged(boxes: Iterable[Boxes]) -> Boxes:
    """Return boxes with a margin around each, without those that others cover."""
    kept = _no_boxes()
    for box in boxes:  # the newest first
        if ((kept[:, :2] <= box[:2]) & (kept[:, 2:] >= box[2:])).all(axis=1).any():
            continue
        margin = _MARGIN * (box[2:] - box[:2])
        larger = np.concatenate([box[:2] - margin, box[2:] + margin])
        kept = np.concatenate([kept, larger[None]])
    return kept


def _of_class(detections: sv.Detections, name: str) -> Boxes:
    return _boxes(detections)[_are(detections, name)]


def _are(detections: sv.Detections, name: str) -> NDArray[np.bool_]:
    names = detections.data.get("class_name")
    if names is None:
        return np.zeros(len(detections), bool)
    return np.asarray(np.asarray(names) == name).reshape(-1)


def _boxes(detections: sv.Detections) -> Boxes:
    return np.asarray(detections.xyxy, np.float32).reshape(-1, 4)


def _confidence(faces: sv.Detections) -> NDArray[np.float32]:
    if faces.confidence is None:
        return np.zeros(len(faces), np.float32)
    return np.asarray(faces.confidence, np.float32)


def _no_boxes() -> Boxes:
    return np.empty((0, 4), np.float32)

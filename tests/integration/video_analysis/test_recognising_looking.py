"""The part of a picture in which the faces of some people are looked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import supervision as sv

from tests.made_faces import FakeFaces
from video_analysis.services.recognising.looking import People, look_at_faces
from vision.structures import Frame, Priority

LEFT, RIGHT, FAR = (100, 200, 200, 500), (400, 250, 500, 550), (3400, 300, 3500, 600)


class SeeingFaces(FakeFaces):
    """Notes how large what it is asked about is."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def detect(self, images: Any, **options: Any) -> list[sv.Detections]:
        self.sizes += [(image.shape[1], image.shape[0]) for image in images]
        return super().detect(images, **options)


@pytest.mark.parametrize(
    ("boxes", "due", "size"),
    [
        ([LEFT, RIGHT], [False, False], None),
        ([LEFT, RIGHT], [True, False], (120, 360)),
        ([LEFT, RIGHT], [True, True], (420, 410)),
        ([LEFT, FAR], [True, True], (3840, 2160)),  # a part so large is not cut out
    ],
    ids=["nobody", "one", "two", "far apart"],
)
def test_what_is_looked_at_holds_whose_faces_are_wanted(
    boxes: list[Any], due: list[bool], size: tuple[int, int] | None
) -> None:
    engine = SeeingFaces()
    image = np.zeros((2160, 3840, 3), np.uint8)
    look_at_faces(
        engine,
        Frame(image, 0, 0.0, datetime(2026, 1, 1, tzinfo=UTC), "test"),
        People(np.arange(len(boxes)), np.array(boxes, np.float32)),
        np.array(due),
        priority=Priority.LIVE,
        needs_crop=lambda *_: False,
    )
    assert engine.sizes == ([] if size is None else [size])

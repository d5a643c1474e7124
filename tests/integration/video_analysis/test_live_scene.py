"""A camera's scene: whom it shows while it goes on, and nobody afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import supervision as sv

from tests.made_faces import FakeFaces, MadeFace, face_of
from video_analysis.services.live.scene import Scene
from video_analysis.services.live.setups import CameraSetup, FaceSetup, SourceSetup
from video_analysis.services.recognising.clearing import set_cleared
from vision.pipeline import FrameResult, PipelineConfig
from vision.structures import Frame

CAMERA = 91
STANDING, FACE = (100, 20, 160, 220), (120.0, 30.0, 140.0, 55.0)


@pytest.fixture(autouse=True)
def nobody_cleared() -> Iterator[None]:
    set_cleared(CAMERA, {})
    yield
    set_cleared(CAMERA, {})


def make_scene() -> Scene:
    setup = CameraSetup(
        id=CAMERA,
        revision=1,
        name="Door",
        source=SourceSetup(address="loop:door.mp4", credentials=None, fps=10.0),
        config=PipelineConfig(hide_faces="asked"),
        faces=FaceSetup(clears=True),
    )
    engine: Any = SimpleNamespace(faces=FakeFaces(MadeFace(face_of(1), FACE)))
    return Scene(setup, engine, seen(0).frame)


def seen(index: int) -> FrameResult:
    """A frame in which track 1 is."""
    image = np.full((240, 320, 3), 90, np.uint8)
    frame = Frame(image, index, index / 10, datetime(2026, 1, 1, tzinfo=UTC), "test")
    standing = sv.Detections(
        xyxy=np.array([STANDING], np.float32),
        confidence=np.array([0.9], np.float32),
        class_id=np.array([0]),
        tracker_id=np.array([1]),
        data={"class_name": np.array(["person"])},
    )
    return FrameResult(frame, standing, detected=True)


def faces_hidden(scene: Scene, index: int) -> int:
    places = scene.to_hide(seen(index))
    assert places is not None
    return len(places.faces)


def clear() -> None:
    set_cleared(CAMERA, {1: time.monotonic() + 60})


def test_a_picture_of_a_scene_that_is_over_shows_nobody_who_is_cleared_in_the_next() -> None:
    scene = make_scene()
    assert faces_hidden(scene, 1) == 1
    clear()
    assert faces_hidden(scene, 2) == 0
    scene.finish()
    set_cleared(CAMERA, {})
    after = make_scene()
    assert faces_hidden(after, 1) == 1
    clear()  # another one, whose number is 1 in the scene that has begun
    assert faces_hidden(after, 2) == 0
    assert faces_hidden(scene, 3) == 1


def test_who_was_cleared_before_a_scene_began_is_not_shown_by_it() -> None:
    clear()
    scene = make_scene()
    assert faces_hidden(scene, 1) == 1
    set_cleared(CAMERA, {})
    assert faces_hidden(scene, 2) == 1
    clear()
    assert faces_hidden(scene, 3) == 0

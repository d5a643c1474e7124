"""Faces without photographs: rectangles of a grey that says whose they are."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray

from recognition.models import FaceSample, Profile
from recognition.services.profiles import create_profile
from recognition.services.samples import add_sample
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Sighting
from video_analysis.services.live.setups import CameraSetup, read_setups
from video_analysis.services.recognising import news, worker
from video_analysis.services.recognising import scenes as scenes_module
from video_analysis.services.recognising import tracks as tracks_module
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.watcher import FaceWatcher
from vision.faces import no_faces
from vision.pipeline.results import FrameResult
from vision.structures import Frame

WIDTH, HEIGHT = 320, 240
FLOOR = 10
BEGINNING = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MODEL = "fake-128"
ADA, BEN, NOBODY, STRANGER = 21, 22, 77, 78


def embedding_of(person: int, *, jitter: float = 0.0, towards: int | None = None) -> Any:
    """Return a face of a person: those of two people lie 0.9 apart.

    Args:
        person: 1 and above.
        jitter: How far it is from their usual one.
        towards: Half way to somebody else, so that nobody can tell.
    """
    vector = _direction(person) * np.sqrt(0.405)
    if towards is not None:
        vector = (vector + _direction(towards) * np.sqrt(0.405)) / 2
    return (vector + _direction(10_000 + person) * jitter).astype(np.float32)


def _direction(number: int) -> NDArray[np.float64]:
    found = np.zeros(128)
    found[number % 128 if number < 10_000 else 127] = 1.0
    return found


class FakeFaces:
    """Finds rectangles of one grey each; what they are says `who`."""

    detector, embedder = "fake", MODEL

    def __init__(self) -> None:
        self.calls = 0
        self.who: dict[int, Any] = {}
        self.flaw = ""
        self.before: Any = lambda: None

    def detect(self, images: Sequence[Any], **_: Any) -> list[sv.Detections]:
        self.calls += 1
        self.before()
        return [self._find(image) for image in images]

    def embed(self, image: Any, faces: sv.Detections, **_: Any) -> Any:
        return np.stack([self._embedding(image, box) for box in faces.xyxy])

    def crop(self, image: Any, faces: sv.Detections) -> list[Any]:
        return [np.full((150, 150, 3), _grey(image, box), np.uint8) for box in faces.xyxy]

    def _embedding(self, image: Any, box: Any) -> Any:
        grey = _grey(image, box)
        return self.who[grey] if grey in self.who else embedding_of(grey)

    def _find(self, image: NDArray[np.uint8]) -> sv.Detections:
        greys = [int(grey) for grey in np.unique(image[..., 0]) if grey not in (0, FLOOR)]
        if not greys:
            return no_faces()
        boxes = []
        for grey in greys:
            rows, columns = np.nonzero(image[..., 0] == grey)
            boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        count = len(boxes)
        return sv.Detections(
            xyxy=np.array(boxes, np.float32),
            confidence=np.full(count, 0.9, np.float32),
            class_id=np.zeros(count, int),
            data={
                "class_name": np.array(["face"] * count),
                "landmarks": np.zeros((count, 5, 2), np.float32),
                "quality": np.tile(np.array([[60.0, 0.8, 0, 0, 0]], np.float32), (count, 1)),
                "flaw": np.array([self.flaw] * count, dtype="<U16"),
            },
        )


def _grey(image: Any, box: Any) -> int:
    x, y = int((box[0] + box[2]) / 2), int((box[1] + box[3]) / 2)
    return int(image[y, x, 0])


class FakeEngine:
    """An engine that knows faces alone."""

    def __init__(self) -> None:
        self.faces = FakeFaces()


class Stage:
    """One camera, the people before it, and the watcher that sees them.

    Args:
        watcher: Sees the frames.
        camera: Which one.
    """

    def __init__(self, watcher: FaceWatcher, camera: Camera) -> None:
        self.watcher = watcher
        self.camera = camera
        self.rows: dict[int, uuid.UUID] = {}
        self.seconds = 0.0
        self.people: dict[int, int] = {}
        """Whose face each track shows, by the tracker's number."""
        self.setup_again()

    def setup_again(self) -> CameraSetup:
        """Tell the watcher how the camera is set up now."""
        setup = read_setups([self.camera.pk])[self.camera.pk]
        self.watcher.on_scene(self.camera.pk, setup, self.track_id)
        return setup

    def track_id(self, number: int) -> uuid.UUID:
        return self.rows.setdefault(number, uuid.uuid4())

    def frame(self, *, step: float = 0.5) -> FrameResult:
        """Return the next frame: each person a tall box with a face high in its middle."""
        self.seconds += step
        image = np.full((HEIGHT, WIDTH, 3), FLOOR, np.uint8)
        boxes = []
        for place, (_number, person) in enumerate(sorted(self.people.items())):
            left = 10 + place * 100
            boxes.append([left, 20, left + 80, 220])
            if person:
                image[30:70, left + 20 : left + 60] = person
        frame = Frame(
            image,
            round(self.seconds * 10),
            self.seconds,
            BEGINNING + timedelta(seconds=self.seconds),
            "camera",
        )
        detections = sv.Detections.empty()
        if boxes:
            detections = sv.Detections(
                xyxy=np.array(boxes, np.float32),
                confidence=np.full(len(boxes), 0.9, np.float32),
                class_id=np.zeros(len(boxes), int),
                tracker_id=np.array(sorted(self.people)),
                data={"class_name": np.array(["person"] * len(boxes))},
            )
        return FrameResult(frame, detections, detected=True)

    def play(self, *, step: float = 0.5) -> None:
        """Show one more frame."""
        self.watcher.on_result(self.camera.pk, self.frame(step=step), ())


def make_area(name: str = "Shop", **fields: Any) -> Area:
    """Store an area in which anybody may be recognised."""
    given = {"recognise": True, "consent_required": False, **fields}
    return Area.objects.create(name=name, **given)


def enrol(name: str, person: int, *, kind: str = Profile.Kind.CUSTOMER) -> Profile:
    """Make a person known by one face."""
    profile = create_profile(actor=None, kind=kind, name=name)
    add_sample(
        actor=None,
        profile=profile,
        embedding=embedding_of(person, jitter=0.05),
        model=MODEL,
        crop=b"",
        quality={},
        source=FaceSample.Source.API,
    )
    return profile


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look several times a second."""
    for module in (scenes_module, tracks_module):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    for name in ("AGAIN_SECONDS", "UNKNOWN_SECONDS", "TICK_SECONDS", "CLEARED_SECONDS"):
        monkeypatch.setattr(worker, name, 0.05)
    monkeypatch.setattr(worker, "REST", 0.0)
    monkeypatch.setattr(worker, "NEWS_SECONDS", 0.3)
    monkeypatch.setattr(scenes_module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(scenes_module, "GONE_SECONDS", -1.5)  # of two of the tracker's


@pytest.fixture
def engine() -> FakeEngine:
    """An engine that finds the faces of whoever is before the camera."""
    return FakeEngine()


@pytest.fixture
def watcher(engine: FakeEngine) -> Iterator[FaceWatcher]:
    """What looks at the frames; its threads end with the test."""
    made = FaceWatcher(engine=lambda: engine)  # type: ignore[arg-type,return-value]
    yield made
    assert made.on_stop(10.0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("face-")]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[SightingNews]:
    """What is told of sightings; nobody else hears it."""
    told: list[SightingNews] = []
    monkeypatch.setattr(news, "_listeners", [told.append])
    return told


@pytest.fixture
def stage(watcher: FaceWatcher) -> Stage:
    """A camera of an area where anybody may be recognised."""
    return Stage(watcher, make_camera(make_area()))


def make_camera(area: Any, **fields: Any) -> Camera:
    """Store a camera of an area."""
    return Camera.objects.create(name="Door", address="loop:door.mp4", area=area, **fields)


def play_until(stage: Stage, condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Show frames until something has come about."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        stage.play()
        time.sleep(0.02)


def play_for(stage: Stage, seconds: float = 1.0) -> None:
    """Show frames for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        stage.play()
        time.sleep(0.02)


def known() -> list[Sighting]:
    """Return who was recognised."""
    return list(Sighting.objects.filter(state="known"))

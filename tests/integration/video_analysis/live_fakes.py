"""Cameras without cameras: sources that tests feed, and an engine that finds bright squares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray

from common.jobs.identity import process_name
from video_analysis.cameras.models import Camera
from video_analysis.services.live import CameraService, figures, service, writer
from video_analysis.services.live.setups import CameraSetup
from vision.sources.cameras import CaptureStatus, LiveFrame
from vision.structures import Frame

WIDTH, HEIGHT = 160, 120
BEGINNING = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def picture(
    left: float | None = None, *, width: int = WIDTH, height: int = HEIGHT
) -> NDArray[np.uint8]:
    """A grey floor, and on it a bright square whose left side is at a share of the width."""
    image = np.full((height, width, 3), 60, np.uint8)
    if left is not None:
        at = round(left * width)
        image[height // 3 : height * 3 // 4, at : at + width // 6] = 230
    return image


class FakeSource:
    """Gives the frames that a test pushes."""

    def __init__(self, setup: CameraSetup, on_frame: Callable[[], None]) -> None:
        self.setup = setup
        self.on_frame = on_frame
        self.started = self.closed = False
        self.epoch = 1
        self.state = "live"
        self.dropped = 0
        self.index = 0
        self.seconds = 0.0
        self._newest: LiveFrame | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True

    def push(self, image: NDArray[np.uint8], *, step: float = 0.1) -> None:
        self.seconds += step
        moment = BEGINNING + timedelta(seconds=self.seconds)
        frame = Frame(image, self.index, self.seconds, moment, f"camera-{self.setup.id}")
        self.index += 1
        with self._lock:
            self.dropped += self._newest is not None
            self._newest = LiveFrame(frame, self.epoch, time.monotonic(), 1.0)
        self.on_frame()

    def take(self) -> LiveFrame | None:
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    @property
    def is_taken(self) -> bool:
        return self._newest is None

    def status(self) -> CaptureStatus:
        return CaptureStatus(
            state=self.state,  # type: ignore[arg-type]
            code="",
            message="",
            since=BEGINNING,
            codec="h264",
            width=WIDTH,
            height=HEIGHT,
            rate=10.0,
            fps=10.0,
            received=self.index,
            dropped=self.dropped,
            newest=None,
            attempts=0,
            epoch=self.epoch,
        )


@dataclass
class FakeSources:
    """Opens fake sources, and remembers them by camera."""

    opened: dict[int, list[FakeSource]] = field(default_factory=dict)

    def __call__(self, setup: CameraSetup, on_frame: Callable[[], None]) -> FakeSource:
        source = FakeSource(setup, on_frame)
        self.opened.setdefault(setup.id, []).append(source)
        return source

    def of(self, camera: Camera) -> FakeSource:
        return self.opened[camera.pk][-1]


class SquareFinder:
    """An engine that finds the bright square and calls it a person."""

    capacity = 2
    is_asked = False

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.queries: list[dict[str, Any]] = []
        self.device = "cpu"
        self.error: Exception | None = None
        self.before: Callable[[], None] = lambda: None

    def detect(self, images: Sequence[Any], **query: Any) -> list[sv.Detections]:
        self.calls.append(len(images))
        self.queries.append(query)
        self.before()
        if self.error is not None:
            raise self.error
        return [self._find(image, query) for image in images]

    def describe(self, model: str) -> Any:
        return type("Info", (), {"reason": "", "device": self.device})()

    def loaded(self) -> list[Any]:
        return [type("Info", (), {"device": self.device})()]

    def close(self) -> None:
        return None

    def _find(self, image: NDArray[np.uint8], query: dict[str, Any]) -> sv.Detections:
        rows, columns = np.nonzero(image[..., 0] > 200)
        found = sv.Detections.empty()
        if len(rows):
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            found = sv.Detections(
                xyxy=np.array([box], np.float32),
                confidence=np.array([0.9], np.float32),
                class_id=np.array([0]),
                data={"class_name": np.array(["person"])},
            )
        found.metadata = {
            "model": query["model"],
            "backend": "fake",
            "device": self.device,
            "precision": "fp32",
        }
        return found


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have services look around several times a second."""
    monkeypatch.setattr(service, "SYNC_SECONDS", 0.1)
    monkeypatch.setattr(service, "RENEW_SECONDS", 0.3)
    monkeypatch.setattr(writer, "STATE_SECONDS", 0.2)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(figures, "RATE_SECONDS", 2.0)


def make_service(
    sources: FakeSources, engine: SquareFinder, *, suffix: str = "", **options: Any
) -> CameraService:
    """Return a service that is not started; with a suffix it is another runner."""
    name = f"{process_name()}/{suffix}" if suffix else None
    return CameraService(
        name=name,
        open_source=sources,
        engine=lambda: engine,  # type: ignore[arg-type,return-value]
        **options,
    )


def make_camera(name: str = "Door", **fields: Any) -> Camera:
    """Store a camera whose detector looks at every frame."""
    given = {"address": f"loop:{name}.mp4", "motion_gate": False, "tracker_min_hits": 2, **fields}
    return Camera.objects.create(name=name, **given)

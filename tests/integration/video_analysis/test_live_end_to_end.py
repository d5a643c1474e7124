"""Two looping cameras, the real capture, the real engine: everything but a lens."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.previews import read_preview
from detection_project.embedded import Embedded
from tests.integration.conftest import wait_until
from tests.integration.detector.conftest import real_engine  # noqa: F401
from video_analysis.cameras.models import Camera, Zone
from video_analysis.models import CameraEvent, CameraState, CameraTrack
from video_analysis.services.live import CameraService
from vision.encoding.trajectories import unpack_trajectories
from vision.encoding.video import VideoWriter
from vision.synthetic import Scene

WHOLE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
SIZE = (320, 240)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of people who walk."""
    path = tmp_path_factory.mktemp("cameras") / "walk.mp4"
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], rate=10) as writer:
        for frame, _ in Scene(seed=3, seconds=6, rate=10, size=SIZE, people=3, noise=1.0):
            writer.write(frame.image, frame.timestamp)
    return path


@pytest.fixture
def service(film: Path, settings: Any, transactional_db: None) -> Iterator[CameraService]:
    """A runner that may have the film."""
    settings.SIGHTLINE_CAMERA_FILES = film.parent
    made = CameraService()
    made.start()
    yield made
    made.stop()


def live_threads() -> list[str]:
    names = ("live-", "leave-", "reopen-", "camera")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.usefixtures("real_engine")
def test_two_cameras_from_file_to_events(service: CameraService) -> None:
    cameras = [
        Camera.objects.create(name=name, address="loop:walk.mp4", detector_conf=0.4)
        for name in ("One", "Two")
    ]
    zone = Zone.objects.create(camera=cameras[0], name="Floor", polygon=WHOLE, threshold_sec=1.0)
    wait_until(lambda: service.cameras == [camera.pk for camera in cameras])
    # The model is exported meanwhile.
    wait_until(lambda: CameraEvent.objects.filter(kind="entry").count() >= 2, 90)
    names = [f"camera:{camera.pk}:small" for camera in cameras]
    wait_until(lambda: all(read_preview(name) is not None for name in names))

    def both_live() -> bool:
        rows = CameraState.objects.filter(state="live")
        return [row.figures["fps"]["processed"] > 3 for row in rows] == [True, True]

    wait_until(both_live)
    told = CameraState.objects.get(pk=cameras[0].pk)
    assert (told.width, told.height, told.codec) == (*SIZE, "h264")
    assert told.figures["model"] == "yolov8n"
    assert told.figures["age_ms"]["p95"] < 5000
    wait_until(lambda: CameraState.objects.get(pk=cameras[0].pk).figures["epoch"] > 1, 30)
    wait_until(lambda: CameraTrack.objects.count() > 2)
    assert service.stop()
    assert live_threads() == []
    assert multiprocessing.active_children() == []

    assert not CameraEvent.objects.filter(end=None).exists()
    entry = CameraEvent.objects.filter(kind="entry", zone=zone).earliest("start")
    assert entry.label == "person"
    assert entry.picture.size > 1000
    track = CameraTrack.objects.get(pk=entry.track)
    paths = unpack_trajectories(bytes(track.chunk.data))
    path = paths[track.position]
    assert (path.track_id, len(path.times)) == (track.number, track.points)
    assert abs((entry.start - track.start).total_seconds()) < 2
    numbers = list(CameraEvent.objects.order_by("sequence").values_list("sequence", flat=True))
    assert len(set(numbers)) == len(numbers)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_embedded_runner_starts_and_leaves_nothing(film: Path, settings: Any) -> None:
    settings.SIGHTLINE_CAMERA_FILES = film.parent
    settings.SIGHTLINE_BACKEND = "opencv"
    camera = Camera.objects.create(name="One", address="loop:walk.mp4", fps=5)
    before = set(threading.enumerate())
    embedded = Embedded()
    embedded.start()
    wait_until(lambda: CameraState.objects.filter(pk=camera.pk, state="live").exists(), 30)
    assert embedded.stop()
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert [name for name in left if name.startswith(("live", "leave", "camera"))] == []
    assert multiprocessing.active_children() == []


@pytest.mark.django_db(transaction=True)
def test_cameras_can_be_left_to_others(settings: Any) -> None:
    settings.SIGHTLINE_RUN_CAMERAS = False
    assert Embedded().cameras is None

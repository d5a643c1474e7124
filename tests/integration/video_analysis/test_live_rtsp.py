"""A camera on a real RTSP server that comes, changes and goes, beside one that must not notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from common.secrets import encrypt
from tests.integration.conftest import wait_until
from tests.integration.video_analysis.live_fakes import SquareFinder, hurry, make_camera
from tests.made_videos import make_clip
from tests.rtsp_server import RtspServer
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraState
from video_analysis.services.live import CameraService

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS = 40.0


@pytest.fixture
def server() -> Iterator[RtspServer]:
    """A stream that wants a password."""
    with RtspServer(user="ada", password="correct horse", fps=10) as made:
        yield made


@pytest.fixture
def service(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A runner that may have cameras of this machine, and the film of the folder."""
    hurry(monkeypatch)
    settings.SIGHTLINE_CAMERA_HOSTS = ["127.0.0.1"]
    settings.SIGHTLINE_CAMERA_FILES = tmp_path
    make_clip(tmp_path / "walk.mp4", seconds=4)
    made = CameraService(engine=lambda: SquareFinder())  # type: ignore[arg-type,return-value]
    made.start()
    yield made
    assert made.stop()


def with_password(word: str) -> bytes:
    return encrypt(json.dumps({"username": "ada", "password": word}))


def state(camera: Camera) -> CameraState:
    return CameraState.objects.get(pk=camera.pk)


def is_live(camera: Camera) -> bool:
    row = CameraState.objects.filter(pk=camera.pk, state="live").first()
    return row is not None and row.figures["fps"]["processed"] > 1


@pytest.mark.usefixtures("service")
def test_a_stream_that_comes_changes_and_goes(server: RtspServer) -> None:
    steady = make_camera("Steady", address="loop:walk.mp4", fps=5)
    camera = make_camera("Street", address=server.url, credentials=with_password("wrong"), fps=5)
    wait_until(lambda: is_live(steady), SECONDS)
    wait_until(lambda: state(camera).state == "refused", SECONDS)
    assert state(camera).code == "wrong_password"
    assert state(camera).reason

    Camera.objects.filter(pk=camera.pk).update(
        credentials=with_password("correct horse"), revision=F("revision") + 1
    )
    wait_until(lambda: is_live(camera), SECONDS)
    assert (state(camera).width, state(camera).codec) == (320, "h264")

    epoch = state(camera).figures["epoch"]
    server.resize(480, 360)
    wait_until(lambda: is_live(camera) and state(camera).width == 480, SECONDS)
    assert state(camera).figures["epoch"] > epoch

    server.stop()
    wait_until(lambda: state(camera).state == "lost", SECONDS)
    assert state(camera).reason
    assert is_live(steady)
    server.start()
    wait_until(lambda: is_live(camera), SECONDS)
    assert is_live(steady)

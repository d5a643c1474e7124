"""Testing a connection: where it goes, with what, and how many at once."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common.errors import ServiceError
from common.inference import set_engine_for_tests
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import FakeEngine
from tests.integration.video_analysis.camera_rows import ADDRESS, LOGIN, SECRET, make_camera
from tests.made_faces import MadeFace, face_of
from video_analysis.cameras import services
from video_analysis.cameras.errors import ConfigurationError, ConnectionFailedError
from video_analysis.cameras.models import Camera
from video_analysis.cameras.services import hiding, probing
from vision.errors import VisionError
from vision.sources.cameras import CameraError, Credentials, Probe

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Any:
    return make_user("anna", "administrator")


@pytest.fixture
def camera(admin: Any) -> Camera:
    return make_camera(admin, username=LOGIN, password=SECRET)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Credentials | None]]:
    """Where it was connected to, and with what; every camera shows a grey picture."""
    made: list[tuple[str, Credentials | None]] = []

    def probe(address: Any, *, rules: Any, credentials: Any, timeout: float) -> Probe:
        made.append((str(address), credentials))
        image = np.full((48, 64, 3), 128, np.uint8)
        return Probe(image=image, codec="h264", width=64, height=48, rate=25.0, seconds=0.5)

    monkeypatch.setattr(probing, "probe_camera", probe)
    return made


def test_an_address_gives_a_picture_and_its_figures(calls: list[Any]) -> None:
    found = services.test_camera(address=f"rtsp://{LOGIN}:{SECRET}@192.168.1.20/stream")
    assert Image.open(io.BytesIO(found.jpeg)).size == (64, 48)
    assert (found.codec, found.width, found.height, found.rate) == ("h264", 64, 48, 25.0)
    assert calls == [(ADDRESS, Credentials(LOGIN, SECRET))]


SAME = "rtsp://192.168.1.20/other"
TARGETS: dict[str, tuple[dict[str, str], tuple[str, tuple[str, str] | None]]] = {
    "as stored": ({}, (ADDRESS, (LOGIN, SECRET))),
    "its own address": ({"address": ADDRESS}, (ADDRESS, (LOGIN, SECRET))),
    "another password": ({"password": "p"}, (ADDRESS, (LOGIN, "p"))),
    "another path": ({"address": SAME}, (SAME, (LOGIN, SECRET))),
    "another host": ({"address": "rtsp://10.0.0.9/a"}, ("rtsp://10.0.0.9/a", None)),
    "another host, new": (
        {"address": "rtsp://10.0.0.9/a", "username": "u"},
        ("rtsp://10.0.0.9/a", ("u", "")),
    ),
    "in the address": ({"address": "rtsp://u:p@192.168.1.20/other"}, (SAME, ("u", "p"))),
}


@pytest.mark.parametrize("case", TARGETS)
def test_stored_credentials_go_to_the_stored_host_and_nowhere_else(
    camera: Camera, calls: list[Any], case: str
) -> None:
    given, (address, pair) = TARGETS[case]
    services.test_camera(camera=camera, **given)
    assert calls == [(address, Credentials(*pair) if pair else None)]


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "http://169.254.169.254/"])
def test_what_is_no_address_is_not_connected_to(calls: list[Any], address: str) -> None:
    with pytest.raises(ConfigurationError):
        services.test_camera(address=address)
    assert calls == []


def test_the_real_reason_is_told(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    def probe(*args: Any, **kwargs: Any) -> Any:
        raise CameraError("wrong_password", "The camera does not take this password.")

    monkeypatch.setattr(probing, "probe_camera", probe)
    for _ in range(probing.AT_ONCE + 1):  # a failure frees its place
        with pytest.raises(ConnectionFailedError) as refused:
            services.test_camera(camera=camera)
    assert (refused.value.code, refused.value.status) == ("wrong_password", 422)
    assert "take this password" in refused.value.message


def test_credentials_that_cannot_be_read_are_a_reason(
    camera: Camera, calls: list[Any], settings: Any
) -> None:
    settings.SIGHTLINE_FIELD_KEY = "eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXk="
    with pytest.raises(ConnectionFailedError) as refused:
        services.test_camera(camera=camera)
    assert refused.value.code == "unreadable_credentials"
    services.test_camera(camera=camera, password="new")
    assert calls == [(ADDRESS, Credentials("", "new"))]


def test_four_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    answer, started, probe = Event(), Barrier(probing.AT_ONCE + 1, timeout=10), probing.probe_camera

    def slow(*args: Any, **kwargs: Any) -> Any:
        started.wait()
        assert answer.wait(10)
        return probe(*args, **kwargs)

    monkeypatch.setattr(probing, "probe_camera", slow)
    tests = [
        Thread(target=services.test_camera, kwargs={"address": ADDRESS})
        for _ in range(probing.AT_ONCE)
    ]
    for test in tests:
        test.start()
    started.wait()
    with pytest.raises(ServiceError) as refused:
        services.test_camera(address=ADDRESS)
    assert (refused.value.code, refused.value.status) == ("too_many_tests", 429)
    assert refused.value.retry_after
    answer.set()
    for test in tests:
        test.join()
    monkeypatch.setattr(probing, "probe_camera", probe)
    services.test_camera(address=ADDRESS)
    assert len(calls) == probing.AT_ONCE + 1


def test_people_are_hidden_where_the_camera_hides_them(
    admin: Any, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[str] = []
    monkeypatch.setattr(probing, "hide_people_in", lambda image, model: bool(hidden.append(model)))
    camera = make_camera(admin, hide_people=True)
    # Nothing could look for people: then there is no picture, but the figures are told.
    found = services.test_camera(camera=camera)
    assert (found.jpeg, found.width, hidden) == (b"", 64, ["yolov8n"])
    assert services.test_camera(camera=make_camera(admin, "Open")).jpeg


@pytest.mark.parametrize("said", [None, False, True])
@pytest.mark.parametrize(
    "address", ["", ADDRESS, ADDRESS.replace("1.20/", "1.20:554/"), "rtsp://192.168.1.20/other"]
)
def test_nobody_can_ask_for_people_that_a_camera_hides(
    admin: Any, calls: list[Any], monkeypatch: pytest.MonkeyPatch, said: bool | None, address: str
) -> None:
    monkeypatch.setattr(probing, "hide_people_in", lambda image, model: False)
    camera = make_camera(admin, hide_people=True)
    assert not services.test_camera(camera=camera, address=address, hide_people=said).jpeg
    open_one = make_camera(admin, "Open", address="rtsp://192.168.1.20/open")
    if address:
        elsewhere = address.endswith("other") and not said
        for asked in (None, open_one):
            found = services.test_camera(camera=asked, address=address, hide_people=said)
            assert bool(found.jpeg) is elsewhere
    assert bool(services.test_camera(camera=open_one, hide_people=said).jpeg) is not said


@pytest.mark.parametrize("faces", ["hidden", "consented"])
def test_faces_are_hidden_where_the_camera_hides_any(
    admin: Any, calls: list[Any], monkeypatch: pytest.MonkeyPatch, faces: str
) -> None:
    hidden: list[str] = []
    monkeypatch.setattr(probing, "hide_faces_in", lambda image, model: bool(hidden.append(model)))
    camera = make_camera(admin, faces=faces)
    open_one = make_camera(admin, "Open", address="rtsp://192.168.1.20/open")
    for said in (None, False, True):
        assert not services.test_camera(camera=camera, hide_faces=said).jpeg
        # Nor by the address of the one, tried for the other.
        assert not services.test_camera(camera=open_one, address=ADDRESS, hide_faces=said).jpeg
        assert bool(services.test_camera(camera=open_one, hide_faces=said).jpeg) is not said
    assert len(hidden) == 7


@pytest.mark.parametrize("missing", [False, True], ids=["found", "nothing-looks"])
def test_faces_are_found_and_blurred_or_else_heads(missing: bool) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    before = image.copy()
    engine = FakeEngine()
    engine.faces.scene = [MadeFace(face_of(1), (120.0, 60.0, 150.0, 100.0))]
    engine.faces.error = VisionError("engine_closed", "It is gone.") if missing else None
    set_engine_for_tests(engine)
    try:
        assert hiding.hide_faces_in(image, "yolov8n")
    finally:
        set_engine_for_tests(None)
    changed = (image != before).any(axis=2)
    assert changed[65:95, 125:145].mean() > 0.9 or missing
    assert changed.any()


def test_people_are_found_and_blurred() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    before = image.copy()
    set_engine_for_tests(FakeEngine())
    try:
        assert hiding.hide_people_in(image, "yolov8n")
    finally:
        set_engine_for_tests(None)
    assert (image != before).any()


def test_without_an_engine_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise VisionError("no_engine", "There is none.")

    monkeypatch.setattr(hiding, "find_objects", fail)
    assert not hiding.hide_people_in(np.zeros((4, 4, 3), np.uint8), "yolov8n")


def test_a_looping_file_is_really_opened(clip: Path, settings: Any) -> None:
    settings.SIGHTLINE_CAMERA_FILES = clip.parent
    found = services.test_camera(address=f"loop:{clip.name}")
    assert (found.codec, found.width, found.height) == ("h264", 160, 120)
    assert Image.open(io.BytesIO(found.jpeg)).size == (160, 120)

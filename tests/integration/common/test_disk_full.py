"""A disk that is nearly full, and one that is: pictures are refused, everything else goes on."""

import io
import os
import subprocess
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from common.inference import set_engine_for_tests
from common.models import Upload
from common.storage import disk
from common.uploads.services import store_picture
from detector.models import DetectionSession
from integration.conftest import make_picture, make_user
from integration.detector.conftest import FakeEngine, make_session, picture

MIB = 1024 * 1024
Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def nearly_full(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk with 100 MiB left, of which 512 must stay."""
    settings.SIGHTLINE_MIN_FREE_BYTES = 512 * MIB
    usage = Usage(1000 * MIB, 900 * MIB, 100 * MIB)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage)


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """An engine that answers at once."""
    fake = FakeEngine()
    set_engine_for_tests(fake)  # type: ignore[arg-type]
    yield fake
    set_engine_for_tests(None)


def image() -> SimpleUploadedFile:
    return SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")


STORING = [
    ("/api/sessions/", {}),
    ("/api/detect/", {}),
    ("/api/detect/", {"save": "1"}),
    ("/api/segment/", {}),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("nearly_full")
@pytest.mark.parametrize(("path", "fields"), STORING)
def test_pictures_are_refused_before_anything_is_written(
    api: APIClient, engine: FakeEngine, settings: Any, path: str, fields: dict[str, str]
) -> None:
    answer = api.post(path, {"image": image(), **fields}, format="multipart")
    assert answer.status_code == 507
    error = answer.json()["error"]
    assert error["code"] == "disk_full"
    assert "100 MiB left" in error["message"]
    assert not Upload.objects.exists()
    assert not DetectionSession.objects.exists()
    assert not Path(settings.MEDIA_ROOT).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("nearly_full")
def test_the_page_is_told_the_same(signed_in: Client) -> None:
    answer = signed_in.post(
        "/sessions/create/", {"image": image()}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")


@pytest.mark.django_db
@pytest.mark.usefixtures("nearly_full")
@pytest.mark.parametrize("path", ["/api/detect/", "/api/segment/"])
def test_a_detection_that_is_not_kept_is_still_answered(
    api: APIClient, engine: FakeEngine, path: str
) -> None:
    answer = api.post(path, {"image": image(), "save": "0"}, format="multipart")
    assert (answer.status_code, answer.json()["session"]) == (200, None)


@pytest.mark.django_db(transaction=True)
def test_looking_deleting_and_signing_in_go_on(
    user: Any, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(user)
    settings.SIGHTLINE_MIN_FREE_BYTES = 512 * MIB
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: Usage(1, 1, 0))
    signed_in = client.post("/accounts/login/", {"username": "ada", "password": "correct horse"})
    assert signed_in.status_code == 302
    for path in ("", "picture", "thumbnail", "export/png"):
        assert client.get(f"/sessions/{session.pk}/{path}").status_code == 200
    assert client.post(f"/sessions/{session.pk}/delete/").status_code == 302
    assert not Upload.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("nearly_full")
@pytest.mark.parametrize(("role", "told"), [("administrator", True), ("operator", False)])
def test_administrators_are_told_on_every_page(client: Client, role: str, told: bool) -> None:
    client.force_login(make_user("somebody", role))
    text = client.get("/").content.decode()
    assert ("The disk is nearly full" in text) is told


@pytest.mark.django_db
def test_a_disk_with_room_is_not_talked_about(client: Client, settings: Any) -> None:
    settings.SIGHTLINE_MIN_FREE_BYTES = 0
    client.force_login(make_user("grace", "administrator"))
    assert "nearly full" not in client.get("/").content.decode()


# ------------------------------------------------------------------ a real small disk
@pytest.fixture
def small_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A file system of two megabytes, mounted for this test."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a file system")
    settings.MEDIA_ROOT = place / "media"
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def noise(kilobytes: int) -> bytes:
    """A picture that nothing makes smaller."""
    side = int((kilobytes * 1024 / 3) ** 0.5)
    pixels = np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("least", [MIB, 0])
def test_a_real_disk_fills_up_and_is_emptied_again(
    api: APIClient, small_disk: Path, settings: Any, least: int
) -> None:
    settings.SIGHTLINE_MIN_FREE_BYTES = least
    taken = []
    for _ in range(12):
        file = SimpleUploadedFile("noise.png", noise(400), "image/png")
        answer = api.post("/api/sessions/", {"image": file}, format="multipart")
        if answer.status_code != 201:
            break
        taken.append(answer.json()["id"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "disk_full")
    assert 1 < len(taken) < 7
    stored = [path for path in small_disk.rglob("*") if path.is_file()]
    assert len(stored) == 2 * len(taken)  # nothing half written, nothing lost
    assert Upload.objects.count() == len(taken)
    for upload in Upload.objects.all():
        assert upload.file.size == upload.size
    for session in taken[:2]:
        assert api.get(f"/api/sessions/{session}/picture/").status_code == 200
        assert api.delete(f"/api/sessions/{session}/").status_code == 204
    store_picture(owner=Upload.objects.first().owner, data=make_picture("PNG", (9, 9)), name="a")

"""Cameras in the admin: found and looked at, neither changed there nor with their secrets."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import (
    LOGIN,
    SECRET,
    make_camera,
    make_line,
    make_zone,
)
from video_analysis.cameras import services
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraState

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    admin = make_user("anna", "administrator")
    admin.is_staff = admin.is_superuser = True
    admin.save()
    area = services.create_area(actor=admin, name="Shop")
    camera = make_camera(admin, area=area, username=LOGIN, password=SECRET)
    make_zone(admin, camera)
    make_line(admin, camera)
    make_camera(admin, "Attic", enabled=False)
    CameraState.objects.create(camera=camera, state="lost", reason="Nobody answers there.")
    client = Client()
    client.force_login(admin)
    return client


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("area", ["Shop"]),
        ("camera", ["Entrance", "Attic", "Lost", "Nobody answers there.", "Off"]),
        ("zone", ["Checkout"]),
        ("countingline", ["Door"]),
    ],
)
def test_lists_show_what_there_is(browser: Client, model: str, shown: list[str]) -> None:
    page = browser.get(f"/admin/cameras/{model}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert [word for word in shown if word not in text] == []
    assert browser.get(f"/admin/cameras/{model}/?q=zzz").status_code == 200


def test_a_camera_is_shown_without_credentials_and_cannot_be_changed(browser: Client) -> None:
    camera = Camera.objects.get(name="Entrance")
    where = f"/admin/cameras/camera/{camera.pk}/change/"
    page = browser.get(where).content.decode()
    assert "192.168.1.20" in page
    for secret in (LOGIN, SECRET, "credentials", bytes(camera.credentials or b"").decode()):
        assert secret not in page
    assert browser.post(where, {"name": "Mine"}).status_code == 403
    assert browser.get("/admin/cameras/camera/add/").status_code == 403
    assert browser.post(f"/admin/cameras/camera/{camera.pk}/delete/").status_code == 403
    assert Camera.objects.filter(name="Entrance").exists()

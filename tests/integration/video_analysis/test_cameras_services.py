"""Areas and cameras: what is taken, what is refused, and what every change leaves behind."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from common.models import AuditEntry
from common.secrets import UnreadableSecretError
from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import (
    ADDRESS,
    LOGIN,
    SECRET,
    make_camera,
)
from video_analysis.cameras import selectors, services
from video_analysis.cameras.errors import ChangedMeanwhileError, ConfigurationError, GoneError
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services import checking, noting
from vision.sources.cameras import Credentials

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Any:
    return make_user("anna", "administrator")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was announced."""
    messages: list[str] = []
    monkeypatch.setattr(noting, "announce_configuration", lambda: messages.append("cameras"))
    return messages


def noted() -> Any:
    """What was written down about areas and cameras."""
    return AuditEntry.objects.filter(object_type__startswith="cameras.")


def test_a_camera_has_the_defaults_of_its_model(admin: Any) -> None:
    camera = make_camera(admin)
    assert (camera.name, camera.address, camera.revision) == ("Entrance", ADDRESS, 1)
    assert (camera.tracker, camera.fps, camera.enabled) == ("bytetrack", 10.0, True)
    assert camera.credentials is None


BAD: dict[str, dict[str, Any]] = {
    "name-empty": {"name": "  "},
    "name-long": {"name": "x" * 101},
    "address-empty": {"address": ""},
    "address-file": {"address": "file:///etc/passwd"},
    "address-concat": {"address": "concat:a|b"},
    "address-metadata": {"address": "http://169.254.169.254/latest/meta-data"},
    "address-loopback": {"address": "rtsp://127.0.0.1/stream"},
    "address-gone": {"address": "loop:nowhere.mp4"},
    "address-outside": {"address": "loop:../secrets.mp4"},
    "fps-high": {"fps": 31},
    "fps-low": {"fps": 0.1},
    "fps-nan": {"fps": float("nan")},
    "fps-word": {"fps": "fast"},
    "fps-nan as text": {"fps": "nan"},
    "fps-huge": {"fps": 10**400},
    "model-unknown": {"model": "yolov99"},
    "model-segments": {"model": "yolov8n-seg"},
    "detector_conf-high": {"detector_conf": 1.5},
    "classes-unknown": {"classes": ["unicorn"]},
    "classes-text": {"classes": "person"},
    "classes-numbers": {"classes": [1]},
    "tracker-unknown": {"tracker": "guess"},
    "tracker_max_age-none": {"tracker_max_age": None},
    "tracker_min_hits-one": {"tracker_min_hits": 1},
    "username-long": {"username": "x" * 201},
    "password-long": {"password": "x" * 201},
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_camera_is_refused_with_the_field(admin: Any, case: str) -> None:
    field = case.split("-")[0]
    with pytest.raises(ConfigurationError) as refused:
        make_camera(admin, **BAD[case])
    assert set(refused.value.fields) == {field}
    assert refused.value.status == 400
    assert not Camera.objects.exists()
    assert not noted().exists()


@pytest.mark.parametrize("case", [case for case in BAD if not case.startswith("name-")])
def test_a_change_to_what_is_no_camera_is_refused_and_changes_nothing(
    admin: Any, case: str
) -> None:
    camera = make_camera(admin)
    with pytest.raises(ConfigurationError) as refused:
        services.update_camera(actor=admin, camera=camera, **BAD[case])
    assert case.split("-")[0] in refused.value.fields
    assert Camera.objects.get().revision == 1


def test_all_that_is_wrong_is_said_at_once(admin: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_camera(admin, name="", address="pipe:0", fps=0, tracker="guess")
    assert set(refused.value.fields) == {"name", "address", "fps", "tracker"}


def test_two_cameras_or_areas_never_have_one_name(admin: Any) -> None:
    make_camera(admin)
    services.create_area(actor=admin, name="Shop")
    with pytest.raises(ConfigurationError):
        make_camera(admin)
    with pytest.raises(ConfigurationError):
        services.create_area(actor=admin, name=" Shop ")


def test_a_model_that_is_not_installed_is_refused(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Store:
        def find(self, card: Any) -> Path | None:
            return Path("there") if card.name == "yolov8s" else None

    monkeypatch.setattr(checking, "get_weights_store", Store)
    assert make_camera(admin, "One", model="yolov8s").model == "yolov8s"
    with pytest.raises(ConfigurationError, match="not installed"):
        make_camera(admin, "Two", model="yolov8m")


def test_classes_are_spelled_as_the_model_does(admin: Any) -> None:
    assert make_camera(admin, classes=[" Person ", "CAR"]).classes == ["person", "car"]


def test_a_loop_is_taken_from_the_folder_of_such_files(
    admin: Any, settings: Any, tmp_path: Path
) -> None:
    settings.SIGHTLINE_CAMERA_FILES = tmp_path
    (tmp_path / "a.mp4").touch()
    assert make_camera(admin, address="loop:a.mp4").address == "loop:a.mp4"


def test_hosts_that_are_listed_are_taken(admin: Any, settings: Any) -> None:
    settings.SIGHTLINE_CAMERA_HOSTS = ["127.0.0.1"]
    assert make_camera(admin, address="rtsp://127.0.0.1:8554/a").pk


# ------------------------------------------------------------------ what a change leaves behind
def test_a_change_raises_the_revision_is_written_down_and_told(
    admin: Any, told: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    group = Group.objects.create(name="Night shift")
    camera = make_camera(admin)
    with django_capture_on_commit_callbacks(execute=True):
        changed = services.update_camera(actor=admin, camera=camera, fps=5, groups=[group])
        assert told == []
    assert told == ["cameras"]
    assert (changed.revision, changed.fps) == (2, 5)
    assert list(changed.groups.all()) == [group]
    entry = noted().first()
    assert entry is not None
    assert entry.actor_name == "anna"
    assert entry.details == {
        "change": "changed",
        "fields": ["fps", "groups"],
        "before": {"fps": 10.0, "groups": []},
        "after": {"fps": 5, "groups": ["Night shift"]},
    }


def test_what_changes_nothing_leaves_nothing(
    admin: Any, told: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    camera = make_camera(admin)
    lines = noted().count()
    with django_capture_on_commit_callbacks(execute=True):
        same = services.update_camera(
            actor=admin, camera=camera, name="Entrance", fps=10.0, address=ADDRESS, groups=[]
        )
    assert (same.revision, told, noted().count()) == (1, [], lines)


def test_who_started_from_an_older_revision_is_refused(admin: Any) -> None:
    camera = make_camera(admin)
    services.update_camera(actor=admin, camera=camera, fps=5, revision=1)
    with pytest.raises(ChangedMeanwhileError) as refused:
        services.update_camera(actor=admin, camera=camera, fps=7, revision=1)
    assert (refused.value.status, Camera.objects.get().fps) == (409, 5)


def test_a_camera_that_is_gone_is_not_changed(admin: Any) -> None:
    camera = make_camera(admin)
    services.delete_camera(actor=admin, camera=Camera.objects.get())
    with pytest.raises(GoneError):
        services.update_camera(actor=admin, camera=camera, fps=5)
    services.delete_camera(actor=admin, camera=camera)  # twice is once
    assert noted().filter(action="deleted").count() == 1


def test_a_setting_that_there_is_not_is_our_mistake(admin: Any) -> None:
    with pytest.raises(TypeError, match="colour"):
        make_camera(admin, colour="blue")
    with pytest.raises(TypeError, match="revison"):
        services.update_camera(actor=admin, camera=make_camera(admin), revison=1)


def test_what_may_be_done_with_faces_is_noted_and_raises_the_cameras_revisions(
    admin: Any, told: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    area = services.create_area(actor=admin, name="Shop")
    camera, elsewhere = make_camera(admin, area=area), make_camera(admin, "Elsewhere")
    before = AuditEntry.objects.count()
    with django_capture_on_commit_callbacks(execute=True):
        changed = services.update_area(actor=admin, area=area, recognise=True, absence_minutes=20)
    assert (changed.recognise, changed.consent_required, changed.absence_minutes) == (
        *(True, True, 20),
    )
    assert told == ["cameras"]
    line = noted().latest("pk")
    assert AuditEntry.objects.count() == before + 1
    assert (line.actor_name, line.details["change"]) == (admin.username, "changed")
    assert line.details["fields"] == ["absence_minutes", "recognise"]
    assert line.details["before"] == {"absence_minutes": 15, "recognise": False}
    assert line.details["after"] == {"absence_minutes": 20, "recognise": True}
    camera.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (camera.revision, elsewhere.revision) == (2, 1)
    services.update_area(actor=admin, area=area, recognise=True)  # nothing is different
    services.rename_area(actor=admin, area=area, name="Hall")
    camera.refresh_from_db()
    assert (camera.revision, AuditEntry.objects.count()) == (2, before + 2)


BAD_AREAS: dict[str, dict[str, Any]] = {
    "too-soon": {"absence_minutes": 0},
    "too-late": {"absence_minutes": 1441},
    "no-number": {"absence_minutes": "soon"},
    "no-switch": {"recognise": "maybe"},
    "no-name": {"name": " ", "recognise": True},
}


@pytest.mark.parametrize("values", list(BAD_AREAS.values()), ids=list(BAD_AREAS))
def test_what_is_wrong_with_an_area_is_said_and_nothing_is_written(
    admin: Any, values: dict[str, Any]
) -> None:
    area = services.create_area(actor=admin, name="Shop")
    lines = AuditEntry.objects.count()
    with pytest.raises(ConfigurationError) as refused:
        services.update_area(actor=admin, area=area, **values)
    assert list(refused.value.fields) == [next(iter(values))]
    area.refresh_from_db()
    assert (area.name, area.recognise, area.absence_minutes) == ("Shop", False, 15)
    assert AuditEntry.objects.count() == lines


def test_an_area_has_no_other_settings(admin: Any) -> None:
    with pytest.raises(TypeError):
        services.create_area(actor=admin, name="Shop", colour="red")


def test_areas_are_made_renamed_and_deleted_without_their_cameras(admin: Any) -> None:
    area = services.create_area(actor=admin, name="Shop")
    camera = make_camera(admin, area=area)
    assert services.rename_area(actor=admin, area=area, name="Sales floor").name == "Sales floor"
    services.delete_area(actor=admin, area=area)
    camera.refresh_from_db()
    assert camera.area is None
    with pytest.raises(GoneError):
        services.rename_area(actor=admin, area=area, name="Again")
    assert [entry.action for entry in noted().order_by("pk")] == [
        *("settings", "settings", "settings", "deleted")  # area, camera, name, area
    ]


def test_two_who_take_one_name_at_once_get_a_sentence(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Area.objects.create(name="Shop")
    make_camera(admin)
    for module in ("areas", "cameras"):
        name = f"video_analysis.cameras.services.{module}.judge_"
        monkeypatch.setattr(name + ("row" if module == "areas" else "camera"), lambda *_: {})
    with pytest.raises(ConfigurationError, match="already"):
        services.create_area(actor=admin, name="Shop")
    with pytest.raises(ConfigurationError, match="already"):
        make_camera(admin)
    assert not connection.needs_rollback


# ------------------------------------------------------------------ credentials
def stored(camera: Camera) -> tuple[str, str] | None:
    found = selectors.credentials_of(Camera.objects.get(pk=camera.pk))
    return (found.username, found.password) if found else None


def test_credentials_in_an_address_are_taken_out_and_encrypted(admin: Any) -> None:
    camera = make_camera(admin, address=f"rtsp://{LOGIN}:{SECRET}@192.168.1.20/stream")
    assert camera.address == ADDRESS
    assert stored(camera) == (LOGIN, SECRET)
    assert SECRET.encode() not in bytes(camera.credentials or b"")


CHANGES: dict[str, tuple[dict[str, Any], tuple[str, str] | None]] = {
    "nothing": ({"fps": 5}, (LOGIN, SECRET)),
    "empty fields": ({"username": "", "password": ""}, (LOGIN, SECRET)),
    "another password": ({"password": "new"}, (LOGIN, "new")),
    "another user": ({"username": "new"}, ("new", SECRET)),
    "both": ({"username": "u", "password": "p"}, ("u", "p")),
    "in the address": ({"address": "rtsp://u:p@192.168.1.20/stream"}, ("u", "p")),
    "fields win": ({"address": "rtsp://u:p@192.168.1.20/a", "password": "q"}, ("u", "q")),
    "another path": ({"address": "rtsp://192.168.1.20/b"}, (LOGIN, SECRET)),
    "its own port": ({"address": "rtsp://192.168.1.20:554/b"}, (LOGIN, SECRET)),
    "forgotten": ({"forget_credentials": True}, None),
    "forgotten elsewhere": ({"address": "rtsp://10.0.0.9/", "forget_credentials": True}, None),
    "new elsewhere": ({"address": "rtsp://10.0.0.9/", "password": "p"}, ("", "p")),
    "in the address elsewhere": ({"address": "rtsp://u:p@10.0.0.9/"}, ("u", "p")),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_becomes_of_credentials(admin: Any, case: str) -> None:
    camera = make_camera(admin, username=LOGIN, password=SECRET)
    changes, expected = CHANGES[case]
    services.update_camera(actor=admin, camera=camera, **changes)
    assert stored(camera) == expected


@pytest.mark.parametrize(
    "address",
    ["rtsp://10.0.0.9/stream", "rtsp://192.168.1.20:8554/stream", "http://192.168.1.20/stream"],
)
def test_a_password_is_never_sent_to_another_host(admin: Any, address: str) -> None:
    camera = make_camera(admin, username=LOGIN, password=SECRET)
    for more in ({}, {"username": "other"}):
        with pytest.raises(ConfigurationError, match="another host"):
            services.update_camera(actor=admin, camera=camera, address=address, **more)
    assert stored(camera) == (LOGIN, SECRET)


def test_credentials_that_another_key_has_written_say_so_and_can_be_replaced(
    admin: Any, settings: Any
) -> None:
    camera = make_camera(admin, password=SECRET)
    settings.SIGHTLINE_FIELD_KEY = "eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXk="
    with pytest.raises(UnreadableSecretError):
        selectors.credentials_of(camera)
    services.update_camera(actor=admin, camera=camera, fps=5)
    services.update_camera(actor=admin, camera=camera, password="new")
    assert stored(camera) == ("", "new")


def test_a_secret_is_in_no_log_and_in_no_repr(admin: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        camera = make_camera(admin, address="http://192.168.1.20/a?pwd=" + SECRET, username=LOGIN)
        services.update_camera(actor=admin, camera=camera, password=SECRET + "2")
        services.update_camera(actor=admin, camera=camera, forget_credentials=True)
        camera = services.update_camera(actor=admin, camera=camera, password=SECRET)
    credentials = selectors.credentials_of(camera)
    said = json.dumps(list(AuditEntry.objects.values_list("details", "object_name")))
    for text in (said, repr(credentials), repr(camera), str(vars(camera)), caplog.text):
        assert SECRET not in text
    assert LOGIN not in said + repr(credentials) + caplog.text
    assert credentials == Credentials("", SECRET)

"""Cameras over REST: who may do what, what is shown to whom, and what never leaves."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from common.models import AuditEntry
from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import (
    ACROSS,
    ADDRESS,
    BOW_TIE,
    LOGIN,
    SECRET,
    SQUARE,
    make_camera,
    make_line,
    make_zone,
)
from video_analysis.cameras import services
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone
from video_analysis.cameras.services import probing
from vision.sources.cameras import CameraError, Probe

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Any:
    return make_user("anna", "administrator")


@pytest.fixture
def group() -> Group:
    return Group.objects.create(name="Night shift")


@pytest.fixture
def camera(admin: Any, group: Group) -> Camera:
    """A camera of the night shift, with a zone, a line, an area and credentials."""
    other = Group.objects.create(name="Day shift")
    area = services.create_area(actor=admin, name="Shop")
    made = make_camera(admin, area=area, groups=[group, other], username=LOGIN, password=SECRET)
    make_zone(admin, made)
    make_line(admin, made)
    return Camera.objects.get(pk=made.pk)


@pytest.fixture
def api(admin: Any) -> APIClient:
    return client_of(admin)


@pytest.fixture
def member(group: Group) -> APIClient:
    """A viewer of the group that the camera belongs to."""
    user = make_user("mona", "viewer")
    user.groups.add(group)
    return client_of(user)


def client_of(user: Any = None) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


# ------------------------------------------------------------------ who may do what
ASKED = {
    "GET /api/areas/": "401 200 200 200 200",
    "POST /api/areas/": "401 403 403 403 400",
    "GET /api/areas/{area}/": "401 404 200 404 200",
    "PATCH /api/areas/{area}/": "401 404 403 404 200",
    "DELETE /api/areas/{area}/": "401 404 403 404 204",
    "GET /api/cameras/": "401 200 200 200 200",
    "POST /api/cameras/": "401 403 403 403 400",
    "GET /api/cameras/{pk}/": "401 404 200 404 200",
    "PATCH /api/cameras/{pk}/": "401 404 403 404 200",
    "DELETE /api/cameras/{pk}/": "401 404 403 404 204",
    "GET /api/cameras/{pk}/zones/": "401 404 200 404 200",
    "PUT /api/cameras/{pk}/zones/": "401 404 403 404 400",
    "GET /api/cameras/{pk}/lines/": "401 404 200 404 200",
    "PUT /api/cameras/{pk}/lines/": "401 404 403 404 400",
    "POST /api/cameras/{pk}/test/": "401 404 403 404 422",
    "POST /api/cameras/test/": "401 403 403 403 400",
    "GET /api/cameras/export.yaml": "401 403 403 403 200",
    "POST /api/cameras/import/": "401 403 403 403 415",
    "GET /api/cameras/schema.json": "401 200 200 200 200",
}
PEOPLE = ("nobody", "viewer", "member", "operator", "administrator")


@pytest.mark.parametrize("request_line", ASKED)
def test_everybody_may_do_what_the_table_says(
    camera: Camera, group: Group, monkeypatch: pytest.MonkeyPatch, request_line: str
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise CameraError("no_answer", "Nobody answers.")

    monkeypatch.setattr(probing, "probe_camera", refuse)
    method, path = request_line.split(" ")
    path = path.format(pk=camera.pk, area=camera.area_id)
    found = []
    for person in PEOPLE:
        user = None
        if person != "nobody":
            role = person if person in ("operator", "administrator") else "viewer"
            user = make_user(person, role)
            if person == "member":
                user.groups.add(group)
        body = {} if method != "GET" else None
        found.append(
            str(
                client_of(user)
                .generic(
                    method, path, json.dumps(body) if body is not None else "", "application/json"
                )
                .status_code
            )
        )
    assert " ".join(found) == ASKED[request_line]


def test_who_leaves_the_group_sees_nothing_any_more(
    camera: Camera, member: APIClient, group: Group
) -> None:
    assert member.get("/api/cameras/").json()["results"]
    group.user_set.clear()
    gone = client_of(type(group.user_set.model.objects.first()).objects.get(username="mona"))
    assert gone.get("/api/cameras/").json()["results"] == []
    assert gone.get(f"/api/cameras/{camera.pk}/").status_code == 404


# ------------------------------------------------------------------ what is shown
def test_an_administrator_sees_everything_but_the_credentials(
    api: APIClient, camera: Camera
) -> None:
    answer = api.get(f"/api/cameras/{camera.pk}/")
    body = answer.json()
    assert body["address"] == ADDRESS
    assert body["has_credentials"] is True
    assert body["area"] == {"id": camera.area_id, "name": "Shop"}
    assert [group["name"] for group in body["groups"]] == ["Day shift", "Night shift"]
    assert body["zones"][0]["polygon"] == SQUARE
    assert body["lines"][0] == {
        "id": CountingLine.objects.get().pk,
        "name": "Door",
        "points": ACROSS,
        "forward": "in",
        "backward": "out",
    }
    assert body["revision"] == 3
    assert "username" not in body


def test_a_member_sees_neither_address_nor_others_groups(member: APIClient, camera: Camera) -> None:
    body = member.get(f"/api/cameras/{camera.pk}/").json()
    assert (body["address"], body["has_credentials"]) == (None, None)
    assert [group["name"] for group in body["groups"]] == ["Night shift"]
    assert "192.168.1.20" not in json.dumps(body)


def test_credentials_leave_through_no_address(
    api: APIClient, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    change = {"username": LOGIN + "2", "password": SECRET + "2", "fps": 9}
    answers = [
        api.get("/api/cameras/"),
        api.get(f"/api/cameras/{camera.pk}/"),
        api.patch(f"/api/cameras/{camera.pk}/", change),
        api.patch(f"/api/cameras/{camera.pk}/", {**change, "fps": 99}),
        api.patch(f"/api/cameras/{camera.pk}/", {"address": f"rtsp://{LOGIN}:{SECRET}@/"}),
        api.post("/api/cameras/", {**change, "name": "", "address": ADDRESS}),
        api.post("/api/cameras/test/", {"address": f"gopher://{LOGIN}:{SECRET}@host/"}),
        api.get("/api/cameras/export.yaml"),
        api.post(
            "/api/cameras/import/",
            f"cameras: [{{name: A, inputs: 'rtsp://{LOGIN}:{SECRET}@', password: [{SECRET}]}}]",
            content_type="application/yaml",
        ),
        api.get("/api/audit/"),
    ]
    said = b"".join(answer.content for answer in answers).decode() + caplog.text
    said += json.dumps(list(AuditEntry.objects.values_list("details", "object_name")))
    assert SECRET not in said
    assert LOGIN not in said


def test_the_list_costs_the_same_however_many_there_are(
    api: APIClient, admin: Any, camera: Camera
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert api.get("/api/cameras/").status_code == 200
        return len(found)

    queries()  # the caller's role is known from now on
    before = queries()
    for number in range(5):
        other = make_camera(admin, f"Camera {number}", area=camera.area)
        make_zone(admin, other)
        make_line(admin, other)
        other.groups.set(Group.objects.all())
    assert queries() == before <= 6


def test_the_list_is_paged_by_name_and_filtered(api: APIClient, admin: Any) -> None:
    area = services.create_area(actor=admin, name="Shop")
    for name in ("C", "A", "B"):
        make_camera(admin, name, area=area if name == "B" else None, enabled=name != "A")
    first = api.get("/api/cameras/?page_size=2").json()
    second = api.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == ["A", "B", "C"]
    for query, names in (
        (f"area={area.pk}", ["B"]),
        ("enabled=true", ["B", "C"]),
        ("enabled=0", ["A"]),
        ("area=999", []),
    ):
        rows = api.get(f"/api/cameras/?{query}").json()["results"]
        assert [row["name"] for row in rows] == names
    for query in ("area=x", "enabled=maybe"):
        assert api.get(f"/api/cameras/?{query}").status_code == 400


# ------------------------------------------------------------------ changing
def test_a_camera_is_added_changed_and_deleted(api: APIClient, group: Group) -> None:
    made = api.post(
        "/api/cameras/",
        {
            "name": "Door",
            "address": f"rtsp://{LOGIN}:{SECRET}@192.168.1.20:554/stream",
            "groups": [group.pk],
            "area": None,
            "classes": ["Person"],
        },
    )
    body = made.json()
    assert made.status_code == 201, body
    assert (body["address"], body["has_credentials"], body["classes"]) == (
        *(ADDRESS, True, ["person"]),
    )
    where = f"/api/cameras/{body['id']}/"
    changed = api.patch(where, {"fps": 4, "forget_credentials": True, "revision": 1}).json()
    assert (changed["fps"], changed["has_credentials"], changed["revision"]) == (4.0, False, 2)
    late = api.patch(where, {"fps": 5, "revision": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert api.delete(where).status_code == 204
    assert api.get(where).status_code == 404


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "scheme": ({"address": "file:///etc/passwd"}, "address"),
    "metadata": ({"address": "http://169.254.169.254/"}, "address"),
    "fps": ({"fps": 99}, "fps"),
    "tracker": ({"tracker": "x"}, "tracker"),
    "model": ({"model": "x"}, "model"),
    "class": ({"classes": ["x"]}, "classes"),
    "classes": ({"classes": "person"}, "classes"),
    "area": ({"area": 999}, "area"),
    "group": ({"groups": [999]}, "groups"),
    "huge": ({"area": 10**30}, "area"),
    "name": ({"name": "x" * 101}, "name"),
    "password": ({"password": "x" * 201}, "password"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_said_with_the_field(api: APIClient, case: str) -> None:
    given, field = REFUSED[case]
    answer = api.post("/api/cameras/", {"name": "A", "address": ADDRESS, **given})
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not Camera.objects.exists()


def test_areas_are_added_renamed_and_deleted(api: APIClient) -> None:
    made = api.post("/api/areas/", {"name": "Shop"})
    assert made.status_code == 201
    where = f"/api/areas/{made.json()['id']}/"
    assert api.post("/api/areas/", {"name": "Shop"}).json()["error"]["fields"].keys() == {"name"}
    assert api.patch(where, {"name": "Sales floor"}).json()["name"] == "Sales floor"
    assert api.delete(where).status_code == 204
    assert not Area.objects.exists()


FACE_SETTINGS = {
    "recognise": True,
    "consent_required": False,
    "group_unknown": True,
    "mood": True,
    "absence_minutes": 30,
}


def test_what_may_be_done_with_faces_in_an_area_is_off_until_it_is_set(api: APIClient) -> None:
    made = api.post("/api/areas/", {"name": "Shop"}, format="multipart").json()
    assert made == {
        **{"id": made["id"], "name": "Shop", "recognise": False, "consent_required": True},
        **{"group_unknown": False, "mood": False, "absence_minutes": 15},
    }
    where = f"/api/areas/{made['id']}/"
    changed = api.patch(where, FACE_SETTINGS, format="json").json()
    assert changed == {"id": made["id"], "name": "Shop", **FACE_SETTINGS}
    # What a form leaves out is not switched off.
    assert api.patch(where, {"name": "Hall"}, format="multipart").json()["recognise"] is True
    for value in (0, 1441, 1.5, "soon"):
        refused = api.patch(where, {"absence_minutes": value}, format="json")
        assert refused.status_code == 400
        assert list(refused.json()["error"]["fields"]) == ["absence_minutes"]
    assert api.get(where).json() == {**changed, "name": "Hall"}


def test_a_camera_says_whose_faces_it_shows(api: APIClient, camera: Camera) -> None:
    where = f"/api/cameras/{camera.pk}/"
    assert api.get(where).json()["faces"] == ""
    assert api.patch(where, {"faces": "consented"}, format="json").json()["faces"] == "consented"
    refused = api.patch(where, {"faces": "mine"}, format="json")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["faces"])
    assert api.patch(where, {"faces": ""}, format="json").json()["faces"] == ""


def test_zones_and_lines_are_set_as_a_whole(api: APIClient, camera: Camera) -> None:
    where = f"/api/cameras/{camera.pk}/"
    zones = api.get(where + "zones/").json()
    assert zones["revision"] == 3
    zones["zones"][0]["name"] = "Till"
    zones["zones"].append({"name": "Aisle", "polygon": SQUARE})
    saved = api.put(where + "zones/", zones).json()
    assert (saved["revision"], [zone["name"] for zone in saved["zones"]]) == (4, ["Till", "Aisle"])
    assert saved["zones"][0]["id"] == zones["zones"][0]["id"]
    late = api.put(where + "zones/", zones)
    assert late.status_code == 409
    cleared = api.put(where + "lines/", {"lines": []}).json()
    assert cleared == {"revision": 5, "lines": []}
    assert Zone.objects.count() == 2


@pytest.mark.parametrize(
    ("zone", "field"),
    [
        ({"name": "A", "polygon": BOW_TIE}, "zones.0.polygon"),
        ({"name": "A", "polygon": SQUARE[:2]}, "zones.0.polygon"),
        ({"name": "A", "polygon": [[0, 0], [2, 0], [1, 1]]}, "zones.0.polygon.1.0"),
        ({"polygon": SQUARE}, "zones.0.name"),
        ({"name": "A", "polygon": SQUARE, "id": 999}, "zones.0.id"),
    ],
    ids=["crossing", "two points", "outside", "no name", "unknown id"],
)
def test_a_zone_that_is_none_is_named(
    api: APIClient, camera: Camera, zone: dict[str, Any], field: str
) -> None:
    answer = api.put(f"/api/cameras/{camera.pk}/zones/", {"zones": [zone]})
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert Zone.objects.get().name == "Checkout"


# ------------------------------------------------------------------ testing a connection
def test_a_test_answers_with_a_picture_or_the_reason(
    api: APIClient, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(address: Any, **kwargs: Any) -> Probe:
        if address.host != "192.168.1.20":
            raise CameraError("unknown_host", "There is no such host.")
        image = np.zeros((48, 64, 3), np.uint8)
        return Probe(image=image, codec="h264", width=64, height=48, rate=25.0, seconds=0.5)

    monkeypatch.setattr(probing, "probe_camera", probe)
    answer = api.post(f"/api/cameras/{camera.pk}/test/")
    body = answer.json()
    picture = body.pop("picture").removeprefix("data:image/jpeg;base64,")
    assert body == {"codec": "h264", "width": 64, "height": 48, "fps": 25.0, "seconds": 0.5}
    assert b64decode(picture).startswith(b"\xff\xd8")
    assert answer["Cache-Control"] == "no-store"
    failed = api.post("/api/cameras/test/", {"address": "rtsp://nowhere.example/a"})
    assert failed.status_code == 422
    assert failed.json()["error"] == {
        "code": "unknown_host",
        "message": "There is no such host.",
        "fields": {},
    }
    for _ in range(probing.AT_ONCE):
        probing._free.acquire()
    try:
        busy = api.post(f"/api/cameras/{camera.pk}/test/")
    finally:
        for _ in range(probing.AT_ONCE):
            probing._free.release()
    assert (busy.status_code, busy.json()["error"]["code"]) == (429, "too_many_tests")
    assert int(busy["Retry-After"]) > 0


# ------------------------------------------------------------------ YAML
def test_the_schema_is_the_one_that_imports_are_held_against(member: APIClient) -> None:
    Draft202012Validator.check_schema(member.get("/api/cameras/schema.json").json())


def test_an_export_is_a_file_that_the_import_takes(api: APIClient, camera: Camera) -> None:
    answer = api.get("/api/cameras/export.yaml")
    assert answer["Content-Type"] == "application/yaml"
    assert "cameras.yaml" in answer["Content-Disposition"]
    text = answer.content.decode()
    Camera.objects.all().delete()
    for query, there in (("?dry_run=1", 0), ("", 1)):
        told = api.post(f"/api/cameras/import/{query}", text, content_type="application/yaml")
        assert told.json() == {
            "dry_run": not there,
            "created": ["Entrance"],
            "changed": [],
            "unchanged": [],
            "areas": [],
            "changed_areas": [],
        }
        assert Camera.objects.count() == there
    again = api.post(
        "/api/cameras/import/", text.replace("fps: 10.0", "fps: 3"), content_type="text/yaml"
    )
    assert again.json()["changed"] == [{"name": "Entrance", "what": ["fps"]}]


def test_a_bad_document_is_answered_with_lines(api: APIClient) -> None:
    text = "cameras:\n  - name: A\n    inputs: usb:0\n    fsp: 5\n"
    answer = api.post("/api/cameras/import/", text, content_type="application/x-yaml")
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "bad_document",
        "message": "Line 4: There is no setting 'fsp'; did you mean fps?",
        "fields": {"cameras.0.fsp": "Line 4: There is no setting 'fsp'; did you mean fps?"},
    }
    large = api.post("/api/cameras/import/", "#" * (2 << 20), content_type="text/plain")
    assert (large.status_code, large.json()["error"]["code"]) == (400, "bad_document")
    assert (
        api.post("/api/cameras/import/?dry_run=maybe", "", content_type="text/yaml").status_code
        == 400
    )

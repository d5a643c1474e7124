"""The pages that set cameras up: who may, what they say, and what they refuse."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from tests.integration.conftest import make_user
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone
from video_analysis.cameras.services import cameras as camera_services
from video_analysis.models import CameraState
from vision.sources.cameras import Credentials

pytestmark = pytest.mark.django_db

ADDRESS = "rtsp://192.168.1.20/stream1"
SQUARE = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]]
BOW_TIE = [[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.5]]
PASSWORD = "open sesame 42"
WORD = "h1dd3n-w0rd"
FORM = {
    "name": "Entrance",
    "address": ADDRESS,
    "detector_conf": "0.4",
    "fps": "5",
    "tracker": "bytetrack",
    "tracker_max_age": "2",
    "tracker_min_hits": "3",
    "enabled": "true",
}
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def admin_user() -> Any:
    return make_user("root", "administrator")


@pytest.fixture
def admin(admin_user: Any) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def camera(admin_user: Any) -> Camera:
    return camera_services.create_camera(actor=admin_user, name="Entrance", address=ADDRESS)


def store_state(camera: Camera, **values: Any) -> None:
    given = {"state": "live", "updated_at": timezone.now(), **values}
    CameraState.objects.update_or_create(camera=camera, defaults=given)


def post_regions(client: Client, camera: Camera, revision: Any, **regions: Any) -> Any:
    body = json.dumps({"zones": [], "lines": [], **regions})
    data = {"revision": revision, "regions": body}
    return client.post(f"/cameras/{camera.pk}/regions/", data, **JSON)


PAGES = [
    ("get", "/cameras/"),
    ("get", "/cameras/new/"),
    ("post", "/cameras/new/"),
    ("post", "/cameras/test/"),
    ("get", "/cameras/import/"),
    ("post", "/cameras/import/"),
    ("post", "/cameras/import/check/"),
    ("get", "/cameras/export.yaml"),
    ("post", "/cameras/areas/"),
    ("post", "/cameras/areas/{area}/"),
    ("post", "/cameras/areas/{area}/delete/"),
    ("get", "/cameras/{camera}/edit/"),
    ("post", "/cameras/{camera}/edit/"),
    ("get", "/cameras/{camera}/regions/"),
    ("post", "/cameras/{camera}/regions/"),
    ("post", "/cameras/{camera}/switch/"),
    ("get", "/cameras/{camera}/delete/"),
    ("post", "/cameras/{camera}/delete/"),
]


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize(("method", "address"), PAGES)
def test_only_administrators_come_in(camera: Camera, role: str, method: str, address: str) -> None:
    area = Area.objects.create(name="Shop")
    watching = Group.objects.create(name="Night shift")
    camera.groups.add(watching)
    somebody = make_user("sam", role)
    somebody.groups.add(watching)
    place = address.format(camera=camera.pk, area=area.pk)
    client = Client()
    asked = getattr(client, method)(place)
    assert asked.status_code == 302
    assert asked["Location"].startswith("/accounts/login/")
    client.force_login(somebody)
    assert getattr(client, method)(place).status_code == 403
    assert Camera.objects.get().name == "Entrance"
    assert Area.objects.exists()


def test_an_empty_list_says_what_to_do_next(admin: Client) -> None:
    text = admin.get("/cameras/").content.decode()
    assert "No cameras yet" in text
    for next_step in ("/cameras/new/", "/cameras/import/", "make demo"):
        assert next_step in text


def test_a_camera_is_added_with_all_that_was_said(admin: Client) -> None:
    area = Area.objects.create(name="Shop")
    group = Group.objects.create(name="Night shift")
    more = {
        "area": area.pk,
        "groups": [group.pk],
        "username": "porter",
        "password": PASSWORD,
        "classes": "person, dog",
        "hide_people": "true",
    }
    answer = admin.post("/cameras/new/", FORM | more)
    camera = Camera.objects.get()
    assert answer["Location"] == f"/cameras/{camera.pk}/regions/"
    assert (camera.area, list(camera.groups.all())) == (area, [group])
    assert camera.classes == ["person", "dog"]
    assert (camera.fps, camera.detector_conf) == (5, 0.4)
    # A switch that is off is not sent at all.
    assert (camera.enabled, camera.hide_people, camera.motion_gate) == (True, True, False)
    for page in ("edit/", "regions/", "delete/"):
        text = admin.get(f"/cameras/{camera.pk}/{page}").content.decode()
        assert PASSWORD not in text
        assert "porter" not in text
    assert "Leave empty to keep it" in admin.get(f"/cameras/{camera.pk}/edit/").content.decode()


WRONG = [
    ("name", "", "This field is required."),
    ("address", "file:///etc/passwd", "is not accepted"),
    ("address", "http://169.254.169.254/latest", "may not have"),
    ("fps", "nan", "Enter a number"),
    ("fps", "500", "30"),
    ("detector_conf", "soon", "Enter a number"),
    ("tracker", "psychic", "Tracker must be one of"),
    ("model", "no-such-model", "no-such-model"),
    ("classes", "unicorn", "unicorn"),
    ("area", "999", "Select a valid choice"),
    ("groups", "999", "Select a valid choice"),
    ("tracker_min_hits", "1", "2"),
]


@pytest.mark.parametrize(
    ("field", "value", "sentence"), WRONG, ids=[f"{row[0]}-{row[1]}" for row in WRONG]
)
def test_what_is_wrong_is_said_beside_its_field(
    admin: Client, field: str, value: str, sentence: str
) -> None:
    given = FORM | {"password": PASSWORD, field: value}
    answer = admin.post("/cameras/new/", given)
    assert answer.status_code == 400
    assert not Camera.objects.exists()
    assert sentence in str(answer.context["form"].errors[field])
    text = answer.content.decode()
    assert 'class="error-text' in text
    assert PASSWORD not in text
    kept = "name" if field != "name" else "address"
    assert f'value="{FORM[kept]}"' in text


def test_a_name_that_is_taken_is_refused(admin: Client, camera: Camera) -> None:
    answer = admin.post("/cameras/new/", FORM)
    assert "already" in str(answer.context["form"].errors["name"])


def test_an_empty_password_keeps_the_stored_one(admin: Client) -> None:
    admin.post("/cameras/new/", FORM | {"username": "porter", "password": PASSWORD})
    camera = Camera.objects.get()
    stored = bytes(camera.credentials)
    address = f"/cameras/{camera.pk}/edit/"
    answer = admin.post(address, FORM | {"name": "Door", "revision": camera.revision})
    assert answer.status_code == 302
    camera.refresh_from_db()
    assert (camera.name, bytes(camera.credentials)) == ("Door", stored)
    admin.post(address, FORM | {"forget_credentials": "true", "revision": camera.revision})
    camera.refresh_from_db()
    assert camera.credentials is None


def test_who_was_overtaken_is_told_and_loses_nothing(
    admin: Client, admin_user: Any, camera: Camera
) -> None:
    seen = camera.revision
    camera_services.update_camera(actor=admin_user, camera=camera, fps=3.0)
    address = f"/cameras/{camera.pk}/edit/"
    answer = admin.post(address, FORM | {"name": "Side door", "revision": seen})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Somebody else has changed this camera" in text
    assert 'value="Side door"' in text
    again = answer.context["form"]["revision"].value()
    assert admin.post(address, FORM | {"name": "Side door", "revision": again}).status_code == 302
    camera.refresh_from_db()
    assert (camera.name, camera.fps) == ("Side door", 5.0)


def test_zones_and_lines_are_stored_and_read_again(admin: Client, camera: Camera) -> None:
    zone = {"name": "Doorway", "polygon": SQUARE, "threshold_sec": 4}
    line = {"name": "Step", "points": [[0, 0.5], [1, 0.5]], "forward": "in", "backward": "out"}
    answer = post_regions(admin, camera, camera.revision, zones=[zone], lines=[line])
    assert answer.status_code == 200
    stored = answer.json()
    assert stored["revision"] > camera.revision
    assert [item["polygon"] for item in stored["zones"]] == [SQUARE]
    assert stored == admin.get(f"/cameras/{camera.pk}/regions/", **JSON).json()
    number = stored["zones"][0]["id"]
    changed = zone | {"id": number, "name": "Porch"}
    again = post_regions(admin, camera, stored["revision"], zones=[changed]).json()
    assert [(item["id"], item["name"]) for item in again["zones"]] == [(number, "Porch")]
    assert not CountingLine.objects.exists()


REFUSED_ZONES = [
    ("crossing edges", {"name": "A", "polygon": BOW_TIE}, "zones.0.polygon"),
    ("two points", {"name": "A", "polygon": SQUARE[:2]}, "zones.0.polygon"),
    ("too small", {"name": "A", "polygon": [[0, 0], [0.001, 0], [0, 0.001]]}, "zones.0.polygon"),
    ("outside", {"name": "A", "polygon": [[0, 0], [2, 0], [0, 2]]}, "zones.0.polygon"),
    ("no numbers", {"name": "A", "polygon": ["x", "y", "z"]}, "zones.0.polygon"),
    ("no name", {"name": "", "polygon": SQUARE}, "zones.0.name"),
    ("no time", {"name": "A", "polygon": SQUARE, "threshold_sec": 0}, "zones.0.threshold_sec"),
]


@pytest.mark.parametrize(
    ("zone", "field"), [row[1:] for row in REFUSED_ZONES], ids=[row[0] for row in REFUSED_ZONES]
)
def test_what_is_no_zone_is_refused(
    admin: Client, camera: Camera, zone: dict[str, Any], field: str
) -> None:
    answer = post_regions(admin, camera, camera.revision, zones=[zone])
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not Zone.objects.exists()


def test_a_drawing_that_was_overtaken_is_told_so(
    admin: Client, admin_user: Any, camera: Camera
) -> None:
    seen = camera.revision
    camera_services.update_camera(actor=admin_user, camera=camera, fps=3.0)
    answer = post_regions(admin, camera, seen, zones=[{"name": "A", "polygon": SQUARE}])
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "changed_meanwhile"
    assert not Zone.objects.exists()


UNREADABLE = {
    "nothing": {},
    "no JSON": {"revision": "1", "regions": "{"},
    "a list": {"revision": "1", "regions": "[]"},
    "half of it": {"revision": "1", "regions": '{"zones": []}'},
    "a zone that is none": {"revision": "1", "regions": '{"zones": [5], "lines": []}'},
    "no revision": {"revision": "", "regions": '{"zones": [], "lines": []}'},
    "deep": {"revision": "1", "regions": "[" * 100_000},
}


@pytest.mark.parametrize("data", list(UNREADABLE.values()), ids=list(UNREADABLE))
def test_what_is_no_drawing_is_refused(admin: Client, camera: Camera, data: dict[str, str]) -> None:
    answer = admin.post(f"/cameras/{camera.pk}/regions/", data, **JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"]


HOSTILE = {
    "a number as text": {"id": "x"},
    "a huge number": {"id": 10**30},
    "a list": {"id": [1]},
    "no such zone": {"id": 4711},
    "not a number": {"threshold_sec": float("nan")},
    "a truth": {"threshold_sec": True},
    "an unknown key": {"colour": "red"},
    "a nested name": {"name": {"a": 1}},
    "a null character": {"name": "A\0B"},
}


@pytest.mark.parametrize("values", list(HOSTILE.values()), ids=list(HOSTILE))
def test_a_strange_zone_breaks_nothing(
    admin: Client, camera: Camera, values: dict[str, Any]
) -> None:
    zone = {"name": "A", "polygon": SQUARE, **values}
    answer = post_regions(admin, camera, camera.revision, zones=[zone])
    assert answer.status_code in (200, 400)
    assert admin.get(f"/cameras/{camera.pk}/regions/", **JSON).status_code == 200


def test_what_may_be_done_with_faces_in_an_area_is_set_in_the_dialog(admin: Client) -> None:
    area = Area.objects.create(name="Shop")
    page = admin.get("/cameras/").content.decode()
    for words in ("nobody is recognised", "Only those who have agreed", "It is often wrong"):
        assert words in page
    where = f"/cameras/areas/{area.pk}/"
    answer = admin.post(where, {"recognise": "true", "mood": "true", "absence_minutes": "20"})
    assert "Saved." in answer.content.decode()
    area.refresh_from_db()
    # A switch that is off is not sent at all.
    assert (area.recognise, area.consent_required, area.mood) == (True, False, True)
    assert (area.name, area.absence_minutes) == ("Shop", 20)
    for minutes in ("", "0", "x"):
        answer = admin.post(where, {"absence_minutes": minutes})
        assert 'role="alert"' in answer.content.decode()
    area.refresh_from_db()
    assert area.recognise


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ("", ""),
        ("hidden", "Faces are blurred in every picture that leaves this camera."),
        ("consented", "but those of people who have agreed."),
    ],
)
def test_the_page_of_a_camera_warns_when_faces_are_hidden(
    admin: Client, camera: Camera, faces: str, words: str
) -> None:
    Camera.objects.filter(pk=camera.pk).update(faces=faces)
    page = admin.get(f"/cameras/{camera.pk}/edit/").content.decode()
    assert f'<option value="{faces}" selected>' in page
    assert ('role="note"' in page) == bool(words)
    assert words in page


def test_the_page_says_when_nothing_can_look_for_faces(admin: Client, camera: Camera) -> None:
    Camera.objects.filter(pk=camera.pk).update(faces="hidden")
    CameraState.objects.create(
        camera=camera, state="live", updated_at=timezone.now(), figures={"misses_faces": True}
    )
    page = admin.get(f"/cameras/{camera.pk}/edit/").content.decode()
    assert "the upper third of every person is blurred instead" in page


def test_what_is_not_there_is_not_found(admin: Client) -> None:
    for number in (0, 4711, 10**30):
        for page in ("edit", "regions", "delete"):
            assert admin.get(f"/cameras/{number}/{page}/").status_code == 404
        assert admin.post(f"/cameras/areas/{number}/delete/").status_code == 404


def test_a_camera_is_switched_off_and_on(admin: Client, camera: Camera) -> None:
    for enabled in (False, True):
        data = {"enabled": str(enabled).lower()}
        answer = admin.post(f"/cameras/{camera.pk}/switch/", data, **JSON)
        assert answer.json() == {"enabled": enabled}
        camera.refresh_from_db()
        assert camera.enabled is enabled


def test_who_deletes_a_camera_reads_what_goes_with_it(admin: Client, camera: Camera) -> None:
    address = f"/cameras/{camera.pk}/delete/"
    assert "only its settings go" in admin.get(address).content.decode()
    zones = [{"name": name, "polygon": SQUARE} for name in ("A", "B")]
    post_regions(admin, camera, camera.revision, zones=zones)
    shown = admin.get(address)
    assert shown.context["goes"] == [{"count": "2", "what": "zones"}]
    assert admin.post(address)["Location"] == "/cameras/"
    assert not Camera.objects.exists()


LONG_AGO = timedelta(minutes=5)
STATES = [
    ("never looked at", True, None, "Waiting for a runner", ""),
    ("switched off", False, {}, "Switched off", ""),
    ("live", True, {}, "Live", "12.0 fps in, 10.1 analysed, 1.9 at rest"),
    ("lost", True, {"state": "lost", "reason": "No answer."}, "Lost", "No answer."),
    ("its runner is gone", True, {"ago": LONG_AGO}, "Waiting for a runner", ""),
    ("no figures yet", True, {"figures": {}}, "Live", ""),
    ("strange figures", True, {"figures": {"fps": {"in": None}}}, "Live", ""),
]


@pytest.mark.parametrize(
    ("enabled", "state", "label", "more"),
    [row[1:] for row in STATES],
    ids=[row[0] for row in STATES],
)
def test_the_list_says_how_each_camera_does(
    admin: Client, camera: Camera, enabled: bool, state: Any, label: str, more: str
) -> None:
    Camera.objects.filter(pk=camera.pk).update(enabled=enabled)
    if state is not None:
        given = {"figures": {"fps": {"in": 12.0, "processed": 10.1, "gated": 1.9}}, **state}
        updated_at = timezone.now() - given.pop("ago", timedelta())
        store_state(camera, updated_at=updated_at, **given)
    (row,) = admin.get("/cameras/").context["page"].object_list
    assert row[1].label == label
    assert more in admin.get("/cameras/").content.decode()


FILTERS = [
    ("", {"Aisle", "Entrance", "Yard"}),
    ("q=ais", {"Aisle"}),
    ("q=192.168 shop", {"Aisle", "Entrance"}),
    ("q=nothing", set()),
    ("area={shop}", {"Aisle", "Entrance"}),
    ("area=none", {"Yard"}),
    ("area=x", {"Aisle", "Entrance", "Yard"}),
    ("state=live", {"Aisle"}),
    ("state=off", {"Yard"}),
    ("state=waiting", {"Entrance"}),
    ("state=live&q=yard", set()),
    ("page=99", {"Aisle", "Entrance", "Yard"}),
]


@pytest.mark.parametrize(("query", "names"), FILTERS, ids=[row[0] or "all" for row in FILTERS])
def test_the_list_is_searched_and_filtered(
    admin: Client, camera: Camera, query: str, names: set[str]
) -> None:
    shop = Area.objects.create(name="Shop")
    Camera.objects.filter(pk=camera.pk).update(area=shop)
    aisle = Camera.objects.create(name="Aisle", address=ADDRESS, area=shop)
    store_state(aisle)
    Camera.objects.create(name="Yard", address=ADDRESS, enabled=False)
    answer = admin.get(f"/cameras/?{query.format(shop=shop.pk)}")
    assert {row.name for row, _ in answer.context["page"].object_list} == names
    if not names:
        assert "No camera matches" in answer.content.decode()


def test_the_list_needs_no_more_queries_for_more_cameras(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        made = Camera.objects.create(name=f"Camera {number}", address=ADDRESS)
        store_state(made)
    with django_assert_max_num_queries(14):
        admin.get("/cameras/")


def test_areas_are_made_renamed_and_deleted(admin: Client, camera: Camera) -> None:
    assert "Shop" in admin.post("/cameras/areas/", {"name": "Shop"}).content.decode()
    area = Area.objects.get()
    Camera.objects.filter(pk=camera.pk).update(area=area)
    for wrong in ("Shop", "", "x" * 101):
        answer = admin.post("/cameras/areas/", {"name": wrong})
        assert answer.context["area_error"]
        assert Area.objects.count() == 1
    shown = admin.post(f"/cameras/areas/{area.pk}/", {"name": "Store"}).content.decode()
    assert "Its 1 camera stays, without an area." in " ".join(shown.split())
    area.refresh_from_db()
    assert area.name == "Store"
    admin.post(f"/cameras/areas/{area.pk}/delete/")
    camera.refresh_from_db()
    assert (camera.area, Area.objects.exists()) == (None, False)
    assert admin.post(f"/cameras/areas/{area.pk}/delete/").status_code == 404


def test_a_test_tells_the_real_reason_and_no_password(admin: Client) -> None:
    for data, field in (({}, "address"), ({"address": "file:///etc/passwd"}, "address")):
        answer = admin.post("/cameras/test/", data, **JSON)
        assert answer.status_code == 400
        assert field in answer.json()["error"]["fields"]
    data = {"address": f"rtsp://porter:{PASSWORD.replace(' ', '_')}@127.0.0.1/x"}
    answer = admin.post("/cameras/test/", data, **JSON)
    assert answer.status_code in (400, 422)
    assert "porter" not in answer.content.decode()
    assert admin.post("/cameras/test/?camera=999", data, **JSON).status_code == 404


def test_a_test_of_a_stored_camera_uses_its_credentials(
    admin: Client, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Any] = []

    def probe(address: Any, *, credentials: Any, **_: Any) -> Any:
        used.append((str(address), credentials))
        raise KeyError("enough")

    monkeypatch.setattr("video_analysis.cameras.services.probing.probe_camera", probe)
    camera = camera_services.create_camera(
        actor=admin_user, name="A", address=ADDRESS, username="porter", password=PASSWORD
    )
    with pytest.raises(KeyError):
        admin.post(f"/cameras/test/?camera={camera.pk}", {"address": ADDRESS}, **JSON)
    assert used == [(ADDRESS, Credentials("porter", PASSWORD))]


DOCUMENT = f"""\
cameras:
  - name: Entrance
    inputs: {ADDRESS}
    fps: 7
  - name: Aisle
    area: Shop
    inputs: {ADDRESS}
"""


def test_a_document_is_shown_as_a_difference_and_taken_in(admin: Client, camera: Camera) -> None:
    checked = admin.post("/cameras/import/check/", {"text": DOCUMENT})
    report = checked.context["report"]
    assert (report.created, list(report.changed), report.areas) == (
        ["Aisle"],
        ["Entrance"],
        ["Shop"],
    )
    assert Camera.objects.count() == 1
    assert "Do it" in checked.content.decode()
    windows = DOCUMENT.replace("\n", "\r\n")
    assert admin.post("/cameras/import/", {"text": windows})["Location"] == "/cameras/"
    assert Camera.objects.get(name="Entrance").fps == 7
    again = admin.post("/cameras/import/check/", {"text": DOCUMENT})
    assert "Nothing to change" in again.content.decode()
    assert "Do it" not in again.content.decode()


BAD_DOCUMENTS = [
    ("unknown key", DOCUMENT.replace("fps:", "pfs:"), 4),
    ("crossing edges", DOCUMENT + f"    zones:\n      - name: A\n        polygon: {BOW_TIE}\n", 10),
    ("no YAML", "cameras:\n  - name: [}\n", 2),
    ("empty", "", 0),
]


@pytest.mark.parametrize(
    ("text", "line"), [row[1:] for row in BAD_DOCUMENTS], ids=[row[0] for row in BAD_DOCUMENTS]
)
@pytest.mark.parametrize("address", ["/cameras/import/check/", "/cameras/import/"])
def test_mistakes_of_a_document_are_told_with_their_lines(
    admin: Client, address: str, text: str, line: int
) -> None:
    answer = admin.post(address, {"text": text})
    assert answer.status_code == (200 if "check" in address else 400)
    shown = answer.content.decode()
    assert [problem.line for problem in answer.context["problems"]][:1] == [line]
    assert (f'data-line="{line}"' in shown) is (line > 0)
    assert not Camera.objects.exists()


def test_the_example_can_be_imported(admin: Client) -> None:
    example = admin.get("/cameras/import/").context["example"]
    admin.post("/cameras/import/", {"text": example})
    assert (Zone.objects.count(), CountingLine.objects.count()) == (1, 1)


def test_what_is_exported_can_be_imported_and_holds_no_password(
    admin: Client, admin_user: Any
) -> None:
    camera_services.create_camera(
        actor=admin_user, name="Door", address=ADDRESS, username="porter", password=PASSWORD
    )
    answer = admin.get("/cameras/export.yaml")
    assert answer["Content-Disposition"].startswith('attachment; filename="cameras-')
    text = answer.content.decode()
    assert "porter" not in text
    assert PASSWORD not in text
    assert (
        "Nothing to change" in admin.post("/cameras/import/check/", {"text": text}).content.decode()
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"rtsp://porter:{WORD}@192.168.1.20/a", "rtsp://192.168.1.20/a"),
        (f"http://192.168.1.20/?pwd={WORD}/x", "http://192.168.1.20/?pwd={password}"),
        (f"rtsp://porter:pass/{WORD}@192.168.1.20/a", "rtsp://@192.168.1.20/a"),
    ],
)
def test_a_refused_form_comes_back_without_the_password_of_its_address(
    admin: Client, camera: Camera, address: str, shown: str
) -> None:
    for url in ("/cameras/new/", f"/cameras/{camera.pk}/edit/"):
        answer = admin.post(url, FORM | {"address": address, "fps": "nan"})
        text = answer.content.decode()
        assert answer.status_code == 400
        assert WORD not in text
        assert f'value="{shown}"' in text
        assert "again" in str(answer.context["form"].errors["password"])


def test_a_form_without_secrets_asks_for_none_again(admin: Client) -> None:
    answer = admin.post("/cameras/new/", FORM | {"fps": "nan"})
    assert "password" not in answer.context["form"].errors


DOCUMENTS = {
    "block": f"cameras:\n- name: A\n  inputs: usb:0\n  username: {WORD}\n  password: {WORD}\n",
    "folded": f"cameras:\n- name: A\n  password: >\n    {WORD}\n    {WORD}\n  inputs: usb:0\n",
    "flow": f"cameras: [{{name: A, password: '{WORD}', inputs: usb:0}}]",
    "flow, double": f'cameras: [{{"password": "x\\"{WORD}", name: A, inputs: usb:0}}]',
    "address": f"cameras:\n- {{name: A, inputs: rtsp://u:{WORD}@cam/x}}",
    "query": f"cameras:\n- name: A\n  inputs: ['http://cam/?a=1&pwd=x/{WORD}']",
    "unknown key": f"cameras:\n- {{name: A, inputs: usb:0, passwd: {WORD}}}",
    "comment": f"cameras:\n- name: A\n  fps: x\n  inputs: usb:0\n#  password: {WORD}\n",
    "no YAML": f"cameras:\n- name: [A\n  password: {WORD}\n  inputs: rtsp://u:{WORD}@cam/\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_refused_document_comes_back_without_passwords(admin: Client, name: str) -> None:
    document = (
        DOCUMENTS[name]
        .replace("name: A", "name: A, fps: 99", 1)
        .replace("name: A, fps: 99\n", "name: A\n  fps: 99\n")
    )
    answer = admin.post("/cameras/import/", {"text": document})
    assert answer.status_code == 400
    assert WORD not in answer.content.decode()
    shown = answer.context["text"]
    assert "name: " in shown
    # Mended, it is still refused: nobody takes a camera in without its password unawares.
    again = admin.post("/cameras/import/", {"text": shown.replace("fps: 99", "fps: 9")})
    assert again.status_code == 400 or name == "comment"
    assert not Camera.objects.exists() or name == "comment"

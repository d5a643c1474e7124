"""Import as a difference, export without credentials, and there and back again."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Group
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from common.models import AuditEntry
from tests.integration.conftest import make_user
from tests.integration.video_analysis.camera_rows import (
    ACROSS,
    ADDRESS,
    LOGIN,
    SECRET,
    SQUARE,
    make_camera,
    make_line,
    make_zone,
)
from video_analysis.cameras import selectors, services
from video_analysis.cameras.documents.judging import judge
from video_analysis.cameras.errors import DocumentError
from video_analysis.cameras.models import Area, Camera, Zone
from video_analysis.cameras.services import transfer
from vision.tracking import TRACKERS

pytestmark = pytest.mark.django_db

DOCUMENT = """\
version: 1
cameras:
  - name: Entrance
    area: Ground floor
    inputs: rtsp://192.168.1.20/stream
    username: porter
    password: "correct horse"
    groups: [Night shift]
    fps: 12
    detector_conf: 0.4
    people_only: true
    tracker_max_age: 3
    tracker_min_hits: 4
    zones:
      - name: Checkout
        polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
        threshold_sec: 30
    lines:
      - name: Door
        points: [[0, 0.5], [1, 0.5]]
        forward: in
        backward: out
  - name: Yard
    inputs: [http://192.168.1.21/video.mjpg]
    hide_people: yes
    motion_gate: no
    classes: [person, car]
"""


@pytest.fixture
def admin() -> Any:
    Group.objects.create(name="Night shift")
    return make_user("anna", "administrator")


def put(actor: Any, text: str, **options: Any) -> transfer.ImportReport:
    return services.import_cameras(actor=actor, text=text, **options)


def out(actor: Any) -> str:
    return services.export_cameras(actor=actor, cameras=selectors.list_cameras(actor))


def test_a_document_makes_cameras_with_all_that_it_says(admin: Any) -> None:
    report = put(admin, DOCUMENT)
    assert (report.created, report.areas) == (["Entrance", "Yard"], ["Ground floor"])
    entrance, yard = selectors.list_cameras(admin)
    assert (entrance.fps, entrance.tracker_min_hits, entrance.people_only) == (12.0, 4, True)
    assert [group.name for group in entrance.groups.all()] == ["Night shift"]
    assert [(zone.name, zone.threshold_sec) for zone in entrance.zones.all()] == [("Checkout", 30)]
    assert [line.points for line in entrance.lines.all()] == [ACROSS]
    assert (yard.hide_people, yard.motion_gate, yard.classes) == (True, False, ["person", "car"])
    assert yard.fps == Camera().fps
    credentials = selectors.credentials_of(entrance)
    assert credentials is not None
    assert (credentials.username, credentials.password) == ("porter", "correct horse")


AREAS = """\
areas:
  - name: Ground floor
    recognise: yes
    consent_required: no
    absence_minutes: 20
cameras:
  - name: Entrance
    area: Ground floor
    inputs: rtsp://192.168.1.20/stream
    faces: consented
"""


def test_a_document_says_what_may_be_done_with_faces(admin: Any) -> None:
    put(admin, DOCUMENT)
    dry = put(admin, AREAS, dry_run=True)
    assert dry.changed_areas == {
        "Ground floor": ["recognise", "consent_required", "absence_minutes"]
    }
    assert dry.changed == {"Entrance": ["faces"]}
    assert not Area.objects.get().recognise
    assert {**vars(put(admin, AREAS)), "dry_run": True} == vars(dry)
    area = Area.objects.get()
    assert (area.recognise, area.consent_required, area.mood, area.absence_minutes) == (
        *(True, False, False, 20),
    )
    assert Camera.objects.get(name="Entrance").faces == "consented"
    again = put(admin, AREAS)
    assert (again.anything, again.unchanged) == (False, ["Entrance"])
    put(admin, DOCUMENT)  # which says nothing of it
    assert Area.objects.get().recognise


def test_an_area_alone_is_made_and_one_whose_name_says_nothing_is_refused(admin: Any) -> None:
    assert put(admin, "cameras: []\nareas: [{name: Hall}]\n").areas == ["Hall"]
    with pytest.raises(DocumentError) as refused:
        put(admin, "cameras: []\nareas:\n  - {name: Attic}\n  - {name: ' '}\n")
    (problem,) = refused.value.problems
    assert (problem.line, problem.path) == (4, "areas.1.name")
    assert list(Area.objects.values_list("name", flat=True)) == ["Hall"]


def test_a_dry_run_says_the_same_and_writes_nothing(
    admin: Any, django_capture_on_commit_callbacks: Any
) -> None:
    lines = AuditEntry.objects.count()
    with django_capture_on_commit_callbacks() as callbacks:
        dry = put(admin, DOCUMENT, dry_run=True)
    assert not Camera.objects.exists()
    assert not Area.objects.exists()
    assert (AuditEntry.objects.count(), callbacks) == (lines, [])
    wet = put(admin, DOCUMENT)
    assert {**vars(dry), "dry_run": False} == vars(wet)


def test_the_second_time_nothing_changes(
    admin: Any, django_capture_on_commit_callbacks: Any
) -> None:
    put(admin, DOCUMENT)
    before = list(Camera.objects.values_list("pk", "revision"))
    with django_capture_on_commit_callbacks() as callbacks:
        report = put(admin, DOCUMENT)
    assert (report.created, report.changed) == ([], {})
    assert report.unchanged == ["Entrance", "Yard"]
    assert list(Camera.objects.values_list("pk", "revision")) == before
    assert callbacks == []


def test_what_is_different_is_changed_and_what_is_not_said_stays(admin: Any) -> None:
    put(admin, DOCUMENT)
    zone = Zone.objects.get()
    text = """\
cameras:
  - {name: Entrance, inputs: rtsp://192.168.1.20/stream, fps: 5, lines: [], zones: [
      {name: Checkout, polygon: [[0, 0], [1, 0], [1, 1]]}]}
  - {name: Attic, inputs: 'usb:0'}
"""
    report = put(admin, text)
    assert report.created == ["Attic"]
    assert report.changed == {"Entrance": ["fps", "zones", "lines"]}
    entrance = selectors.all_cameras().get(name="Entrance")
    assert (entrance.fps, entrance.detector_conf, entrance.area.name) == (5.0, 0.4, "Ground floor")
    assert list(entrance.lines.all()) == []
    (kept,) = entrance.zones.all()
    assert (kept.pk, kept.threshold_sec) == (zone.pk, 10.0)
    assert selectors.credentials_of(entrance) is not None
    assert Camera.objects.filter(name="Yard").exists()


def test_new_credentials_are_a_change_that_shows_nothing(admin: Any) -> None:
    put(admin, DOCUMENT)
    report = put(admin, DOCUMENT.replace("correct horse", SECRET))
    assert report.changed == {"Entrance": ["credentials"]}
    assert SECRET not in json.dumps(list(AuditEntry.objects.values_list("details")))


def test_all_or_nothing(admin: Any) -> None:
    text = DOCUMENT.replace("http://192.168.1.21/video.mjpg", "http://169.254.169.254/")
    with pytest.raises(DocumentError):
        put(admin, text)
    assert not Camera.objects.exists()
    assert not Area.objects.exists()
    assert not AuditEntry.objects.filter(object_type__startswith="cameras.").exists()


WRONG = """\
cameras:
  - name: A
    inputs: file:///etc/passwd
    model: yolov99
    classes: [unicorn]
    groups: [Nobody]
    zones:
      - name: Bow tie
        polygon: [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]
  - name: B
    inputs: usb:0
    lines:
      - {name: L, points: [[0, 0.5], [1, 0.5]], forward: in, backward: in}
  - name: C
    inputs: usb:0
    username: x
    password: "PASSWORD"
    classes: [unicorn]
"""


def test_what_only_the_services_know_is_named_with_its_line_too(admin: Any) -> None:
    with pytest.raises(DocumentError) as refused:
        put(admin, WRONG.replace("PASSWORD", SECRET))
    assert [(problem.line, problem.path) for problem in refused.value.problems] == [
        (3, "cameras.0.inputs"),
        (4, "cameras.0.model"),
        (6, "cameras.0.groups"),
        (9, "cameras.0.zones.0.polygon"),
        (13, "cameras.1.lines.0.backward"),
        (18, "cameras.2.classes"),
    ]
    assert SECRET not in refused.value.message + str(refused.value.fields)


def test_an_address_elsewhere_needs_new_credentials(admin: Any) -> None:
    put(admin, DOCUMENT)
    text = "cameras:\n  - name: Entrance\n    inputs: rtsp://10.0.0.9/stream\n"
    with pytest.raises(DocumentError) as refused:
        put(admin, text)
    assert refused.value.problems[0].line == 3
    assert put(admin, text + "    password: new\n").changed == {
        "Entrance": ["inputs", "credentials"]
    }


def test_an_export_holds_no_credentials_and_says_so(admin: Any) -> None:
    make_camera(admin, address=f"http://192.168.1.20/a?usr={LOGIN}&pwd={SECRET}")
    make_camera(admin, "Two", username=LOGIN, password=SECRET)
    text = out(admin)
    assert SECRET not in text
    assert LOGIN not in text
    assert text.startswith("# ")
    assert "passwords are not in here" in text
    entry = AuditEntry.objects.get(action=AuditEntry.Action.EXPORTED)
    assert entry.details == {"what": "cameras", "cameras": ["Entrance", "Two"], "count": 2}


def test_an_export_is_written_as_a_person_would(admin: Any) -> None:
    camera = make_camera(admin, area=services.create_area(actor=admin, name="Café"))
    make_zone(admin, camera)
    make_line(admin, camera)
    text = out(admin)
    assert "area: Café" in text
    assert "polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]" in text
    assert yaml.safe_load(text)["cameras"][0]["inputs"] == ADDRESS


def test_nothing_is_exported_as_nothing_and_taken_again(admin: Any) -> None:
    assert yaml.safe_load(out(admin)) == {"version": 1, "cameras": []}
    assert put(admin, out(admin)).created == []


NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40)
UNIT = st.floats(0, 1, allow_subnormal=False)
POLYGONS = st.floats(0.05, 0.4).map(
    lambda size: [[0.5 - size, 0.5], [0.5, 0.5 - size], [0.5 + size, 0.5], [0.5, 0.5 + size]]
)
POINTS = st.tuples(UNIT, UNIT).map(lambda ends: [[0.0, ends[0]], [1.0, ends[1]]])
CAMERAS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "fps": st.floats(0.2, 30),
        "detector_conf": st.floats(0.05, 0.95),
        "tracker": st.sampled_from(TRACKERS),
        "tracker_max_age": st.floats(0.5, 30),
        "tracker_min_hits": st.integers(2, 30),
        "enabled": st.booleans(),
        "people_only": st.booleans(),
        "motion_gate": st.booleans(),
        "hide_people": st.booleans(),
        "faces": st.sampled_from(Camera.Faces.values),
        "classes": st.lists(st.sampled_from(["person", "car", "dog", "hot dog"]), unique=True),
    }
)
ZONES = st.lists(st.tuples(NAMES, POLYGONS, st.floats(0.5, 86_400)), max_size=3)
LINES = st.lists(st.tuples(NAMES, POINTS), max_size=3)


@pytest.mark.slow
@tries(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    cameras=st.lists(st.tuples(CAMERAS, st.none() | NAMES, ZONES, LINES), max_size=3),
)
def test_what_is_exported_imports_back_to_the_same(admin: Any, cameras: list[Any]) -> None:
    with transaction.atomic():
        for values, area, zones, lines in cameras:
            _make(admin, values, area, zones, lines)
        text = out(admin)
        judge(text)
        report = put(admin, text)
        assert (report.created, report.changed) == ([], {})
        before = _all(admin)
        Camera.objects.all().delete()
        Area.objects.all().delete()
        put(admin, text)
        assert _all(admin) == before
        assert out(admin) == text
        transaction.set_rollback(True)


def _make(actor: Any, values: dict[str, Any], area: str | None, zones: Any, lines: Any) -> None:
    """Add a camera, unless its name says nothing or is taken; the same with what it has."""
    name = transfer.clean_name(values["name"])
    if not name or Camera.objects.filter(name=name).exists():
        return
    named = transfer.clean_name(area)
    place = Area.objects.get_or_create(name=named)[0] if named else None
    camera = make_camera(actor, **{**values, "name": name}, area=place)
    camera.groups.set(Group.objects.all())
    for zone_name, polygon, threshold in {transfer.clean_name(z[0]): z for z in zones}.values():
        if transfer.clean_name(zone_name):
            make_zone(actor, camera, zone_name, polygon=polygon, threshold_sec=threshold)
    for line_name, points in {transfer.clean_name(line[0]): line for line in lines}.values():
        if transfer.clean_name(line_name):
            make_line(actor, camera, line_name, points=points)


def _all(actor: Any) -> list[dict[str, Any]]:
    return [transfer.describe(camera) for camera in selectors.list_cameras(actor)]


def test_many_cameras_are_imported_in_one_go_and_compared_without_a_query(
    admin: Any, django_assert_max_num_queries: Any
) -> None:
    one = {"inputs": "usb:0", "zones": [{"name": "Z", "polygon": SQUARE}]}
    text = json.dumps({"cameras": [{"name": f"Camera {n}", **one} for n in range(60)]})
    assert len(put(admin, text).created) == 60
    with django_assert_max_num_queries(10):
        assert len(put(admin, text).unchanged) == 60

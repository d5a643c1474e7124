"""Live cameras over REST: figures, events and their filters, pictures; who may, and what is odd."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from common.previews import slots
from tests.integration.conftest import make_user
from tests.integration.plans import analyze, explain, prefer_indexes, scans
from tests.integration.video_analysis.live_pages import (
    make_camera,
    make_event,
    make_jpeg,
    make_state,
    write_picture,
)
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.live import streams
from video_analysis.live.filters import parse_event_filters
from video_analysis.live.presenting import duration, sentence_of
from video_analysis.live.reasons import UNKNOWN_REASON
from video_analysis.live.selectors import (
    changes_after,
    crossings_by_hour,
    events_by_hour,
    hours_of,
    last_sequence,
    list_events,
    list_watched_cameras,
)
from video_analysis.models import CameraEvent, EventSequence

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def own_slots() -> None:
    """No pictures of the tests before."""
    slots._slots.cache_clear()


@pytest.fixture
def team(user: Any) -> Group:
    """The group of the user."""
    group = Group.objects.create(name="Night shift")
    group.user_set.add(user)
    return group


@pytest.fixture
def camera(team: Group) -> Camera:
    """A camera that the user may watch."""
    return make_camera(team, name="Entrance")


@pytest.fixture
def foreign(db: None) -> Camera:
    """A camera that the user may not watch."""
    return make_camera(Group.objects.create(name="Board"), name="Safe")


# ---------------------------------------------------------------- figures
def test_figures_of_ones_own_cameras_and_all_of_them_together(
    api: APIClient, team: Group, camera: Camera, foreign: Camera
) -> None:
    second, off = make_camera(team, name="Yard"), make_camera(team, name="Off", enabled=False)
    for one in (camera, foreign, off):
        make_state(one)
    figures = {
        "fps": {"in": 10, "processed": 30.0, "gated": 1, "dropped": 0},
        "age_ms": {"p95": 200},
        "ms": {"detect": 40.0},
        "counts": {"person": 1, "dog": 2},
        "model": "yolov8n",
    }
    make_state(second, figures=figures)
    found = api.get("/api/stats").json()
    assert [facts["name"] for facts in found["cameras"]] == ["Entrance", "Yard"]
    first = found["cameras"][0]
    assert first["age_ms"] == {"p50": 60, "p95": 90, "newest": 45}
    assert first["ms"]["gate"] == 0  # nobody has measured it
    assert (first["state"], first["stale"]) == ("live", False)
    total = found["global"]
    assert (total["cameras"], total["live"]) == (2, 2)
    assert total["fps"] == {"in": 22.0, "processed": 40.0, "gated": 3.0, "dropped": 0.5}
    assert total["age_ms"] == {"p95": 200}
    assert total["ms"]["detect"] == 35.0  # of ten frames at 20 and thirty at 40
    assert total["counts"] == {"dog": 2, "person": 4}
    assert found["model"] == "yolov8n"


@pytest.mark.parametrize("figures", [{}, [], {"fps": 7, "ms": None, "counts": [1], "tracks": "x"}])
def test_figures_that_nobody_has_written_yet_are_zero(
    api: APIClient, camera: Camera, figures: Any
) -> None:
    make_state(camera, figures=figures)
    facts = api.get("/api/stats").json()["cameras"][0]
    assert (facts["fps"]["in"], facts["counts"], facts["tracks"]) == (0, {}, 0)


def test_a_camera_that_nobody_looks_at_is_stale_and_not_counted(
    api: APIClient, team: Group, camera: Camera
) -> None:
    make_camera(team, name="Never seen")
    make_state(camera, updated_at=timezone.now() - dt.timedelta(seconds=11))
    found = api.get("/api/stats").json()
    assert [facts["stale"] for facts in found["cameras"]] == [True, True]
    assert (found["global"]["cameras"], found["global"]["live"]) == (2, 0)
    assert found["global"]["fps"]["processed"] == 0
    assert found["cameras"][1]["state"] == "waiting"


@pytest.mark.parametrize(
    ("role", "code", "reason"),
    [
        ("viewer", "no_answer", "The camera does not answer."),
        ("operator", "new_code", UNKNOWN_REASON),
        ("administrator", "no_answer", "Nobody answers at 10.1.2.3:554."),
    ],
)
def test_only_administrators_are_told_where_a_camera_is(
    camera: Camera, team: Group, role: str, code: str, reason: str
) -> None:
    make_state(camera, state="lost", code=code, reason="Nobody answers at 10.1.2.3:554.")
    person, client = make_user("carol", role), Client()
    team.user_set.add(person)
    client.force_login(person)
    facts = client.get("/api/stats").json()["cameras"][0]
    assert (facts["code"], facts["reason"]) == (code, reason)


def test_without_cameras_figures_are_empty(api: APIClient) -> None:
    found = api.get("/api/stats").json()
    assert (found["cameras"], found["global"]["counts"], found["model"]) == ([], {}, "")


def test_all_figures_are_read_with_the_same_number_of_queries(
    api: APIClient, team: Group, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_state(make_camera(team))
    with django_assert_max_num_queries(4):
        assert len(api.get("/api/stats").json()["cameras"]) == 20


# ---------------------------------------------------------------- events
def test_an_event_has_all_that_is_known(api: APIClient, camera: Camera) -> None:
    line = CountingLine.objects.create(camera=camera, name="Door", points=[[0, 0.5], [1, 0.5]])
    event = make_event(
        camera,
        kind="crossing",
        line=line,
        place="Door",
        direction="in",
        start=NOON,
        end=NOON,
        confidence=0.8,
        box=[0.1, 0.2, 0.3, 0.4],
    )
    expected = {
        "id": str(event.pk),
        "sequence": 1,
        "kind": "crossing",
        "camera": {"id": camera.pk, "name": "Entrance"},
        "area": None,
        "zone": None,
        "line": {"id": line.pk, "name": "Door"},
        "place": "Door",
        "direction": "in",
        "label": "person",
        "track": 12,
        "start": "2026-03-02T12:00:00.000Z",
        "end": "2026-03-02T12:00:00.000Z",
        "ongoing": False,
        "value": None,
        "confidence": 0.8,
        "box": [0.1, 0.2, 0.3, 0.4],
        "snapshot": None,
        "sentence": "Person 12 crossed Door (in)",
    }
    assert api.get("/api/events").json()["results"] == [expected]
    assert api.get(f"/api/events/{event.pk}/").json() == expected


SENTENCES = [
    ({"kind": "entry", "place": "Checkout"}, "Person 12 entered Checkout"),
    ({"kind": "entry"}, "Person 12 entered Entrance"),
    ({"kind": "exit", "place": "Checkout"}, "Person 12 left Checkout"),
    ({"kind": "exit", "track_number": None}, "Person left Entrance"),
    ({"kind": "entry", "label": "", "track_number": None}, "Object entered Entrance"),
    ({"kind": "entry", "label": "sports_ball"}, "Sports ball 12 entered Entrance"),
    (
        {"kind": "dwell", "place": "Till", "value": 41.7, "end": NOON},
        "Person 12 stayed 42 s at Till",
    ),
    ({"kind": "dwell", "place": "Till", "value": 12}, "Person 12 has stayed 12 s at Till"),
    ({"kind": "dwell", "value": None, "end": NOON}, "Person 12 stayed 0 s at Entrance"),
    ({"kind": "crossing", "place": "Door"}, "Person 12 crossed Door"),
    ({"kind": "occupancy", "place": "Queue", "value": 2, "end": NOON}, "2 at most in Queue"),
    ({"kind": "occupancy", "place": "Queue", "value": 2.0}, "2 at most in Queue so far"),
]


@pytest.mark.parametrize(("fields", "sentence"), SENTENCES, ids=[text for _, text in SENTENCES])
def test_every_event_is_said_in_words(camera: Camera, fields: Any, sentence: str) -> None:
    assert sentence_of(make_event(camera, **fields)) == sentence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-1, "0 s"),
        (99.4, "99 s"),
        (100, "1 min 40 s"),
        (120, "2 min"),
        (3600 * 2, "2 h"),
        (3600 * 2 + 60 * 5, "2 h 5 min"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.fixture
def scene(team: Group, camera: Camera, foreign: Camera) -> dict[str, CameraEvent]:
    """Events of every kind, at two cameras of the user and one of others."""
    yard = make_camera(team, name="Yard")
    till = Zone.objects.create(camera=camera, name="Till", polygon=[[0, 0], [1, 0], [1, 1]])
    door = CountingLine.objects.create(camera=camera, name="Door", points=[[0, 0], [1, 1]])
    at = [NOON + dt.timedelta(minutes=minute) for minute in range(6)]
    return {
        "entry": make_event(camera, start=at[0], end=at[0], zone=till, place="Till"),
        "dwell": make_event(camera, kind="dwell", start=at[1], zone=till, place="Till", value=9.0),
        "in": make_event(
            camera, kind="crossing", start=at[2], end=at[2], line=door, place="Door", direction="in"
        ),
        "gone": make_event(camera, kind="exit", start=at[3], end=at[3], place="Till", label="dog"),
        "yard": make_event(yard, start=at[4], end=at[4], place="Gate"),
        "foreign": make_event(foreign, start=at[5], end=at[5], zone=None, place="Till"),
    }


ALL = "yard gone in dwell entry"
FILTERS = [
    ("", ALL),
    ("camera=&label=&zone=&line=&kind=&direction=&after=&before=&since=&ongoing=", ALL),
    ("camera={camera}", "gone in dwell entry"),
    ("camera=Entrance", "gone in dwell entry"),
    ("camera=Safe", ""),
    ("camera={foreign}", ""),
    ("camera=9223372036854775807", ""),
    ("camera=nowhere", ""),
    ("label=dog", "gone"),
    ("label=unicorn", ""),
    ("label=%00dog", "gone"),
    ("zone={zone}", "dwell entry"),
    ("zone=Till", "gone dwell entry"),
    ("line={line}", "in"),
    ("line=Door", "in"),
    ("line=Till", ""),
    ("kind=crossing", "in"),
    ("kind=occupancy", ""),
    ("direction=in", "in"),
    ("direction=out", ""),
    ("after=2026-03-02T12:03:00Z", "yard gone"),
    ("after=2026-03-02T13:04:00%2B01:00", "yard"),
    ("after={noon}", ALL),
    ("before={noon}", ""),
    ("before=2026-03-02T12:01:00Z", "entry"),
    ("after=2026-03-02&before=2026-03-03", ALL),
    ("since=0", ALL),
    ("since=4", "yard"),
    ("since=9223372036854775807", ""),
    ("ongoing=true", "dwell"),
    ("ongoing=0", "yard gone in entry"),
    ("camera=Entrance&label=person&kind=dwell&ongoing=1&after=2026-03-02", "dwell"),
]


@pytest.mark.parametrize(
    ("query", "expected"), FILTERS, ids=[query or "none" for query, _ in FILTERS]
)
def test_filters_narrow_the_list(
    api: APIClient, scene: dict[str, CameraEvent], query: str, expected: str
) -> None:
    made = query.format(
        camera=scene["entry"].camera_id,
        foreign=scene["foreign"].camera_id,
        zone=scene["entry"].zone_id,
        line=scene["in"].line_id,
        noon=NOON.timestamp(),
    )
    names = {str(event.pk): name for name, event in scene.items()}
    found = api.get(f"/api/events?{made}").json()["results"]
    assert [names[event["id"]] for event in found] == expected.split()


WRONG = [
    ("kind=dance", {"kind"}),
    ("after=yesterday", {"after"}),
    ("after=nan", {"after"}),
    ("before=inf", {"before"}),
    ("before=1e300", {"before"}),
    ("before=1_000", {"before"}),
    ("after=2026-13-01", {"after"}),
    ("since=-1", {"since"}),
    ("since=x", {"since"}),
    ("since=99999999999999999999", {"since"}),
    ("ongoing=perhaps", {"ongoing"}),
    ("camera=99999999999999999999", {"camera"}),
    ("zone=99999999999999999999&line=99999999999999999999", {"zone", "line"}),
]


@pytest.mark.parametrize(("query", "fields"), WRONG, ids=[query for query, _ in WRONG])
def test_filters_that_make_no_sense_are_named(api: APIClient, query: str, fields: set[str]) -> None:
    response = api.get(f"/api/events?{query}")
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == fields
    assert not parse_event_filters({"kind": "dance", "since": "x"}).is_active


def test_pages_follow_each_other_without_a_gap(api: APIClient, camera: Camera) -> None:
    made = [make_event(camera, start=NOON) for _ in range(7)]  # all at the same moment
    address: str | None = "/api/events?page_size=3"
    found: list[str] = []
    while address:
        page = api.get(address).json()
        found += [event["id"] for event in page["results"]]
        address = page["next"]
    assert sorted(found) == sorted(str(event.pk) for event in made)


def test_a_list_of_events_needs_as_many_queries_as_one(
    api: APIClient, scene: dict[str, CameraEvent], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        assert len(api.get("/api/events").json()["results"]) == 5


# ---------------------------------------------------------------- pictures of events
def test_the_picture_of_an_event_is_a_file_like_any_other(api: APIClient, camera: Camera) -> None:
    event = make_event(camera)
    event.picture.save("x.jpg", ContentFile(make_jpeg()))
    address = api.get(f"/api/events/{event.pk}/").json()["snapshot"]
    assert address == f"/api/events/{event.pk}/snapshot.jpg"
    whole = api.get(address)
    assert (whole.status_code, whole["Content-Type"]) == (200, "image/jpeg")
    assert whole["X-Content-Type-Options"] == "nosniff"
    part = api.get(address, headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, b"\xff\xd8")
    again = api.get(address, headers={"If-None-Match": whole["ETag"]})
    assert again.status_code == 304


def test_an_event_without_a_picture_has_none(api: APIClient, camera: Camera) -> None:
    assert api.get(f"/api/events/{make_event(camera).pk}/snapshot.jpg").status_code == 404


# ---------------------------------------------------------------- who may
ADDRESSES = [
    "/api/events/{event}/",
    "/api/events/{event}/snapshot.jpg",
    "/api/cameras/{camera}/latest.jpg",
    "/api/stream/{camera}.mjpg",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("role", "member", "status"),
    [
        ("viewer", True, 200),
        ("operator", True, 200),
        ("viewer", False, 404),
        ("operator", False, 404),
        ("administrator", False, 200),
        (None, False, 401),
    ],
)
def test_members_of_the_cameras_groups_and_administrators_see_it(
    camera: Camera, team: Group, address: str, role: str | None, member: bool, status: int
) -> None:
    event = make_event(camera)
    event.picture.save("x.jpg", ContentFile(make_jpeg()))
    for size in ("small", "large"):
        write_picture(camera.pk, size)
    client = Client()
    if role is not None:
        person = make_user("carol", role)
        if member:
            team.user_set.add(person)
        client.force_login(person)
    response = client.get(address.format(event=event.pk, camera=camera.pk))
    assert response.status_code == status


@pytest.mark.parametrize("address", ["/api/stats", "/api/events", *ADDRESSES])
def test_a_token_opens_the_same_doors(user: Any, camera: Camera, address: str) -> None:
    event = make_event(camera)
    event.picture.save("x.jpg", ContentFile(make_jpeg()))
    write_picture(camera.pk, "large")
    token, path = (
        AuthToken.objects.create(user)[1],
        address.format(event=event.pk, camera=camera.pk),
    )
    assert Client(headers={"Authorization": f"Token {token}"}).get(path).status_code == 200
    assert Client(headers={"Authorization": "Token wrong"}).get(path).status_code == 401
    assert Client().get(path).json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_does_not_exist_is_not_there(api: APIClient, address: str) -> None:
    path = address.format(event=uuid.uuid4(), camera=10**30)
    response = api.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pictures_are_only_read(signed_in: Client, camera: Camera, method: str) -> None:
    for address in (f"/api/cameras/{camera.pk}/latest.jpg", f"/api/stream/{camera.pk}.mjpg"):
        assert getattr(signed_in, method)(address).status_code == 405


# ---------------------------------------------------------------- the newest picture
def test_the_newest_picture_is_given_once_and_then_only_when_it_is_another(
    api: APIClient, camera: Camera
) -> None:
    jpeg = make_jpeg((32, 24))
    number = write_picture(camera.pk, "small", jpeg=jpeg)
    address = f"/api/cameras/{camera.pk}/latest.jpg?size=small"
    first = api.get(address)
    assert (first.content, first["X-Frame"]) == (jpeg, str(number))
    assert first["Content-Type"] == "image/jpeg"
    assert first["X-Content-Type-Options"] == "nosniff"
    assert "no-cache" in first["Cache-Control"]
    assert api.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    write_picture(camera.pk, "small", number=number + 1)
    assert api.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("old", [True, False])
def test_without_a_fresh_picture_one_is_told_when_to_come_again(
    api: APIClient, camera: Camera, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.2)
    if old:
        write_picture(camera.pk, "large", number=1)
    response = api.get(f"/api/cameras/{camera.pk}/latest.jpg")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "no_picture")
    assert int(response["Retry-After"]) > 0


def test_a_camera_that_is_off_says_so(api: APIClient, team: Group) -> None:
    camera = make_camera(team, enabled=False)
    response = api.get(f"/api/cameras/{camera.pk}/latest.jpg")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "camera_off")


@pytest.mark.parametrize(("query", "field"), [("size=huge", "size"), ("boxes=perhaps", "boxes")])
def test_options_that_make_no_sense_are_named(
    api: APIClient, camera: Camera, query: str, field: str
) -> None:
    response = api.get(f"/api/stream/{camera.pk}.mjpg?{query}")
    assert (response.status_code, list(response.json()["error"]["fields"])) == (400, [field])


# ---------------------------------------------------------------- reads for pages
def test_the_cameras_of_the_wall_are_those_that_are_on_with_their_state(
    user: Any, team: Group, camera: Camera, foreign: Camera, django_assert_num_queries: Any
) -> None:
    make_camera(team, enabled=False)
    make_state(camera)
    with django_assert_num_queries(2):
        found = [(one.name, one.state.state, one.area) for one in list_watched_cameras(user)]
    assert found == [("Entrance", "live", None)]


def test_changes_are_read_in_the_order_of_their_numbers(camera: Camera, foreign: Camera) -> None:
    assert (changes_after(0, limit=5), last_sequence()) == ([], 0)
    made = [make_event(one) for one in (camera, foreign, camera)]
    assert [event.pk for event in changes_after(0, limit=2)] == [made[0].pk, made[1].pk]
    mine = changes_after(1, limit=5, cameras=[camera.pk])
    assert [event.pk for event in mine] == [made[2].pk]
    assert changes_after(0, limit=5, cameras=[]) == []
    assert last_sequence() == 3 == EventSequence.objects.get().value


DAYS = [
    ("UTC", dt.date(2026, 3, 29), 24),
    ("Europe/Berlin", dt.date(2026, 3, 29), 23),
    ("Europe/Berlin", dt.date(2026, 10, 25), 25),
    ("Asia/Kolkata", dt.date(2026, 3, 29), 24),
]


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
def test_a_day_has_the_hours_of_its_clock(
    settings: Any, zone: str, day: dt.date, hours: int
) -> None:
    settings.TIME_ZONE = zone
    found = hours_of(day)
    assert len(found) == hours
    assert (found[0].hour, found[0].minute, found[0].date()) == (0, 0, day)
    assert len({hour.astimezone(dt.UTC) for hour in found}) == hours


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
def test_crossings_are_counted_hour_by_hour_of_the_local_day(
    settings: Any, camera: Camera, zone: str, day: dt.date, hours: int
) -> None:
    settings.TIME_ZONE = zone
    begin = dt.datetime.combine(day, dt.time.min, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    for minutes in (-1, 0, 59, 60, 61, hours * 60 - 1, hours * 60):
        make_event(
            camera,
            kind="crossing",
            place="Door",
            direction="in" if minutes < 60 else "out",
            start=begin + dt.timedelta(minutes=minutes),
        )
    make_event(camera, kind="entry", place="Door", start=begin)
    counted = crossings_by_hour(camera, day)
    assert [hour.total for hour in counted] == [2, 2, *[0] * (hours - 3), 1]
    assert counted[0].counts == {("Door", "in"): 2}
    assert counted[-1].counts == {("Door", "out"): 1}
    assert events_by_hour(camera, day, "entry")[0].total == 1


# ---------------------------------------------------------------- how long lists are read
PLANS = [
    ({}, "camera_event_start|camera_event_camera"),
    ({"camera": "{camera}"}, "camera_event_camera|cameraevent_camera_id"),
    ({"kind": "crossing"}, "camera_event_kind|camera_event_start"),
    ({"after": "2026-03-02T12:00:00Z"}, "camera_event_start|camera_event_camera"),
    ({"zone": "1"}, "zone_id|camera_event_start|camera_event_camera"),
]


@pytest.mark.slow
@pytest.mark.parametrize("role", ["operator", "administrator"])
@pytest.mark.parametrize(("query", "index"), PLANS)
def test_lists_of_events_are_read_along_an_index(
    team: Group, camera: Camera, query: dict[str, str], index: str, role: str
) -> None:
    person = make_user("carol", role)
    team.user_set.add(person)
    cameras = [camera, *(make_camera(team) for _ in range(3))]
    CameraEvent.objects.bulk_create(
        CameraEvent(
            sequence=number + 1,
            kind=("entry", "exit", "crossing")[number % 3],
            camera=cameras[1 + number % 3 if number % 100 else 0],
            label="person",
            start=NOON + dt.timedelta(seconds=number),
        )
        for number in range(4000)
    )
    analyze()
    prefer_indexes()
    filters = parse_event_filters({k: v.format(camera=camera.pk) for k, v in query.items()})
    plan = explain(list_events(person, filters)[:51])
    assert re.search(index, plan), plan
    assert not scans(plan, "video_analysis_cameraevent"), plan
    after = CameraEvent.objects.filter(sequence__gt=3000).order_by("sequence")[:200]
    assert "sequence" in explain(after)

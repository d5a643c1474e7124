"""The wall and the page of a camera as they come from the server, and who gets them."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.integration.conftest import make_user
from tests.integration.video_analysis.live_pages import make_camera, make_event, make_state
from video_analysis.cameras.models import Area, CountingLine, Zone
from video_analysis.live.pages import standing_of
from video_analysis.live.presenting import camera_facts
from video_analysis.live.reasons import PUBLIC_REASONS, UNKNOWN_REASON, public_reason
from vision.sources.cameras.errors import CAMERA_ERRORS

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


@pytest.fixture
def staff(db: None) -> Group:
    return Group.objects.create(name="staff")


@pytest.fixture
def viewer(staff: Group) -> Client:
    """A browser of somebody in the group "staff"."""
    user = make_user("vera", "viewer")
    user.groups.add(staff)
    return browser_of(user)


@pytest.fixture
def administrator(db: None) -> Client:
    return browser_of(make_user("root", "administrator"))


def browser_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def data_of(response: Any) -> dict[str, Any]:
    """What a page gives its scripts."""
    found = re.search(r'<script id="live-data"[^>]*>(.*?)</script>', response.content.decode())
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_wall_has_cameras_states_and_events_before_any_script_runs(
    viewer: Client, staff: Group
) -> None:
    camera = make_camera(staff, name="Entrance", area=Area.objects.create(name="Shop"))
    zone = Zone.objects.create(camera=camera, name="Till", polygon=SQUARE)
    why = "Nobody answers at 10.1.2.3:554."
    make_state(camera, state="lost", code="no_answer", reason=why, width=640, height=480)
    event = make_event(camera, zone=zone, place="Till")
    response = viewer.get("/live/")
    assert response.headers["Cache-Control"] == "private, no-store"
    page = response.content.decode()
    assert "The camera does not answer." in page
    assert "10.1.2.3" not in page
    assert f'href="/live/{camera.pk}/"' in page
    data = data_of(response)
    shown = data["cameras"][0]
    assert (shown["name"], shown["area"], shown["width"]) == ("Entrance", "Shop", 640)
    assert shown["zones"] == [{"id": zone.pk, "name": "Till", "polygon": SQUARE}]
    assert [item["id"] for item in data["events"]] == [str(event.pk)]
    assert data["sequence"] == event.sequence
    assert data["labels"] == ["person"]
    assert data["stats"]["global"]["cameras"] == 1


@pytest.mark.parametrize("address", ["/live/", "/live/cameras/", "/live/{0}/", "/live/{0}/setup/"])
def test_only_administrators_read_where_a_camera_is(
    viewer: Client, administrator: Client, staff: Group, address: str
) -> None:
    camera = make_camera(staff)
    why = "Nobody answers at 10.1.2.3:554."
    make_state(camera, state="lost", code="no_answer", reason=why)
    told = [who.get(address.format(camera.pk)).content.decode() for who in (viewer, administrator)]
    assert ["10.1.2.3" in text for text in told] == [False, True]
    assert "The camera does not answer." in told[0]


def test_every_code_of_a_camera_has_its_public_sentence() -> None:
    assert PUBLIC_REASONS.keys() >= CAMERA_ERRORS
    assert public_reason("out_of_memory_of_the_future") == UNKNOWN_REASON


def test_a_page_begins_with_the_newest_events_only(administrator: Client) -> None:
    camera = make_camera()
    at = timezone.now()
    for seconds in range(60):
        make_event(camera, start=at - dt.timedelta(seconds=seconds))
    data = data_of(administrator.get("/live/"))
    assert len(data["events"]) == 50
    starts = [item["start"] for item in data["events"]]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    "address", ["/live/", "/live/cameras/", "/live/{}/", "/live/{}/setup/", "/live/{}/counts/"]
)
def test_nobody_sees_cameras_of_others(viewer: Client, db: None, address: str) -> None:
    others = Group.objects.create(name="others")
    camera = make_camera(others, name="Hidden camera")
    make_event(camera, place="Hidden place")
    response = viewer.get(address.format(camera.pk))
    if "{}" in address:
        assert response.status_code == 404
    assert b"Hidden" not in response.content
    assert Client().get(address.format(camera.pk)).status_code == 302


@pytest.mark.parametrize("camera_id", [999_999, 10**30], ids=["missing", "beyond the database"])
def test_a_camera_that_there_is_not_is_not_found(administrator: Client, camera_id: int) -> None:
    assert administrator.get(f"/live/{camera_id}/").status_code == 404


@pytest.mark.parametrize(
    ("is_administrator", "off", "sentence", "link"),
    [
        (True, False, "No cameras yet", True),
        (True, True, "No camera is switched on", False),
        (False, False, "No camera is shared with you", False),
        (False, True, "No camera is switched on", False),
    ],
    ids=["administrator", "administrator, one is off", "viewer", "viewer, one is off"],
)
def test_a_wall_without_cameras_says_what_to_do(
    administrator: Client,
    viewer: Client,
    staff: Group,
    is_administrator: bool,
    off: bool,
    sentence: str,
    link: bool,
) -> None:
    if off:
        make_camera(staff, enabled=False)
    page = (administrator if is_administrator else viewer).get("/live/").content.decode()
    assert sentence in page
    assert (reverse("cameras:new") in page) == link
    assert ("make demo" in page) == link


def test_cameras_that_are_off_are_not_on_the_wall_but_have_their_page(
    administrator: Client,
) -> None:
    camera = make_camera(name="Cellar", enabled=False)
    assert data_of(administrator.get("/live/"))["cameras"] == []
    assert (
        "This camera is switched off." in administrator.get(f"/live/{camera.pk}/").content.decode()
    )


def test_only_who_may_change_a_camera_is_led_to_its_settings(
    administrator: Client, viewer: Client, staff: Group
) -> None:
    camera = make_camera(staff)
    address = reverse("cameras:edit", args=[camera.pk])
    for browser, offered in ((administrator, True), (viewer, False)):
        page = browser.get(f"/live/{camera.pk}/").content.decode()
        assert (address in page) == offered
        assert f"/api/stream/{camera.pk}.mjpg?boxes=1" in page


def test_only_who_may_create_is_led_to_the_webcam(administrator: Client, viewer: Client) -> None:
    address = f'href="{reverse("webcam:webcam")}"'
    assert address in administrator.get("/live/").content.decode()
    assert address not in viewer.get("/live/").content.decode()


def test_the_page_of_a_camera_has_its_own_events_only(viewer: Client, staff: Group) -> None:
    camera, other = make_camera(staff), make_camera(staff)
    event = make_event(camera)
    make_event(other)
    data = data_of(viewer.get(f"/live/{camera.pk}/"))
    assert [item["id"] for item in data["events"]] == [str(event.pk)]
    assert [item["id"] for item in data["cameras"]] == [camera.pk]
    assert data["urls"]["cameras"] == f"/live/{camera.pk}/setup/"
    answer = viewer.get(data["urls"]["cameras"]).json()
    assert [item["id"] for item in answer["cameras"]] == [camera.pk]


@pytest.mark.parametrize(
    ("state", "enabled", "stale", "key", "say"),
    [
        ("live", True, False, "live", ""),
        ("live", True, True, "silent", "camera runner may have stopped"),
        ("lost", True, False, "lost", "why it is so"),
        ("refused", True, False, "refused", "why it is so"),
        ("waiting", True, True, "waiting", "No camera runner"),
        ("live", False, False, "off", "switched off"),
        ("unheard of", True, False, "waiting", "No camera runner"),
    ],
    ids=["live", "stale", "lost", "refused", "waiting", "off", "unknown"],
)
def test_how_a_camera_stands(
    db: None, state: str, enabled: bool, stale: bool, key: str, say: str
) -> None:
    camera = make_camera(enabled=enabled)
    seen = timezone.now() - dt.timedelta(seconds=60 if stale else 0)
    make_state(camera, state=state, reason="why it is so", updated_at=seen)
    camera.refresh_from_db()
    standing = standing_of(camera, camera_facts(camera, timezone.now(), in_full=True))
    assert standing["key"] == key
    assert say in standing["say"]


def test_counts_of_a_day_name_every_direction_and_lines_of_before(
    viewer: Client, staff: Group
) -> None:
    camera = make_camera(staff)
    CountingLine.objects.create(camera=camera, name="Door", points=[[0, 0.5], [1, 0.5]])
    zone = timezone.get_default_timezone()
    at = dt.datetime(2026, 5, 4, 9, 30, tzinfo=zone)
    made = {"kind": "crossing", "place": "Door", "direction": "in"}
    make_event(camera, start=at, **made)
    make_event(camera, start=at.replace(hour=17), **made)
    make_event(camera, start=at, **{**made, "place": "Old gate"})
    make_event(camera, start=at - dt.timedelta(days=1), **made)
    make_event(camera, start=at, kind="entry", place="Door")
    counts = viewer.get(f"/live/{camera.pk}/counts/?day=2026-05-04").json()
    totals = [(row["line"], row["direction"], row["total"]) for row in counts["rows"]]
    assert totals == [("Door", "in", 2), ("Door", "out", 0), ("Old gate", "in", 1)]
    assert counts["hours"][9] == "09:00"
    assert counts["rows"][0]["counts"][9] == 1
    assert counts["rows"][0]["counts"][17] == 1


@pytest.mark.parametrize(
    "day", ["", "yesterday", "2026-02-31", "9999-12-31", "0001-01-01", "%00"], ids=repr
)
def test_a_day_that_makes_no_sense_is_today(viewer: Client, staff: Group, day: str) -> None:
    camera = make_camera(staff)
    answer = viewer.get(f"/live/{camera.pk}/counts/?day={day}")
    assert answer.json() == {
        "day": timezone.localdate().isoformat(),
        "hours": answer.json()["hours"],
        "rows": [],
    }


@pytest.mark.parametrize("address", ["/live/", "/live/cameras/", "/live/{}/"])
def test_pages_cannot_be_posted_to(administrator: Client, address: str) -> None:
    camera = make_camera()
    assert administrator.post(address.format(camera.pk)).status_code == 405


def test_a_hostile_name_stays_text(administrator: Client) -> None:
    name = "</script><script>alert(1)</script>"
    camera = make_camera(name=name)
    for address in ("/live/", f"/live/{camera.pk}/"):
        response = administrator.get(address)
        assert b"<script>alert" not in response.content
        assert data_of(response)["cameras"][0]["name"] == name


def test_the_wall_costs_as_many_queries_for_many_cameras_as_for_few(
    administrator: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(16):
        camera = make_camera()
        make_state(camera)
        make_event(camera)
    with django_assert_max_num_queries(20):
        administrator.get("/live/")

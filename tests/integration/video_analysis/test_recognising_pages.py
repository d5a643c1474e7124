"""Names of people on the live pages and on the pages of videos, and who gets to see them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from common.models import AuditEntry
from detector.models import DetectionSession
from recognition.models import PrivacySettings, Profile
from tests.integration.conftest import make_user
from tests.integration.video_analysis.live_pages import make_camera, make_event
from tests.integration.video_analysis.test_live_pages import browser_of, data_of
from video_analysis.cameras.models import Camera
from video_analysis.models import Sighting, VideoAnalysis

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Group:
    return Group.objects.create(name="staff")


@pytest.fixture
def camera(staff: Group) -> Camera:
    return make_camera(staff, name="Door")


@pytest.fixture
def ada(db: None) -> Profile:
    return Profile.objects.create(name="Ada <b>")


def member(staff: Group, role: str) -> Client:
    user = make_user(role, role)
    user.groups.add(staff)
    return browser_of(user)


def make_sighting(camera: Camera, profile: Profile, **fields: Any) -> Sighting:
    given = {"state": "known", "track": uuid.uuid4(), "track_number": 7, **fields}
    return Sighting.objects.create(camera=camera, profile=profile, **given)


def test_operators_see_who_is_before_a_camera(camera: Camera, ada: Profile, staff: Group) -> None:
    seen = make_sighting(camera, ada)
    event = make_event(camera, track=seen.track, track_number=7)
    browser = member(staff, "operator")
    for address in ("/live/people/", f"/live/{camera.pk}/people/"):
        told = browser.get(address).json()
        person = {"name": "Ada <b>", "url": f"/people/{ada.pk}/"}
        assert told == {
            "now": [{"camera": camera.pk, "track": 7, **person}],
            "events": {str(event.pk): person},
        }
    assert data_of(browser.get("/live/"))["urls"]["people"] == "/live/people/"


def test_who_looks_is_written_down_once_an_hour(camera: Camera, ada: Profile, staff: Group) -> None:
    make_sighting(camera, ada)
    make_sighting(camera, ada, track_number=8)
    for name, lines in (("operator", 2), ("administrator", 4)):
        browser = member(staff, name)
        for _ in range(3):
            browser.get("/live/people/")
            browser.get(f"/live/{camera.pk}/people/")
        seen = AuditEntry.objects.filter(action=AuditEntry.Action.VIEWED).order_by("pk")
        assert seen.count() == lines
        last = seen.last()
        assert last is not None
        assert (last.actor_name, last.details) == (name, {"what": "people of cameras", "count": 1})
    cache.clear()  # an hour later
    browser.get("/live/people/")
    assert seen.count() == 5


def test_who_has_gone_is_known_of_events_only(camera: Camera, ada: Profile, staff: Group) -> None:
    ago = timezone.now() - dt.timedelta(minutes=1)
    seen = make_sighting(camera, ada, start=ago, end=ago)
    make_event(camera, track=seen.track, track_number=7)
    told = member(staff, "operator").get("/live/people/").json()
    assert told["now"] == []
    assert len(told["events"]) == 1


def test_viewers_see_nothing_of_it(camera: Camera, ada: Profile, staff: Group) -> None:
    make_sighting(camera, ada)
    browser = member(staff, "viewer")
    assert browser.get("/live/people/").status_code == 403
    assert browser.get(f"/live/{camera.pk}/people/").status_code == 403
    assert "people" not in data_of(browser.get("/live/"))["urls"]
    assert "people" not in data_of(browser.get(f"/live/{camera.pk}/"))["urls"]


def test_operators_see_nobody_before_cameras_of_others(camera: Camera, ada: Profile) -> None:
    make_sighting(camera, ada)
    browser = browser_of(make_user("olga", "operator"))
    assert browser.get("/live/people/").json() == {"now": [], "events": {}}
    assert browser.get(f"/live/{camera.pk}/people/").status_code == 404


@pytest.fixture
def film(
    make_video_session: Callable[..., DetectionSession], ada: Profile, staff: Group
) -> DetectionSession:
    """A video of ``user``, shared with "staff", in which Ada was recognised."""
    session = make_video_session()
    DetectionSession.objects.filter(pk=session.pk).update(shared_with=staff)
    VideoAnalysis.objects.filter(pk=session.pk).update(faces=True)
    for number, profile, state in (
        (1, ada, "known"),
        (2, None, "uncertain"),
        (3, None, "rejected"),
    ):
        Sighting.objects.create(
            analysis=session.video,
            profile=profile,
            state=state,
            track_number=number,
            start_seconds=0.25 * number,
            end_seconds=1.5,
            probability=0.97,
        )
    return session


def test_a_video_says_who_is_in_it_and_when(signed_in: Client, film: DetectionSession) -> None:
    page = signed_in.get(f"/videos/{film.pk}/").content.decode()
    assert "Ada &lt;b&gt;" in page
    assert 'data-seek-to="0.250" data-track="1"' in page
    assert page.count("Waits for review") == 1


def test_a_viewer_of_a_video_sees_no_names(film: DetectionSession, staff: Group) -> None:
    browser = member(staff, "viewer")
    page = browser.get(f"/videos/{film.pk}/")
    assert page.status_code == 200
    assert "Ada" not in page.content.decode()
    assert browser.get(f"/api/videos/{film.pk}/people/").status_code == 403


def test_the_api_lists_the_people_of_a_video(api: APIClient, film: DetectionSession) -> None:
    found = api.get(f"/api/videos/{film.pk}/people/").json()["results"]
    assert [(one["track"], one["state"]) for one in found] == [(1, "known"), (2, "uncertain")]
    assert found[0]["person"]["name"] == "Ada <b>"
    assert found[1]["person"] is None
    assert (found[0]["start"], found[0]["end"], found[0]["confidence"]) == (0.25, 1.5, 0.97)


def test_recognition_in_uploads_can_be_switched_off(
    api: APIClient, signed_in: Client, film: DetectionSession
) -> None:
    assert 'value="faces"' in signed_in.get("/videos/new/").content.decode()
    PrivacySettings.objects.update_or_create(pk=1, defaults={"recognise_uploads": False})
    page = signed_in.get("/videos/new/").content.decode()
    assert 'name="tasks" value="faces"' not in page
    answer = api.post(f"/api/videos/{film.pk}/rerun/", {"tasks": ["faces"]}, format="json")
    assert answer.status_code == 400
    assert "switched off" in answer.json()["error"]["fields"]["tasks"]


def test_faces_are_looked_for_in_people_only(api: APIClient, film: DetectionSession) -> None:
    wanted = {"tasks": ["faces"], "classes": ["dog"]}
    answer = api.post(f"/api/videos/{film.pk}/rerun/", wanted, format="json")
    assert answer.status_code == 400
    assert "person" in answer.json()["error"]["fields"]["classes"]

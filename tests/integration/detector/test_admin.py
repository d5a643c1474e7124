"""The admin finds and deletes; it edits no results."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from common.models import AuditEntry, Upload
from detector.models import DetectedObject, DetectionSession

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client, django_user_model: Any) -> Client:
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    return client


SEARCHES = [
    ("detectionsession", "yard", True),
    ("detectionsession", "nothing", False),
    ("detectedobject", "person", True),
    ("detectedobject", "Person", True),
    ("detectedobject", "nothing", False),
]


@pytest.mark.parametrize(("model", "text", "found"), SEARCHES)
def test_lists_are_searched(
    boss: Client, session: DetectionSession, model: str, text: str, found: bool
) -> None:
    assert session.name in boss.get(f"/admin/detector/{model}/").content.decode()
    response = boss.get(f"/admin/detector/{model}/", {"q": text})
    assert response.status_code == 200
    assert (session.name in response.content.decode()) is found
    assert boss.get(f"/admin/detector/{model}/add/").status_code == 403


def test_the_objects_of_a_session_are_found_by_its_id(
    boss: Client, session: DetectionSession
) -> None:
    response = boss.get("/admin/detector/detectedobject/", {"q": str(session.pk)})
    assert len(response.context["cl"].result_list) == 3


FILTERS = [
    ("detectionsession", {"model": "yolov8n-seg"}, 1),
    ("detectionsession", {"model": "opencv-fallback"}, 0),
    ("detectionsession", {"task__exact": "segment"}, 1),
    ("detectedobject", {"class": "person"}, 2),
    ("detectedobject", {"class": "zebra"}, 0),
]


@pytest.mark.parametrize(("model", "query", "number"), FILTERS)
def test_lists_are_filtered(
    boss: Client, session: DetectionSession, model: str, query: dict[str, str], number: int
) -> None:
    response = boss.get(f"/admin/detector/{model}/", query)
    assert len(response.context["cl"].result_list) == number


def test_a_result_is_shown_and_not_edited(boss: Client, session: DetectionSession) -> None:
    item = session.detected_objects.first()
    assert item is not None
    assert boss.get(f"/admin/detector/detectionsession/{session.pk}/change/").status_code == 200
    assert boss.get(f"/admin/detector/detectedobject/{item.pk}/change/").status_code == 200
    assert boss.get(f"/admin/detector/detectedobject/{item.pk}/delete/").status_code == 403


def test_deleting_takes_everything_along(
    boss: Client, session: DetectionSession, django_capture_on_commit_callbacks: Any
) -> None:
    storage, name = session.upload.file.storage, session.upload.file.name
    with django_capture_on_commit_callbacks(execute=True):
        response = boss.post(
            f"/admin/detector/detectionsession/{session.pk}/delete/", {"post": "yes"}
        )
    assert response.status_code == 302
    assert not DetectionSession.objects.exists()
    assert not DetectedObject.objects.exists()
    assert not Upload.objects.exists()
    assert not storage.exists(name)
    (entry,) = AuditEntry.objects.filter(action="deleted")
    assert (entry.actor_name, entry.owner_name) == ("root", session.owner.get_username())


def test_many_are_deleted_at_once(boss: Client, session: DetectionSession) -> None:
    response = boss.post(
        "/admin/detector/detectionsession/",
        {"action": "delete_selected", "_selected_action": [str(session.pk)], "post": "yes"},
    )
    assert response.status_code == 302
    assert not Upload.objects.exists()

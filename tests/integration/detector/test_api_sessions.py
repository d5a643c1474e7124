"""Sessions, objects, models and jobs as resources, and whose they are."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from rest_framework.test import APIClient

from common.models import Job, Upload
from common.permissions import rules
from detector.models import DetectionSession
from detector.services.options import parse_options
from detector.services.sessions import create_session
from tests.integration.detector.conftest import FakeEngine, make_session, picture, run_job

pytestmark = pytest.mark.django_db

# An id that no row has; constant, since parallel workers must agree on the names of the tests.
NOBODYS = uuid.UUID(int=1)


def send(api: APIClient, **fields: Any) -> Any:
    file = SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")
    return api.post("/api/sessions/", {"image": file, **fields}, format="multipart")


def test_a_picture_is_queued_and_can_be_followed(api: APIClient, user: Any) -> None:
    response = send(api, task="segment", name="My yard", confidence="0.3", classes="dog,person")
    assert response.status_code == 201
    body = response.json()
    assert response["Location"] == body["links"]["self"] == f"/api/sessions/{body['id']}/"
    assert (body["status"], body["progress"], body["error"]) == ("queued", 0.0, None)
    assert (body["name"], body["task"], body["source"]) == ("My yard", "segment", "api")
    assert body["classes"] == ["person", "dog"]
    assert body["image"] == {
        "name": "yard.jpg",
        "width": 160,
        "height": 120,
        "bytes": len(picture()),
        "media_type": "image/jpeg",
        "removed_at": None,
    }
    job = api.get(f"/api/jobs/{body['job']}/").json()
    assert (job["status"], job["session"], job["kind"]) == ("queued", body["id"], "detector.detect")


def test_only_one_picture_makes_a_session(api: APIClient) -> None:
    files = [SimpleUploadedFile(f"{n}.jpg", picture(), "image/jpeg") for n in range(2)]
    response = api.post("/api/sessions/", {"image": files}, format="multipart")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "too_many_files"
    assert not Upload.objects.exists()


def test_a_failed_session_says_why(api: APIClient, user: Any) -> None:
    session = make_session(user)
    session.job = Job.objects.create(
        kind="detector.detect",
        owner=user,
        state="failed",
        error_code="picture_missing",
        error_message="The stored picture is gone.",
    )
    session.save()
    body = api.get(f"/api/sessions/{session.pk}/").json()
    assert body["status"] == "failed"
    assert body["error"] == {"code": "picture_missing", "message": "The stored picture is gone."}


def test_the_list_has_pages_and_filters(api: APIClient, user: Any, other_user: Any) -> None:
    names = [f"yard {n}" for n in range(5)]
    for name in names:
        make_session(user, name=name)
    make_session(other_user, name="yard of somebody else")

    first = api.get("/api/sessions/", {"page_size": 3}).json()
    assert [entry["name"] for entry in first["results"]] == ["yard 4", "yard 3", "yard 2"]
    second = api.get(first["next"]).json()
    assert [entry["name"] for entry in second["results"]] == ["yard 1", "yard 0"]
    assert second["next"] is None

    found = api.get("/api/sessions/", {"q": "ARD 3"}).json()["results"]
    assert [entry["name"] for entry in found] == ["yard 3"]
    oldest = api.get("/api/sessions/", {"order": "oldest", "class": "dog"}).json()["results"]
    assert [entry["name"] for entry in oldest] == names
    assert api.get("/api/sessions/", {"class": "cat"}).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "asleep"}, "status"),
        ({"task": "dream"}, "task"),
        ({"order": "random"}, "order"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-02-31"}, "to"),
        ({"from": "0001-01-01T00:00:00+05:00"}, "from"),
        ({"to": "9999-12-31T23:59:59-05:00"}, "to"),
        ({"to": "9999-12-31"}, "to"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(
    api: APIClient, query: dict[str, str], field: str
) -> None:
    response = api.get("/api/sessions/", query)
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == {field}


@pytest.mark.parametrize("path", ["sessions/", "objects/", "sessions/{}/objects/"])
@pytest.mark.parametrize("cursor", ["p=garbage", "p=%00", "p=" + "9" * 400, "o=-1", "\xff"])
@pytest.mark.parametrize("order", ["newest", "objects"])
def test_a_cursor_that_somebody_made_up_is_not_there(
    api: APIClient, session: DetectionSession, path: str, cursor: str, order: str
) -> None:
    made_up = b64encode(cursor.encode()).decode()
    response = api.get(f"/api/{path.format(session.pk)}", {"cursor": made_up, "order": order})
    assert response.status_code in (200, 404)
    if response.status_code == 404:
        assert response.json()["error"]["code"] == "not_found"


def test_a_cursor_that_is_no_cursor_is_not_there(api: APIClient, session: Any) -> None:
    for path in ("sessions/", "objects/"):
        assert api.get(f"/api/{path}", {"cursor": "cD1nYXJiYWdl"}).status_code == 404  # p=garbage


def test_a_session_is_renamed(api: APIClient, session: DetectionSession) -> None:
    path = f"/api/sessions/{session.pk}/"
    assert api.patch(path, {"name": " new\nname "}).json()["name"] == "new name"
    for wrong in ({"name": ""}, {}, {"name": "x" * 201}, {"name": None}, {"name": ["a"]}):
        response = api.patch(path, wrong)
        assert response.status_code == 400
        assert set(response.json()["error"]["fields"]) == {"name"}
    assert api.put(path, {"name": "x"}).status_code == 405


def test_nothing_but_the_name_can_be_set(
    api: APIClient, session: DetectionSession, user: Any, other_user: Any
) -> None:
    more = {"owner": other_user.pk, "status": "failed", "object_count": 9, "upload": "x", "id": 1}
    body = api.patch(f"/api/sessions/{session.pk}/", {"name": "new", **more}).json()
    assert (body["name"], body["status"], body["object_count"]) == ("new", "done", 3)
    made = send(api, owner=str(other_user.pk), source="browser", status="done").json()
    assert (made["source"], made["status"]) == ("api", "queued")
    assert {entry.owner for entry in DetectionSession.objects.all()} == {user}


def test_a_session_is_deleted_with_its_files(
    api: APIClient, session: DetectionSession, django_capture_on_commit_callbacks: Any
) -> None:
    storage, name = session.upload.file.storage, session.upload.file.name
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/api/sessions/{session.pk}/").status_code == 204
    assert not storage.exists(name)
    assert api.get(f"/api/sessions/{session.pk}/").status_code == 404


def test_a_rerun_keeps_what_is_not_named(api: APIClient, user: Any) -> None:
    session = make_session(user, task="detect")
    DetectionSession.objects.filter(pk=session.pk).update(
        confidence=0.4, classes=["dog"], requested_model="yolov8s"
    )
    body = api.post(f"/api/sessions/{session.pk}/rerun/", {"iou": 0.5}).json()
    assert (body["confidence"], body["iou"]) == (0.4, 0.5)
    assert (body["classes"], body["requested_model"]) == (["dog"], "yolov8s")
    assert body["id"] != str(session.pk)
    assert Upload.objects.count() == 1

    body = api.post(f"/api/sessions/{session.pk}/rerun/", {"task": "segment", "classes": []}).json()
    assert (body["requested_model"], body["classes"]) == ("yolov8n-seg", [])

    response = api.post(f"/api/sessions/{session.pk}/rerun/", {"confidence": 3, "model": "no"})
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == {"confidence", "model"}
    for body in ([], "text", 7):
        response = api.post(f"/api/sessions/{session.pk}/rerun/", body)
        assert response.status_code == 400


def test_cancel_and_retry(api: APIClient, session: DetectionSession) -> None:
    body = send(api).json()
    assert api.post(f"/api/sessions/{body['id']}/cancel/").json()["status"] == "cancelled"
    assert api.post(f"/api/sessions/{body['id']}/cancel/").status_code == 409
    assert api.post(f"/api/sessions/{body['id']}/retry/").json()["status"] == "queued"
    for action in ("cancel", "retry"):
        response = api.post(f"/api/sessions/{session.pk}/{action}/")
        assert response.status_code == 409
        assert response.json()["error"]["code"] in ("not_running", "not_failed")


def test_the_objects_of_a_session(api: APIClient, session: DetectionSession) -> None:
    path = f"/api/sessions/{session.pk}/objects/"
    results = api.get(path).json()["results"]
    assert [entry["class"] for entry in results] == ["person", "dog", "person"]
    assert results[1]["bbox"] == [60.5, 30.25, 59.5, 59.75]
    assert results[0]["polygons"]
    assert "polygons" not in api.get(path, {"masks": "none"}).json()["results"][0]
    assert api.get(path, {"masks": "rle"}).json()["results"][0]["mask"]["size"] == [120, 160]
    assert len(api.get(path, {"class": "person"}).json()["results"]) == 2
    assert len(api.get(path, {"min_confidence": "0.5"}).json()["results"]) == 2
    page = api.get(path, {"page_size": 2}).json()
    assert len(page["results"]) == 2
    assert [entry["index"] for entry in api.get(page["next"]).json()["results"]] == [2]


def test_the_objects_of_all_sessions(api: APIClient, user: Any, other_user: Any) -> None:
    first, second = make_session(user), make_session(user)
    make_session(other_user)
    results = api.get("/api/objects/", {"masks": "none"}).json()["results"]
    assert len(results) == 6
    assert results[0]["session"] == str(second.pk)
    dogs = api.get("/api/objects/", {"class": "dog", "session": str(first.pk)}).json()["results"]
    assert [entry["class"] for entry in dogs] == ["dog"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"session": "nope"}, "session"),
        ({"min_confidence": "2"}, "min_confidence"),
        ({"min_confidence": "nan"}, "min_confidence"),
        ({"masks": "bitmap"}, "masks"),
    ],
)
def test_a_wrong_query_for_objects_is_named(
    api: APIClient, query: dict[str, str], field: str
) -> None:
    response = api.get("/api/objects/", query)
    assert response.status_code == 400
    assert set(response.json()["error"]["fields"]) == {field}


def test_picture_and_thumbnail_are_files(api: APIClient, session: DetectionSession) -> None:
    response = api.get(f"/api/sessions/{session.pk}/picture/")
    assert response.content == picture()
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    part = api.get(
        f"/api/sessions/{session.pk}/picture/",
        headers={"range": "bytes=0-9", "accept": "image/*"},
    )
    assert (part.status_code, len(part.content)) == (206, 10)
    assert api.get(f"/api/sessions/{session.pk}/thumbnail/")["Content-Type"] == "image/jpeg"


SESSION_PATHS = [
    ("get", ""),
    ("patch", ""),
    ("delete", ""),
    ("get", "objects/"),
    ("get", "picture/"),
    ("get", "thumbnail/"),
    ("get", "export/"),
    ("get", "export/?format=png"),
    ("post", "rerun/"),
    ("post", "cancel/"),
    ("post", "retry/"),
]


@pytest.mark.parametrize(("method", "tail"), SESSION_PATHS)
def test_somebody_elses_session_is_not_there(
    other_api: APIClient, session: DetectionSession, method: str, tail: str
) -> None:
    for session_id in (session.pk, uuid.uuid4()):
        response = getattr(other_api, method)(f"/api/sessions/{session_id}/{tail}")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"
    assert DetectionSession.objects.get(pk=session.pk).name == "yard.jpg"


def test_administrators_see_only_what_is_theirs(
    session: DetectionSession, django_user_model: Any
) -> None:
    boss = APIClient()
    boss.force_authenticate(django_user_model.objects.create_superuser("root", password="x"))
    assert boss.get(f"/api/sessions/{session.pk}/").status_code == 404
    assert boss.get("/api/sessions/").json()["results"] == []


class LookOnly:
    """Everybody may look, and nobody may do anything else."""

    def allows(self, user: Any, verb: str, obj: Any) -> bool:
        return verb == "view"

    def filter(self, user: Any, rows: Any) -> Any:
        return rows


def test_who_may_look_may_not_change_or_delete(
    other_api: APIClient,
    other_user: Any,
    client: Any,
    session: DetectionSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(rules._rules, DetectionSession, LookOnly())
    client.force_login(other_user)
    own = f"/api/sessions/{session.pk}/"
    assert other_api.get(own).status_code == 200
    assert other_api.patch(own, {"name": "mine"}).status_code == 403
    assert other_api.delete(own).status_code == 403
    for act in ("rerun", "cancel", "retry"):
        assert other_api.post(f"{own}{act}/").status_code == 403
    assert client.get(f"/sessions/{session.pk}/").status_code == 200
    for act in ("rename", "delete", "rerun", "cancel", "retry"):
        assert client.post(f"/sessions/{session.pk}/{act}/", {"name": "x"}).status_code == 403
    client.post("/sessions/delete/", {"id": [str(session.pk)]})
    assert DetectionSession.objects.get().name == "yard.jpg"


def test_somebody_elses_objects_and_jobs_are_not_there(
    api: APIClient, other_api: APIClient, session: DetectionSession
) -> None:
    job = send(api).json()["job"]
    assert other_api.get(f"/api/jobs/{job}/").status_code == 404
    assert other_api.get("/api/objects/", {"session": str(session.pk)}).json()["results"] == []


@pytest.mark.parametrize(
    "path",
    ["sessions/", "objects/", "models/", f"jobs/{NOBODYS}/", f"sessions/{NOBODYS}/"],
)
def test_everything_asks_who_is_there(db: None, path: str) -> None:
    response = APIClient().get(f"/api/{path}")
    assert response.status_code == 401
    assert response["WWW-Authenticate"]


def test_models_are_listed_with_their_state(api: APIClient, engine: FakeEngine) -> None:
    models = {entry["name"]: entry for entry in api.get("/api/models/").json()}
    nano = models["yolov8n"]
    assert (nano["task"], nano["default"], nano["licence"]) == ("detect", True, "AGPL-3.0-only")
    assert nano["loaded"] is None
    assert models["yolov8n-seg"]["default"]
    assert not models["yolov8x"]["default"]
    assert {"installed", "quantized", "bytes", "classes", "input_size"} <= set(nano)


def test_the_openapi_document_is_complete_and_valid(db: None) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=BytesIOText())


class BytesIOText(BytesIO):
    """Takes text, as a command's output does."""

    def write(self, text: Any) -> int:
        return super().write(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("path", ["/api/detect/", "/api/segment/"])
def test_an_answer_is_what_the_document_says(
    token_api: APIClient, engine: FakeEngine, path: str
) -> None:
    from detector.api.serializers import DetectionResultSerializer

    file = SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")
    answer = json.loads(token_api.post(path, {"image": file}, format="multipart").content)
    described = DetectionResultSerializer(data=answer)
    assert described.is_valid(), described.errors
    assert set(answer) <= set(DetectionResultSerializer().fields)
    objects = DetectionResultSerializer().fields["objects"].child.fields
    assert set(answer["objects"][0]) <= set(objects)


@pytest.mark.django_db(transaction=True)
def test_what_a_job_found_is_seen_through_the_api(
    api: APIClient, user: Any, engine: FakeEngine, session: DetectionSession
) -> None:
    again = run_job(
        create_session(owner=user, upload=session.upload, options=parse_options(task="detect"))
    )
    body = api.get(f"/api/sessions/{again.pk}/").json()
    assert (body["status"], body["object_count"], body["progress"]) == ("done", 3, 1.0)
    assert body["class_counts"] == {"person": 2, "dog": 1}

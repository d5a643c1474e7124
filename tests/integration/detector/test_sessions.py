"""The life of a session: made, run, cancelled, run again, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError

from common.jobs.services import cancel_job
from common.models import Job, Upload
from common.uploads.services import store_picture
from detector.errors import DetectorError, SessionConflictError
from detector.models import DetectedObject, DetectionSession
from detector.services import events
from detector.services.examples import create_example_session
from detector.services.options import parse_options
from detector.services.sessions import (
    cancel_session,
    clean_name,
    create_session,
    delete_session,
    delete_sessions,
    rename_session,
    rerun_session,
    retry_session,
)
from tests.integration.detector.conftest import FakeEngine, make_session, picture, run_job
from vision.errors import VisionError
from vision.structures import Priority

pytestmark = pytest.mark.django_db(transaction=True)


def queue(owner: Any, data: bytes | None = None, **options: Any) -> DetectionSession:
    upload = store_picture(owner=owner, data=data or picture(), name="yard.jpg")
    return create_session(
        owner=owner, upload=upload, options=parse_options(**{"task": "detect", **options})
    )


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was sent to the pages."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        events, "publish", lambda group, payload: sent.append({"group": group, **payload})
    )
    return sent


def test_a_new_session_waits_with_its_options(user: Any) -> None:
    session = queue(user, classes="dog", confidence="0.4", model="yolov8n-seg")
    assert session.status == "queued"
    assert session.name == "yard.jpg"
    assert session.requested_model == "yolov8n-seg"
    assert (session.confidence, session.classes) == (0.4, ["dog"])
    assert session.job is not None
    assert session.job.payload == {"session": str(session.pk)}


def test_the_job_stores_what_the_engine_finds(user: Any, engine: FakeEngine) -> None:
    session = run_job(queue(user, task="segment"))
    assert session.status == "done"
    assert session.object_count == 3
    assert session.class_counts == {"person": 2, "dog": 1}
    assert session.model == "yolov8n-seg"
    assert session.timings_ms["total"] >= session.timings_ms["decode"] > 0
    assert session.finished_at is not None
    objects = list(session.detected_objects.order_by("index"))
    assert [item.class_name for item in objects] == ["person", "dog", "person"]
    assert (objects[1].x, objects[1].width) == pytest.approx((60.5, 59.5))
    assert objects[0].mask["size"] == [120, 160]
    assert engine.calls[0]["priority"] == Priority.BATCH


def test_running_a_job_twice_leaves_one_result(user: Any, engine: FakeEngine) -> None:
    session = run_job(queue(user))
    Job.objects.filter(pk=session.job_id).update(state=Job.State.QUEUED, attempt=0)
    session = run_job(session)
    assert session.object_count == DetectedObject.objects.count() == 3


def test_an_attempt_that_lost_its_job_writes_nothing(user: Any, engine: FakeEngine) -> None:
    session = queue(user)

    def claim_for_another() -> None:
        Job.objects.filter(pk=session.job_id).update(attempt=2, worker="another")

    engine.before = claim_for_another
    session = run_job(session)
    assert session.object_count == DetectedObject.objects.count() == 0
    assert session.finished_at is None


def test_a_session_that_is_deleted_while_it_runs_stays_deleted(
    user: Any, engine: FakeEngine
) -> None:
    session = queue(user)
    engine.before = lambda: delete_session(session=DetectionSession.objects.get(pk=session.pk))
    from common.jobs.runner import execute_job

    execute_job(session.job_id)
    assert not DetectionSession.objects.exists()
    assert not DetectedObject.objects.exists()
    assert not Job.objects.exists()
    assert not Upload.objects.exists()


def test_a_renamed_session_keeps_its_name_when_the_job_ends(user: Any, engine: FakeEngine) -> None:
    session = queue(user)
    engine.before = lambda: (
        rename_session(session=DetectionSession.objects.get(pk=session.pk), name="garden") and None
    )
    assert run_job(session).name == "garden"


def test_a_picture_that_is_gone_fails_with_its_reason_and_can_be_retried(
    user: Any, engine: FakeEngine
) -> None:
    session = queue(user)
    content = session.upload.file.read()
    name = session.upload.file.name
    session.upload.file.storage.delete(name)
    session = run_job(session)
    assert session.status == "failed"
    assert session.job is not None
    assert session.job.error_code == "picture_missing"
    assert session.job.error_message

    with session.upload.file.storage.open(name, "wb") as file:
        file.write(content)
    assert retry_session(session=session).status == "queued"
    assert run_job(session).object_count == 3


def test_a_picture_that_is_damaged_on_disk_fails_with_its_reason(
    user: Any, engine: FakeEngine
) -> None:
    session = queue(user)
    with session.upload.file.storage.open(session.upload.file.name, "wb") as file:
        file.write(b"not a picture")
    session = run_job(session)
    assert session.job is not None
    assert (session.status, session.job.error_code) == ("failed", "not_a_picture")


def test_an_engine_that_cannot_answer_is_named(user: Any, engine: FakeEngine) -> None:
    engine.error = VisionError("export_failed", "The network could not be exported.")
    session = run_job(queue(user))
    assert session.job is not None
    assert session.job.error_code == "export_failed"


def test_a_fallback_is_noted_on_the_session(user: Any, engine: FakeEngine) -> None:
    engine.model, engine.reason = "opencv-fallback", "No weights."
    session = run_job(queue(user))
    assert session.model == "opencv-fallback"
    assert session.is_fallback
    assert "No weights." in session.notice


def test_progress_is_published_to_the_owner(
    user: Any, engine: FakeEngine, published: list[dict[str, Any]], monkeypatch: Any
) -> None:
    monkeypatch.setattr("common.jobs.context.WRITE_INTERVAL", 0.0)
    session = run_job(queue(user))
    assert {entry["group"] for entry in published} == {f"user.{user.pk}"}
    assert {entry["id"] for entry in published} == {str(session.pk)}
    assert [entry["status"] for entry in published if entry["status"] != "running"] == [
        "queued",
        "done",
    ]
    messages = [entry["message"] for entry in published]
    assert messages.index("Finding objects") < messages.index("Saving")
    assert published[0]["object_count"] is None
    assert published[-1]["object_count"] == 3
    assert published[-1]["progress"] == 1.0


def test_a_failure_is_published_with_its_reason(
    user: Any, engine: FakeEngine, published: list[dict[str, Any]]
) -> None:
    engine.error = VisionError("export_failed", "The network could not be exported.")
    run_job(queue(user))
    assert published[-1]["error"] == {
        "code": "export_failed",
        "message": "The network could not be exported.",
    }


def test_a_queued_session_is_cancelled_at_once(user: Any) -> None:
    session = cancel_session(session=queue(user))
    assert session.status == "cancelled"
    with pytest.raises(SessionConflictError):
        cancel_session(session=session)
    assert retry_session(session=session).status == "queued"


def test_a_running_session_is_cancelled_at_its_next_step(user: Any, engine: FakeEngine) -> None:
    session = queue(user)
    engine.before = lambda: cancel_job(job=Job.objects.get(pk=session.job_id)) and None
    session = run_job(session)
    assert session.status == "cancelled"
    assert session.object_count == 0


def test_a_finished_session_cannot_be_retried_but_run_again(user: Any, engine: FakeEngine) -> None:
    session = run_job(queue(user))
    with pytest.raises(SessionConflictError) as caught:
        retry_session(session=session)
    assert caught.value.status == 409
    again = rerun_session(
        session=session, owner=user, options=parse_options(task="segment", confidence=0.6)
    )
    assert again.upload_id == session.upload_id
    assert run_job(again).object_count == 2


def test_the_picture_goes_with_its_last_session(user: Any, engine: FakeEngine) -> None:
    first = make_session(user)
    second = rerun_session(session=first, owner=user, options=parse_options(task="detect"))
    storage, name = first.upload.file.storage, first.upload.file.name
    thumbnail = first.upload.thumbnail.name
    delete_session(session=first)
    assert storage.exists(name)
    assert Upload.objects.count() == 1
    delete_session(session=second)
    assert not Upload.objects.exists()
    assert not Job.objects.exists()
    assert not storage.exists(name)
    assert not storage.exists(thumbnail)


def test_deleting_is_published(user: Any, published: list[dict[str, Any]]) -> None:
    session = make_session(user)
    published.clear()
    session_id = str(session.pk)
    delete_session(session=session)
    assert published == [{"group": f"user.{user.pk}", "type": "session.deleted", "id": session_id}]


def test_two_deletions_at_once_are_one(user: Any) -> None:
    session = queue(user)
    stale = DetectionSession.objects.select_related("job").get(pk=session.pk)
    delete_session(session=session)
    delete_session(session=stale)
    assert not DetectionSession.objects.exists()
    assert not Job.objects.exists()


def test_a_session_that_is_deleted_meanwhile_is_no_crash(user: Any) -> None:
    session = queue(user)
    stale = DetectionSession.objects.select_related("job").get(pk=session.pk)
    delete_session(session=session)
    with pytest.raises(DetectorError) as caught:
        rename_session(session=stale, name="garden")
    assert caught.value.status == 404
    with pytest.raises(SessionConflictError):
        cancel_session(session=stale)


@pytest.mark.parametrize("path", ["/api/sessions/", "/sessions/create/", "/sessions/example/"])
def test_a_picture_whose_session_cannot_be_stored_is_not_kept(
    signed_in: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def locked(**_: Any) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr("detector.services.sessions.enqueue_job", locked)
    signed_in.raise_request_exception = False
    file = SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")
    assert signed_in.post(path, {"image": file}).status_code == 500
    assert not Upload.objects.exists()
    assert not [entry for entry in settings.MEDIA_ROOT.rglob("*") if entry.is_file()]


def test_many_are_deleted_but_only_ones_own(user: Any, other_user: Any) -> None:
    mine = [make_session(user) for _ in range(3)]
    theirs = make_session(other_user)
    ids = [session.pk for session in mine[:2]] + [theirs.pk]
    assert delete_sessions(user=user, ids=ids) == 2
    assert set(DetectionSession.objects.values_list("pk", flat=True)) == {mine[2].pk, theirs.pk}


def test_a_rerun_of_a_deleted_picture_is_refused(user: Any) -> None:
    session = make_session(user)
    stale = DetectionSession.objects.select_related("upload").get(pk=session.pk)
    delete_session(session=session)
    with pytest.raises(DetectorError) as caught:
        rerun_session(session=stale, owner=user, options=parse_options(task="detect"))
    assert caught.value.code == "not_found"
    assert not Job.objects.exists()


def test_deleting_an_account_deletes_its_sessions(user: Any) -> None:
    make_session(user)
    queue(user)
    get_user_model().objects.get(pk=user.pk).delete()
    assert not DetectionSession.objects.exists()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  a\tb\n c ", "a b c"),
        ("‮evil", "evil"),
        ("\x00", ""),
        ("x" * 300, "x" * 200),
        ("Žluťoučký kůň 🐎", "Žluťoučký kůň 🐎"),
    ],
)
def test_names_are_one_printable_line(given: str, kept: str) -> None:
    assert clean_name(given) == kept


@pytest.mark.parametrize("name", ["", " \n", "\x00", "x" * 201])
def test_a_name_that_is_none_is_refused(user: Any, name: str) -> None:
    with pytest.raises(DetectorError) as caught:
        rename_session(session=make_session(user), name=name)
    assert "name" in caught.value.fields


def test_the_example_is_a_session_like_any_other(user: Any) -> None:
    session = create_example_session(owner=user)
    assert session.source == "example"
    assert (session.upload.width, session.upload.height) == (810, 1080)
    assert session.status == "queued"

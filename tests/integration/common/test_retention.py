"""What is older than it may be goes; what is in use, shared or young stays; orphans go, too."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from common.jobs.errors import JobCancelled
from common.jobs.runner import execute_job
from common.models import AuditEntry, Job, RetentionPolicy, Upload
from common.storage import orphans, retention
from common.storage.selectors import current_policy, next_expiry
from common.storage.services import (
    cleanup_if_due,
    request_cleanup,
    run_cleanup,
    set_retention,
)
from common.uploads.services import store_picture
from detector.errors import SessionConflictError
from detector.models import DetectionSession
from detector.services.options import parse_options
from detector.services.sessions import create_session, delete_session
from integration.conftest import make_picture, make_user
from integration.detector.conftest import make_session

pytestmark = pytest.mark.django_db(transaction=True)


def age(session: DetectionSession, days: float) -> DetectionSession:
    """Make a session and its picture older."""
    made = timezone.now() - timedelta(days=days)
    DetectionSession.objects.filter(pk=session.pk).update(created_at=made)
    Upload.objects.filter(pk=session.upload_id).update(created_at=made)
    session.refresh_from_db()
    return session


@pytest.fixture
def old(user: Any) -> DetectionSession:
    return age(make_session(user, name="old.jpg"), 40)


@pytest.fixture
def young(user: Any) -> DetectionSession:
    return make_session(user, name="young.jpg")


@pytest.fixture
def chief(db: None) -> Any:
    return make_user("grace", "administrator")


def keep(picture_days: int | None = None, result_days: int | None = None) -> None:
    set_retention(actor=None, picture_days=picture_days, result_days=result_days)


def test_nothing_is_deleted_unless_somebody_has_said_so(old: Any, young: Any) -> None:
    report = run_cleanup()
    assert (report["results"], report["pictures"], report["orphans"]) == (0, 0, 0)
    assert Upload.objects.filter(removed_at=None).count() == 2
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.MAINTENANCE).exists()


def test_an_old_picture_goes_and_what_was_found_in_it_stays(old: Any, young: Any) -> None:
    names = [old.upload.file.name, old.upload.thumbnail.name]
    weight = old.upload.size + old.upload.thumbnail_size
    keep(picture_days=30)
    expected = next_expiry(picture_days=30, result_days=None)
    assert (expected.pictures, expected.bytes, expected.results) == (1, weight, 0)
    report = run_cleanup()
    assert (report["pictures"], report["bytes"], report["results"]) == (1, weight, 0)
    assert not any(default_storage.exists(name) for name in names)
    old.refresh_from_db()
    assert old.upload.removed_at is not None
    assert (old.object_count, old.detected_objects.count()) == (3, 3)
    assert default_storage.exists(young.upload.file.name)
    assert run_cleanup()["pictures"] == 0  # once is enough
    entry = AuditEntry.objects.get(action=AuditEntry.Action.MAINTENANCE)
    assert (entry.details["pictures"], entry.actor_name) == (1, "")


def test_old_results_go_with_their_pictures(old: Any, young: Any) -> None:
    name = old.upload.file.name
    keep(result_days=30)
    expected = next_expiry(picture_days=None, result_days=30)
    assert (expected.pictures, expected.results) == (1, 1)
    report = run_cleanup()
    assert (report["results"], report["pictures"]) == (1, 0)
    assert list(DetectionSession.objects.all()) == [young]
    assert not default_storage.exists(name)


def test_a_picture_stays_with_the_youngest_session_on_it(user: Any, old: Any) -> None:
    again = make_session(user, upload=old.upload, name="again")
    keep(result_days=30)
    assert next_expiry(picture_days=None, result_days=30).pictures == 0
    run_cleanup()
    assert list(DetectionSession.objects.all()) == [again]
    assert default_storage.exists(again.upload.file.name)


@pytest.mark.parametrize("state", [Job.State.QUEUED, Job.State.RUNNING])
def test_what_is_being_worked_on_is_left_alone(user: Any, old: Any, state: str) -> None:
    made = create_session(owner=user, upload=old.upload, options=parse_options(task="detect"))
    Job.objects.filter(pk=made.job_id).update(state=state)
    age(made, 40)
    keep(picture_days=1, result_days=2)
    run_cleanup()
    assert list(DetectionSession.objects.all()) == [made]
    assert default_storage.exists(made.upload.file.name)


def test_a_run_that_breaks_off_goes_on_where_it_was(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(7):
        age(make_session(user, name=str(number)), 40 + number)
    keep(picture_days=30)
    calls = []

    def stop(progress: float, message: str) -> None:
        calls.append(progress)
        if len(calls) == 3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_cleanup(checkpoint=stop)
    assert Upload.objects.exclude(removed_at=None).count() == 4
    assert run_cleanup()["pictures"] == 3


def all_at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do each in a thread of its own, with its own connection, and return what they return."""
    start = threading.Barrier(len(acts))

    def in_thread(act: Callable[[], Any]) -> Any:
        try:
            start.wait()
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(in_thread, act) for act in acts]]


def test_deletions_reruns_and_runs_at_the_same_time_leave_nothing_broken(user: Any) -> None:
    for number in range(12):
        age(make_session(user, name=str(number)), 40)
    sessions = list(DetectionSession.objects.select_related("upload", "job", "owner"))
    keep(picture_days=30, result_days=35)
    options = parse_options(task="detect")
    refused: list[str] = []

    def delete() -> None:
        for session in sessions[::2]:
            delete_session(session=session)

    def rerun() -> None:
        for session in sessions[::3]:
            try:
                create_session(owner=user, upload=session.upload, options=options)
            except SessionConflictError as error:
                refused.append(error.code)

    all_at_once(delete, rerun, run_cleanup, run_cleanup)
    assert set(refused) <= {"picture_deleted", "picture_removed"}
    # Whatever came first: files and rows agree, and nothing that waits has lost its picture.
    for upload in Upload.objects.all():
        assert upload.sessions.exists()
        if upload.removed_at is None:
            assert default_storage.exists(upload.file.name)
    waiting = DetectionSession.objects.filter(job__state=Job.State.QUEUED)
    assert not waiting.exclude(upload__removed_at=None).exists()
    assert run_cleanup()["orphans"] == 0


# ------------------------------------------------------------------ what people see of it
GONE = ["picture", "picture?download=1", "thumbnail", "export/png"]


@pytest.fixture
def removed(old: Any) -> DetectionSession:
    keep(picture_days=30)
    run_cleanup()
    old.refresh_from_db()
    return old


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=9999-"}])
@pytest.mark.parametrize("path", GONE)
def test_a_removed_picture_is_410_on_the_pages(
    signed_in: Client, removed: Any, path: str, headers: dict[str, str]
) -> None:
    answer = signed_in.get(f"/sessions/{removed.pk}/{path}", headers=headers)
    assert answer.status_code == 410
    error = answer.json()["error"]
    assert error["code"] == "picture_removed"
    assert "after 40 days" in error["message"]


@pytest.mark.parametrize("path", ["picture/", "thumbnail/", "export/?format=png"])
def test_a_removed_picture_is_410_over_rest(api: APIClient, removed: Any, path: str) -> None:
    answer = api.get(f"/api/sessions/{removed.pk}/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "picture_removed")


def test_a_strangers_removed_picture_is_still_404(removed: Any, other_user: Any) -> None:
    client = APIClient()
    client.force_authenticate(other_user)
    assert client.get(f"/api/sessions/{removed.pk}/picture/").status_code == 404


def test_a_session_without_its_picture_still_tells_all(api: APIClient, removed: Any) -> None:
    session = api.get(f"/api/sessions/{removed.pk}/").json()
    assert session["image"]["removed_at"]
    assert session["object_count"] == 3
    for form in ("json", "coco", "yolo", "csv"):
        answer = api.get(f"/api/sessions/{removed.pk}/export/?format={form}")
        assert answer.status_code == 200
    answer = api.post(f"/api/sessions/{removed.pk}/rerun/", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "picture_removed")


def test_its_page_and_card_say_so(signed_in: Client, removed: Any) -> None:
    page = signed_in.get(f"/sessions/{removed.pk}/").content.decode()
    assert "after 40 days; what was found in it is kept." in page
    assert 'data-open="rerun-dialog"' not in page
    assert f'src="/sessions/{removed.pk}/picture' not in page
    cards = signed_in.get("/sessions/").content.decode()
    assert "The picture was removed" in cards
    assert f"/sessions/{removed.pk}/thumbnail" not in cards


def test_a_failed_session_without_its_picture_is_not_retried(
    api: APIClient, user: Any, old: Any
) -> None:
    failed = create_session(owner=user, upload=old.upload, options=parse_options(task="detect"))
    Job.objects.filter(pk=failed.job_id).update(state=Job.State.FAILED)
    keep(picture_days=30)
    run_cleanup()
    answer = api.post(f"/api/sessions/{failed.pk}/retry/", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "picture_removed")


def test_a_job_that_comes_too_late_says_why(user: Any, old: Any) -> None:
    late = create_session(owner=user, upload=old.upload, options=parse_options(task="detect"))
    Upload.objects.filter(pk=old.upload_id).update(removed_at=timezone.now(), file="", thumbnail="")
    execute_job(late.job_id)
    late.job.refresh_from_db()
    assert (late.job.state, late.job.error_code) == (Job.State.FAILED, "picture_removed")


# ------------------------------------------------------------------ orphans
def leave_behind(name: str, hours: float, content: bytes = b"left behind") -> str:
    """Store a file of a certain age that no row knows."""
    stored = default_storage.save(name, ContentFile(content))
    moment = (timezone.now() - timedelta(hours=hours)).timestamp()
    os.utime(default_storage.path(stored), (moment, moment))
    return stored


def test_files_of_nobody_go_when_they_are_old_enough(user: Any, young: Any) -> None:
    make_session(user)
    gone = [
        leave_behind("uploads/ab/lost.jpg", 2),
        leave_behind("thumbnails/half-written.tmp", 2, b""),
    ]
    fresh = leave_behind("uploads/ab/on-its-way.jpg", 0.5)
    foreign = leave_behind("other/of-somebody-else.txt", 2)
    report = run_cleanup()
    assert (report["orphans"], report["orphans_deleted"], report["orphan_bytes"]) == (2, 2, 11)
    assert not any(default_storage.exists(name) for name in gone)
    assert default_storage.exists(fresh)
    assert default_storage.exists(foreign)
    assert default_storage.exists(young.upload.file.name)


def test_an_upload_that_no_result_uses_goes(user: Any, young: Any, other_user: Any) -> None:
    make_session(other_user)
    lost = store_picture(owner=user, data=make_picture("PNG", (9, 9)), name="lost.png")
    run_cleanup()
    assert Upload.objects.filter(pk=lost.pk).exists()  # its session may be on its way
    Upload.objects.filter(pk=lost.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert run_cleanup()["orphans_deleted"] == 2
    assert not Upload.objects.filter(pk=lost.pk).exists()
    assert not default_storage.exists(lost.file.name)


def test_more_than_half_of_all_files_is_never_deleted(
    user: Any, young: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lost = [leave_behind(f"uploads/aa/{number}.jpg", 5) for number in range(3)]
    report = run_cleanup()
    assert (report["orphans"], report["files"]) == (3, 5)
    assert (report["orphans_refused"], report["orphans_deleted"]) == (True, 0)
    assert all(default_storage.exists(name) for name in lost)
    assert "more than half" in caplog.text
    assert report["bytes"] == 0
    default_storage.delete(lost[0])
    assert run_cleanup()["orphans_deleted"] == 2  # exactly half is allowed


def test_a_lost_database_does_not_take_the_pictures_along(user: Any, young: Any) -> None:
    names = [young.upload.file.name, young.upload.thumbnail.name]
    for name in names:
        moment = (timezone.now() - timedelta(days=1)).timestamp()
        os.utime(default_storage.path(name), (moment, moment))
    DetectionSession.objects.all().delete()
    Upload.objects.filter(pk=young.upload_id)._raw_delete("default")  # type: ignore[attr-defined]
    assert run_cleanup()["orphans_refused"]
    assert all(default_storage.exists(name) for name in names)


def test_a_row_that_lost_its_file_is_reported_and_kept(
    young: Any, caplog: pytest.LogCaptureFixture
) -> None:
    default_storage.delete(young.upload.file.name)
    with caplog.at_level(logging.WARNING):
        report = run_cleanup()
    assert report["missing"] == 1
    assert str(young.upload_id) in caplog.text
    assert DetectionSession.objects.filter(pk=young.pk).exists()


def test_an_empty_storage_is_fine() -> None:
    report = run_cleanup()
    assert (report["files"], report["orphans"], report["orphans_refused"]) == (0, 0, False)


def test_files_that_come_while_they_are_listed_are_safe(
    user: Any, young: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = orphans.walk
    made = []

    def walk_and_store(storage: Any, folder: str) -> Any:
        yield from walk(storage, folder)
        made.append(make_session(user))

    monkeypatch.setattr(orphans, "walk", walk_and_store)
    report = run_cleanup()
    assert (report["orphans"], report["missing"]) == (0, 0)
    assert all(default_storage.exists(session.upload.file.name) for session in made)


# ------------------------------------------------------------------ when it runs
def test_it_is_due_once_an_hour_for_one_of_many(chief: Any) -> None:
    assert not cleanup_if_due()  # the first run is an hour after the first start
    past = timezone.now() - timedelta(minutes=61)
    RetentionPolicy.objects.update(last_run_at=past)
    assert sum(all_at_once(*[cleanup_if_due] * 4)) == 1
    job = Job.objects.get()
    assert (job.kind, job.queue, job.owner) == ("common.cleanup", "default", chief)
    execute_job(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert current_policy().last_run["files"] == 0


def test_without_an_administrator_it_is_done_on_the_spot() -> None:
    current_policy()
    RetentionPolicy.objects.update(last_run_at=None)
    assert cleanup_if_due()
    assert current_policy().last_run["orphans"] == 0
    assert not Job.objects.exists()


def test_asking_twice_queues_one_run(chief: Any) -> None:
    first = request_cleanup(actor=chief)
    assert request_cleanup(actor=chief) == first
    execute_job(first.pk)
    entry = AuditEntry.objects.get(action=AuditEntry.Action.MAINTENANCE)
    assert entry.actor_name == "grace"
    assert request_cleanup(actor=chief) != first


def test_the_list_of_past_runs_does_not_grow_for_ever(chief: Any) -> None:
    job = request_cleanup(actor=chief)
    execute_job(job.pk)
    Job.objects.update(finished_at=timezone.now() - timedelta(days=8))
    run_cleanup()
    assert not Job.objects.exists()


def test_thumbnails_of_older_versions_are_weighed(young: Any) -> None:
    weight = young.upload.thumbnail_size
    Upload.objects.update(thumbnail_size=0)
    run_cleanup()
    assert Upload.objects.get().thumbnail_size == weight == young.upload.thumbnail.size > 0


def test_the_command_tells_what_it_did(old: Any, capsys: Any, tmp_path: Path) -> None:
    keep(picture_days=30)
    call_command("cleanup")
    assert "1 pictures removed" in capsys.readouterr().out

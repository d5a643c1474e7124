"""The storage page and its API: what is weighed, who sees it, and what is set there."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from common.jobs.runner import execute_job
from common.models import AuditEntry, Job, Upload
from common.storage import views
from common.storage.selectors import TOP_OWNERS, cutoff, latest_cleanup, own_use, total_usage
from common.storage.services import set_retention
from integration.conftest import make_user
from integration.detector.conftest import make_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(make_user("grace", "administrator"))
    return client


@pytest.fixture
def chief_api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("hedy", "administrator"))
    return client


def make_uploads(owner: Any, number: int, size: int, *, days: float = 0) -> None:
    Upload.objects.bulk_create(
        Upload(
            owner=owner,
            file=f"uploads/aa/{owner.pk}-{index}.jpg",
            thumbnail=f"thumbnails/aa/{owner.pk}-{index}.jpg",
            name="a.jpg",
            sha256="0" * 64,
            size=size,
            thumbnail_size=10,
            media_type="image/jpeg",
            width=1,
            height=1,
            created_at=timezone.now() - timedelta(days=days),
        )
        for index in range(number)
    )


def test_everything_is_weighed_by_kind_and_owner(user: Any, other_user: Any, settings: Any) -> None:
    make_uploads(user, 3, 1000)
    make_uploads(other_user, 1, 500, days=60)
    Upload.objects.filter(owner=user).first()
    usage = total_usage()
    assert usage.kinds["pictures"] == 3500
    assert usage.kinds["thumbnails"] == 40
    assert usage.kinds["database"] > 10_000
    assert usage.total == sum(usage.kinds.values())
    assert usage.pictures == 4
    assert usage.grown == 3030
    assert [(owner.name, owner.bytes, owner.pictures) for owner in usage.owners] == [
        ("ada", 3030, 3),
        ("bob", 510, 1),
    ]
    assert sum(owner.share for owner in usage.owners) == pytest.approx(1.0)


def test_removed_pictures_weigh_nothing(user: Any) -> None:
    make_uploads(user, 2, 1000)
    Upload.objects.filter(pk=Upload.objects.first().pk).update(removed_at=timezone.now())
    assert total_usage().kinds["pictures"] == 1000
    assert own_use(user) == {"bytes": 1010, "pictures": 1}


def test_folders_are_weighed(settings: Any, tmp_path: Any, db: None) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.MODELS_DIR = settings.DATA_DIR / "models"
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    sizes = {"models/deep/a.bin": 700, "backups/b.tar": 50, "secrets.json": 9, "media/x": 4000}
    for name, size in sizes.items():
        path = settings.DATA_DIR / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    kinds = total_usage().kinds
    assert (kinds["models"], kinds["backups"], kinds["other"]) == (700, 50, 9)


def test_an_empty_installation_has_a_page(chief: Client) -> None:
    text = chief.get("/storage/").content.decode()
    assert "No pictures yet" in text
    assert "Everything is kept for ever." in text
    assert "It has not run yet." in text


def test_the_page_takes_the_same_queries_however_many_owners(chief: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert chief.get("/storage/").status_code == 200
        return len(seen)

    make_uploads(make_user("first"), 1, 10)
    chief.get("/storage/")  # the first one makes the policy
    few = queries()
    for number in range(TOP_OWNERS + 5):
        make_uploads(make_user(f"u{number}"), 2, 100 + number)
    assert queries() == few
    assert len(total_usage().owners) == TOP_OWNERS


FORBIDDEN = [
    ("get", "/storage/"),
    ("get", "/storage/preview/"),
    ("get", "/storage/run/"),
    ("post", "/storage/retention/"),
    ("post", "/storage/cleanup/"),
    ("get", "/api/storage/retention/"),
    ("patch", "/api/storage/retention/"),
]


@pytest.mark.parametrize(("method", "path"), FORBIDDEN)
@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_it_is_for_administrators(client: Client, role: str, method: str, path: str) -> None:
    client.force_login(make_user("mallory", role))
    assert getattr(client, method)(path).status_code == 403
    client.logout()
    assert getattr(client, method)(path).status_code in (302, 401)
    assert not Job.objects.exists()


def test_days_are_saved_and_written_down(chief: Client) -> None:
    answer = chief.post("/storage/retention/", {"picture_days": "30", "result_days": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/storage/")
    entry = AuditEntry.objects.get(action=AuditEntry.Action.SETTINGS)
    assert entry.actor_name == "grace"
    assert entry.details == {
        "before": {"picture_days": None, "result_days": None},
        "after": {"picture_days": 30, "result_days": None},
    }
    chief.post("/storage/retention/", {"picture_days": "30"})
    assert AuditEntry.objects.filter(action=AuditEntry.Action.SETTINGS).count() == 1
    assert 'value="30"' in chief.get("/storage/").content.decode()


BAD_DAYS = ["0", "-1", "1.5", "abc", "99999999999999999999", "36501"]


@pytest.mark.parametrize("days", BAD_DAYS)
def test_days_that_are_none_are_refused(chief: Client, chief_api: APIClient, days: str) -> None:
    answer = chief.post("/storage/retention/", {"picture_days": days})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()
    assert chief.get("/storage/preview/", {"picture_days": days}).status_code == 200
    answer = chief_api.patch("/api/storage/retention/", {"picture_days": days})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["picture_days"])


def test_pictures_cannot_be_kept_longer_than_results(chief_api: APIClient) -> None:
    answer = chief_api.patch("/api/storage/retention/", {"picture_days": 9, "result_days": 3})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["picture_days"])


def test_the_preview_counts_before_anything_is_saved(chief: Client, user: Any) -> None:
    session = make_session(user)
    Upload.objects.update(created_at=cutoff(10))
    text = chief.get("/storage/preview/", {"picture_days": "9"}).content.decode()
    assert "1 picture<" in text
    text = chief.get("/storage/preview/", {"picture_days": "11"}).content.decode()
    assert "delete nothing" in text
    type(session).objects.update(created_at=cutoff(10))
    text = chief.get("/storage/preview/", {"result_days": "9"}).content.decode()
    assert "1 picture<" in text
    assert "1 session<" in text


def test_a_run_is_queued_and_told_about(chief: Client) -> None:
    answer = chief.post("/storage/cleanup/", follow=True)
    assert "Waiting for a worker" in answer.content.decode()
    job = Job.objects.get()
    execute_job(job.pk)
    text = chief.get("/storage/run/").content.decode()
    assert "Last run" in text
    assert "hx-get" not in text  # it is over: nobody asks again


REPORTS = [
    ({"orphans_refused": True, "orphans": 7, "files": 9}, "7 of 9 stored files"),
    ({"missing": 2}, "2 pictures cannot be found"),
]


@pytest.mark.parametrize(("found", "words"), REPORTS)
def test_what_was_found_is_said(chief: Client, found: dict[str, Any], words: str) -> None:
    policy = set_retention(actor=None, picture_days=None, result_days=None)
    policy.last_run = {"began_at": timezone.now().isoformat(), "bytes": 0, **found}
    policy.save()
    text = re.sub(r"\s+", " ", chief.get("/storage/").content.decode())
    assert words in text


def test_rest_tells_everybody_of_their_own(api: APIClient, user: Any, other_user: Any) -> None:
    make_uploads(user, 2, 90)
    make_uploads(other_user, 5, 900)
    answer = api.get("/api/storage/").json()
    assert answer == {"own": {"bytes": 200, "pictures": 2}, "installation": None}


def test_rest_tells_administrators_of_all(chief_api: APIClient, user: Any) -> None:
    make_uploads(user, 2, 90)
    answer = chief_api.get("/api/storage/").json()
    assert answer["own"] == {"bytes": 0, "pictures": 0}
    everything = answer["installation"]
    assert everything["kinds"]["pictures"] == 180
    assert everything["total"] == sum(everything["kinds"].values())
    assert everything["owners"][0] == {"name": "ada", "bytes": 200, "pictures": 2, "share": 1.0}
    assert everything["disk"]["total"] > everything["disk"]["free"] > 0


def test_rest_sets_one_and_leaves_the_other(chief_api: APIClient) -> None:
    first = chief_api.patch("/api/storage/retention/", {"result_days": 90}).json()
    assert (first["picture_days"], first["result_days"]) == (None, 90)
    second = chief_api.patch("/api/storage/retention/", {"picture_days": 30}).json()
    assert (second["picture_days"], second["result_days"]) == (30, 90)
    third = chief_api.patch("/api/storage/retention/", {"result_days": None}).json()
    assert (third["picture_days"], third["result_days"]) == (30, None)
    assert third["next"] == {"pictures": 0, "bytes": 0, "results": 0}
    assert third["last_run"] is None
    assert json.dumps(chief_api.get("/api/storage/retention/").json()) == json.dumps(third)


@pytest.mark.parametrize("address", ["/storage/", "/storage/run/"])
def test_a_run_that_ends_while_the_page_is_made_is_told_of(
    chief: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    chief.post("/storage/cleanup/")

    def ends_now() -> Job | None:
        execute_job(Job.objects.get().pk)
        return latest_cleanup()

    monkeypatch.setattr(views, "latest_cleanup", ends_now)
    page = chief.get(address).content.decode()
    assert "Pictures removed" in page
    assert "It has not run yet" not in page

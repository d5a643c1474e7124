"""The page of an import: queued, followed, cancelled, reported."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from common.models import Job
from recognition.services.importing import JOB_KIND
from tests.integration.recognition.conftest import JSON

pytestmark = pytest.mark.django_db


def test_an_import_is_queued_and_its_page_tells_of_it(signed_in: Client, jpeg: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Ada/1.jpg", jpeg)
    file = SimpleUploadedFile("people.zip", buffer.getvalue(), content_type="application/zip")
    made = signed_in.post("/people/import/", {"file": file, "kind": "staff"}, **JSON)
    assert made.status_code == 201, made.content
    text = signed_in.get(made.json()["url"]).content.decode()
    assert "Waiting for a worker" in text
    assert 'hx-trigger="every 1s"' in text
    signed_in.post(made.json()["url"] + "cancel/")
    assert Job.objects.get().state == Job.State.CANCELLED


def test_an_import_that_ended_shows_its_report(signed_in: Client, user: Any) -> None:
    report = {
        **{"people": 2, "done": 2, "pictures": 5, "added": 1, "known": 1, "samples": 3},
        **{"already": 1, "more": 4},
        "refused": [{"name": "<Ada>/2.jpg", "code": "no_face", "message": "There is no face."}],
    }
    job = Job.objects.create(
        kind=JOB_KIND, owner=user, state="done", progress=1.0, payload={"report": report}
    )
    text = signed_in.get(f"/people/import/{job.pk}/").content.decode()
    for part in ("2 of 2: 1 new, 1 known before", "&lt;Ada&gt;/2.jpg", "and 4 more"):
        assert part in text
    assert "hx-trigger" not in text


def test_other_jobs_are_no_imports(signed_in: Client, user: Any, other_user: Any) -> None:
    other = Job.objects.create(kind="detector.detect", owner=user)
    theirs = Job.objects.create(kind=JOB_KIND, owner=other_user)
    for job in (other, theirs):
        assert signed_in.get(f"/people/import/{job.pk}/").status_code == 404
        signed_in.post(f"/people/import/{job.pk}/cancel/")
        job.refresh_from_db()
        assert job.state == Job.State.QUEUED


@pytest.mark.parametrize("name", ["people.zip", "nothing"])
def test_what_is_no_zip_is_refused(signed_in: Client, name: str) -> None:
    file = {"file": SimpleUploadedFile(name, b"PK nothing")} if name != "nothing" else {}
    refused = signed_in.post("/people/import/", {**file, "kind": "customer"}, **JSON)
    assert 400 <= refused.status_code < 500
    assert refused.json()["error"]["message"]
    assert not Job.objects.exists()

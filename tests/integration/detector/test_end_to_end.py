"""Through the whole house: REST in, the real worker, the real engine, REST out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from common.inference import get_engine
from common.models import Job
from detector.models import DetectionSession
from tests.integration.conftest import wait_for_job
from tests.integration.detector.conftest import picture
from vision.sources.examples import find_example

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def warm_engine(real_engine: None) -> None:
    """The real engine with its models loaded: a first export takes longer than a job may."""
    for model in ("yolov8n", "yolov8n-seg"):
        get_engine().describe(model)


def test_a_queued_picture_is_done_by_the_worker(
    worker: Any, warm_engine: None, api: APIClient
) -> None:
    example = find_example()
    assert example is not None
    file = SimpleUploadedFile("bus.jpg", example.read_bytes(), "image/jpeg")
    body = api.post("/api/sessions/", {"image": file, "task": "segment"}, format="multipart").json()
    job = wait_for_job(Job.objects.get(pk=body["job"]))
    assert job.state == Job.State.DONE, job.error_message
    done = api.get(f"/api/sessions/{body['id']}/").json()
    assert done["status"] == "done"
    assert done["object_count"] == len(
        api.get(f"/api/sessions/{body['id']}/objects/").json()["results"]
    )
    assert done["model"] in ("yolov8n-seg", "opencv-fallback")
    if done["model"] == "yolov8n-seg":
        assert done["class_counts"]["person"] >= 3
        assert done["class_counts"]["bus"] == 1
    else:
        assert done["notice"]


def test_many_pictures_are_done_one_after_the_other(
    worker: Any, warm_engine: None, api: APIClient
) -> None:
    bodies = []
    for number in range(6):
        file = SimpleUploadedFile(f"{number}.jpg", picture(), "image/jpeg")
        bodies.append(api.post("/api/sessions/", {"image": file}, format="multipart").json())
    for body in bodies:
        assert wait_for_job(Job.objects.get(pk=body["job"])).state == Job.State.DONE
    assert {entry.status for entry in DetectionSession.objects.select_related("job")} == {"done"}


def test_a_session_that_failed_is_retried_through_the_api(
    worker: Any, warm_engine: None, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from detector.services import detection

    def gone(**_: Any) -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(detection, "read_upload", gone)
    file = SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")
    body = api.post("/api/sessions/", {"image": file}, format="multipart").json()
    assert wait_for_job(Job.objects.get(pk=body["job"])).state == Job.State.FAILED
    failed = api.get(f"/api/sessions/{body['id']}/").json()
    assert failed["error"]["code"] == "picture_missing"

    monkeypatch.undo()
    assert api.post(f"/api/sessions/{body['id']}/retry/").status_code == 200
    assert wait_for_job(Job.objects.get(pk=body["job"])).state == Job.State.DONE
    assert api.get(f"/api/sessions/{body['id']}/").json()["error"] is None

"""Many hands on the same sessions while the worker works on them: nobody gets a 500, and what is
left is whole."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from rest_framework.test import APIClient

from common.jobs.services import sweep_jobs
from common.models import Job, Upload
from detector.models import DetectionSession
from tests.integration.conftest import wait_until
from tests.integration.detector.conftest import FakeEngine, picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ACTS = ["cancel", "retry", "rerun", "rename", "delete", "look", "export"]


def test_many_hands_break_nothing(
    worker: Any, user: Any, engine: FakeEngine, settings: Any
) -> None:
    engine.before = lambda: time.sleep(0.005)
    answers: Counter[tuple[str, int]] = Counter()
    for _ in range(6):
        post(caller(user))

    def hand(seed: int) -> None:
        chance, api = random.Random(seed), caller(user)
        for _ in range(40):
            known = list(DetectionSession.objects.values_list("pk", flat=True))
            if len(known) < 6:
                post(api)
                continue
            name = chance.choice(ACTS)
            answers[name, act(api, name, chance.choice(known[:4]))] += 1
        connection.close()

    hands = [threading.Thread(target=hand, args=(seed,)) for seed in range(6)]
    for thread in hands:
        thread.start()
    for thread in hands:
        thread.join()
    assert {status for _, status in answers} <= {200, 201, 204, 404, 409}, answers
    check_what_is_left(settings)


def check_what_is_left(settings: Any) -> None:
    unfinished = Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
    sweep_jobs(starting=True)
    wait_until(lambda: not unfinished.exists())
    for session in DetectionSession.objects.select_related("job"):
        assert session.detected_objects.count() == (3 if session.status == "done" else 0)
    assert Job.objects.count() == DetectionSession.objects.count()
    assert not Upload.objects.filter(sessions=None).exists()
    files = [entry for entry in settings.MEDIA_ROOT.rglob("*") if entry.is_file()]
    assert len(files) == 2 * Upload.objects.count()


def caller(user: Any) -> APIClient:
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(user)
    return api


def post(api: APIClient) -> None:
    file = SimpleUploadedFile("yard.jpg", picture(), "image/jpeg")
    assert api.post("/api/sessions/", {"image": file}, format="multipart").status_code == 201


def act(api: APIClient, name: str, session_id: Any) -> int:
    path = f"/api/sessions/{session_id}/"
    if name == "look":
        return int(api.get(path).status_code)
    if name == "rename":
        return int(api.patch(path, {"name": "new"}).status_code)
    if name == "delete":
        return int(api.delete(path).status_code)
    if name == "export":
        return int(api.get(f"{path}export/").status_code)
    return int(api.post(f"{path}{name}/").status_code)

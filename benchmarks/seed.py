"""Fills a data folder with sessions: ``python -m benchmarks.seed`` in a child with its settings.

Prints, as JSON, a cookie that signs the administrator in, the session with 300 objects, and how
many queries a page of the list takes at its beginning and far down.
"""

from __future__ import annotations

import json
import os
import sys

import django

SESSIONS = 10_000
OBJECTS = 300


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    django.setup()
    from django.contrib.auth import get_user_model

    user = get_user_model().objects.get(username="admin")
    crowded = _crowded_session(user)
    _many_sessions(user, crowded)
    cookie, queries = _sign_in(user)
    json.dump({"cookie": cookie, "session": str(crowded.pk), "queries": queries}, sys.stdout)


def _crowded_session(user: object) -> object:
    import numpy as np

    from common.uploads.services import store_picture
    from detector.models import DetectedObject, DetectionSession
    from vision.encoding.images import encode_jpeg
    from vision.weights.cards import get_card

    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (67, 120, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    data = encode_jpeg(np.ascontiguousarray(picture[:1080, :1920]), 90)
    upload = store_picture(owner=user, data=data, name="crowd.jpg")
    session = DetectionSession.objects.create(
        owner=user,
        upload=upload,
        name="crowd",
        requested_model="yolov8n",
        model="yolov8n",
        object_count=OBJECTS,
    )
    names = get_card("yolov8n").classes
    rows = [
        DetectedObject(
            session=session,
            index=i,
            class_id=i % 20,
            class_name=names[i % 20],
            confidence=1 - i / 400,
            x=float(random.uniform(0, 1800)),
            y=float(random.uniform(0, 1000)),
            width=float(random.uniform(20, 120)),
            height=float(random.uniform(20, 80)),
        )
        for i in range(OBJECTS)
    ]
    DetectedObject.objects.bulk_create(rows)
    return session


def _many_sessions(user: object, like: object) -> None:
    from detector.models import DetectionSession

    made = [
        DetectionSession(
            owner=user,
            upload=like.upload,  # type: ignore[attr-defined]
            name=f"picture {number}",
            requested_model="yolov8n",
            model="yolov8n",
            object_count=number % 30,
            class_counts={"person": number % 30},
        )
        for number in range(SESSIONS)
    ]
    DetectionSession.objects.bulk_create(made, batch_size=1000)


def _sign_in(user: object) -> tuple[str, dict[str, int]]:
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    settings.ALLOWED_HOSTS.append("testserver")
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    queries = {}
    for page in ("1", "200"):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(reverse("detector:sessions"), {"page": page})
        assert answer.status_code == 200, answer.status_code
        queries[page] = len(captured)
    return client.cookies[settings.SESSION_COOKIE_NAME].value, queries


if __name__ == "__main__":
    main()

"""Asking for paintings over REST, with pictures made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from common.jobs.runner import execute_job
from common.models import Job, Upload
from styletransfer.models import Restyling, Style

PATTERN = "stained-glass"  # a slow style that comes with Sightline
FAST = "fast:candy"


def photo(width: int = 64, height: int = 48, seed: int = 0) -> bytes:
    """Return a PNG with something on it."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    large = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".png", large)[1])


def file_of(data: bytes, name: str = "harbour.png") -> SimpleUploadedFile:
    """Return bytes as a form carries them."""
    return SimpleUploadedFile(name, data, "application/octet-stream")


def ask(api: APIClient, **fields: Any) -> Any:
    """Post a form; without other wishes a small picture in a pattern, three steps at 64 pixels."""
    form = {"image": file_of(photo()), "style": PATTERN, "size": 64, "steps": 3, **fields}
    given = {name: value for name, value in form.items() if value is not None}
    return api.post("/api/style/", given, format="multipart")


def asked(api: APIClient, **fields: Any) -> dict[str, Any]:
    """Post a form that is taken, and return the painting."""
    response = ask(api, **fields)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def paint(body: dict[str, Any]) -> None:
    """Do the job of a painting here and now, as a worker would."""
    assert execute_job(body["job"])


def look(api: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    """Return a painting as it is now."""
    response = api.get(f"/api/style/{body['id']}/")
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def content_of(response: Any) -> bytes:
    """Return the bytes of an answer, streamed or not."""
    assert response.status_code in (200, 206), response
    return response.getvalue() if response.streaming else response.content


def decoded(data: bytes) -> Any:
    """Return a picture as an array."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def refusal(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check an error's shape, and return it."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"].startswith("application/json")
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "fields"}
    assert error["code"] == code, error
    assert error["message"].rstrip().endswith((".", "?", "`"))
    return error


def rows() -> tuple[int, int, int, int]:
    """Return how many paintings, uploads, jobs and styles of people there are."""
    styles = Style.objects.exclude(owner=None)
    return (
        Restyling.objects.count(),
        Upload.objects.count(),
        Job.objects.count(),
        styles.count(),
    )


def stored_files(media: Path) -> list[Path]:
    """Return every file that is kept."""
    return [entry for entry in media.rglob("*") if entry.is_file()]

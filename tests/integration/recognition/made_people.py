"""People whose faces are made up, who asks about them, and the engine that sees them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from knox.models import AuthToken
from rest_framework.test import APIClient

from common.audit.models import AuditEntry
from common.inference import set_engine_for_tests
from common.models import TokenDetails
from recognition.index import forget_index
from recognition.models import FaceSample, Profile
from recognition.services.profiles import create_profile
from recognition.services.samples import add_sample
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import FakeEngine, picture
from tests.made_faces import EMBEDDER, FakeFaces, MadeFace, face_of

QUALITY = {"size": 100.0, "sharpness": 0.8, "yaw": 0.0, "pitch": 0.0, "roll": 0.0}
PEOPLE = "/api/people/"
NOBODY = uuid.UUID(int=7)
CROP = bytes(cv2.imencode(".jpg", np.full((150, 150, 3), 120, np.uint8))[1])


@pytest.fixture
def faces() -> Iterator[FakeFaces]:
    """What the process's engine finds; nothing at first."""
    engine = FakeEngine()
    set_engine_for_tests(engine)  # type: ignore[arg-type]
    forget_index()
    yield engine.faces
    set_engine_for_tests(None)
    forget_index()


@pytest.fixture
def operator(db: None) -> APIClient:
    """A REST client of an operator."""
    return client_of(make_user("otto", "operator"))


@pytest.fixture
def administrator(db: None) -> APIClient:
    """A REST client of an administrator."""
    return client_of(make_user("anna", "administrator"))


@pytest.fixture
def viewer(db: None) -> APIClient:
    """A REST client of somebody who may only look."""
    return client_of(make_user("vera", "viewer"))


def client_of(user: Any) -> APIClient:
    """Return a REST client of somebody."""
    client = APIClient()
    client.force_authenticate(user)
    return client


def token_client(user: Any, scope: str) -> APIClient:
    """Return a REST client with a token of somebody."""
    row, token = AuthToken.objects.create(user)
    TokenDetails.objects.create(token=row, name="door", scope=scope)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def make_person(name: str, number: int | None = None, **fields: Any) -> Profile:
    """Return somebody new; with a number, one whose face is known."""
    profile = create_profile(actor=None, **{"kind": "customer", "name": name, **fields})
    if number is not None:
        add_face(profile, number)
    return profile


def add_face(profile: Profile, number: int, *, distance: float = 0.0) -> FaceSample:
    """Make a made-up face known as somebody's."""
    return add_sample(
        actor=None,
        profile=profile,
        embedding=face_of(number, distance=distance),
        model=EMBEDDER,
        crop=CROP,
        quality=QUALITY,
        source=FaceSample.Source.UPLOAD,
    )


def made(number: int, *, distance: float = 0.0, place: int = 0, flaw: str = "") -> MadeFace:
    """Return a face on a picture, at one of several places."""
    left = 10.0 + 150 * place
    box = (left, 10.0, left + 100, 130.0)
    return MadeFace(face_of(number, distance=distance), box=box, flaw=flaw)


def of(profile: Any, rest: str = "") -> str:
    """Return an address below that of somebody, who is named by their row or its id."""
    return f"{PEOPLE}{getattr(profile, 'pk', profile)}/{rest}"


def post_picture(client: APIClient, path: str, data: bytes | None = None, **fields: Any) -> Any:
    """Send a picture as a form."""
    content = picture(640, 480) if data is None else data
    file = SimpleUploadedFile("lobby.jpg", content, "image/jpeg")
    return client.post(path, {"image": file, **fields}, format="multipart")


def check_refused(response: Any, status: int, code: str) -> None:
    """Hold an answer against what it should be."""
    assert response.status_code == status, response.content
    assert response.json()["error"]["code"] == code


def lines(**lookup: Any) -> list[AuditEntry]:
    """Return lines of the audit log, the oldest first."""
    return list(AuditEntry.objects.filter(**lookup).order_by("pk"))

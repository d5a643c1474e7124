"""The pages: whose they are, and what they make of hostile names."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from detector.models import DetectionSession
from tests.integration.conftest import make_picture
from tests.integration.detector.conftest import make_session, picture

pytestmark = pytest.mark.django_db

OWN = [
    ("get", ""),
    ("get", "card/"),
    ("get", "picture"),
    ("get", "thumbnail"),
    ("get", "export/json"),
    ("get", "export/png"),
    ("post", "rename/"),
    ("post", "delete/"),
    ("post", "rerun/"),
    ("post", "cancel/"),
    ("post", "retry/"),
]
OTHERS = [
    ("get", "/"),
    ("get", "/sessions/"),
    ("get", "/sessions/new/"),
    ("post", "/sessions/create/"),
    ("post", "/sessions/example/"),
    ("post", "/sessions/delete/"),
]


@pytest.mark.parametrize(("method", "tail"), OWN)
def test_somebody_elses_session_is_not_there(
    client: Client, other_user: Any, session: DetectionSession, method: str, tail: str
) -> None:
    client.force_login(other_user)
    for session_id in (session.pk, uuid.uuid4()):
        response = getattr(client, method)(f"/sessions/{session_id}/{tail}", {"name": "mine"})
        assert response.status_code == 404
    assert DetectionSession.objects.get().name == "yard.jpg"


@pytest.mark.parametrize(
    ("method", "path"), [*OTHERS, *[(method, f"/sessions/{{}}/{tail}") for method, tail in OWN]]
)
def test_who_is_not_signed_in_is_sent_to_sign_in(
    client: Client, session: DetectionSession, method: str, path: str
) -> None:
    address = path.format(session.pk)
    response = getattr(client, method)(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")
    script = getattr(client, method)(address, headers={"Accept": "application/json"})
    assert (script.status_code, script.json()["error"]["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("tail", [tail for method, tail in OWN if method == "post"])
def test_a_foreign_form_changes_nothing(user: Any, session: DetectionSession, tail: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.post(f"/sessions/{session.pk}/{tail}", {"name": "x"}).status_code == 403
    assert DetectionSession.objects.get().name == "yard.jpg"


@pytest.mark.parametrize("tail", ["", "card/"])
def test_a_hostile_name_is_shown_and_not_run(signed_in: Client, user: Any, tail: str) -> None:
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    session = make_session(user, name="a.jpg")
    DetectionSession.objects.filter(pk=session.pk).update(name=hostile)
    for address in (f"/sessions/{session.pk}/{tail}", "/", "/sessions/"):
        content = signed_in.get(address).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x" not in content
        assert "alert(1)" in content


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_picture_may_be_kept_by_its_owner_and_run_by_nobody(
    signed_in: Client, user: Any, kind: str
) -> None:
    signed_in.post(
        "/sessions/create/", {"image": SimpleUploadedFile("a", make_picture(kind, (40, 30)))}
    )
    session = DetectionSession.objects.get()
    for part in ("picture", "thumbnail"):
        response = signed_in.get(f"/sessions/{session.pk}/{part}")
        assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"].startswith("private")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert {"Cookie", "Authorization"} <= set(response["Vary"].split(", "))
        again = signed_in.get(
            f"/sessions/{session.pk}/{part}", headers={"If-None-Match": response["ETag"]}
        )
        assert again.status_code == 304


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_and_the_home_page_ask_as_often_for_many_as_for_one(
    signed_in: Client, user: Any, count: int, django_assert_max_num_queries: Any
) -> None:
    first = make_session(user)
    for _ in range(count - 1):
        make_session(user, upload=first.upload)
    for address in ("/", "/sessions/", f"/sessions/{first.pk}/"):
        with django_assert_max_num_queries(10):  # two tell who asks: role and groups
            assert signed_in.get(address).status_code == 200


def test_a_post_without_a_picture_says_so(signed_in: Client) -> None:
    response = signed_in.post("/sessions/create/", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "missing_image")
    bad = SimpleUploadedFile("x.jpg", picture()[:500], "image/jpeg")
    response = signed_in.post(
        "/sessions/create/", {"image": bad}, headers={"Accept": "application/json"}
    )
    assert (response.status_code, response.json()["error"]["code"]) == (422, "truncated_picture")
    assert not DetectionSession.objects.exists()

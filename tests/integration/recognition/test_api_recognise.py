"""A picture in, who is on it out; and nothing of it stays."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image
from rest_framework.test import APIClient

from common.audit.models import AuditEntry
from common.inference import close_engine, set_engine_for_tests
from common.models import Upload
from recognition.index import Match, forget_index
from recognition.models import FaceReview, FaceSample
from recognition.services import recognising
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.privacy import change_privacy
from tests.integration.conftest import make_user
from tests.integration.detector.conftest import picture
from tests.integration.recognition.made_people import (  # noqa: F401
    administrator,
    check_refused,
    client_of,
    faces,
    lines,
    made,
    make_person,
    operator,
    post_picture,
    token_client,
    viewer,
)
from tests.made_faces import EMBEDDER, FakeFaces
from vision.errors import VisionError

pytestmark = [pytest.mark.django_db]
PATH = "/api/recognize/"
CHOICE = ("state", "name", "profile")


def faces_of(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    return list(response.json()["faces"])


class TestWhoIsThere:
    def test_somebody_who_is_known_is_named(self, operator: Any, faces: FakeFaces) -> None:
        ada, grace = make_person("Ada", 1), make_person("Grace", 2)
        faces.scene = [made(1, distance=0.3)]
        answer = post_picture(operator, PATH)
        (face,) = faces_of(answer)
        runner_up = face.pop("runner_up")
        confidence = face.pop("confidence")
        assert face == {
            "bbox": [10.0, 10.0, 100.0, 120.0],
            "state": "known",
            "name": "Ada",
            "profile": str(ada.pk),
            "candidate": None,
            "quality": {"size": 100.0, "sharpness": 0.8, "yaw": 0.0, "pitch": 0.0, "roll": 0.0},
            "flaw": None,
            "review": None,
        }
        assert confidence > 0.99
        assert (runner_up["name"], runner_up["profile"]) == ("Grace", str(grace.pk))
        assert runner_up["confidence"] < 0.01
        body = answer.json()
        assert body["count"] == 1
        assert body["image"] == {"name": "lobby.jpg", "width": 640, "height": 480}
        assert (body["model"], body["embedder"]) == ("made-up", EMBEDDER)
        assert set(body["timings_ms"]) == {"decode", "detect", "embed", "match", "total"}
        assert answer["Cache-Control"] == "no-store"

    def test_an_uncertain_face_is_unknown_with_a_candidate_and_a_question(
        self, operator: Any, faces: FakeFaces
    ) -> None:
        ada = make_person("Ada", 1)
        faces.scene = [made(1, distance=0.55)]
        (face,) = faces_of(post_picture(operator, PATH))
        assert [face[name] for name in CHOICE] == ["uncertain", "Unknown", None]
        assert face["confidence"] is None
        assert face["candidate"]["profile"] == str(ada.pk)
        assert 0.3 < face["candidate"]["confidence"] < 0.95
        review = FaceReview.objects.get()
        assert face["review"] == str(review.pk)
        assert (review.origin, review.place, review.state) == ("picture", "lobby.jpg", "open")

    def test_the_same_question_is_asked_once(self, operator: Any, faces: FakeFaces) -> None:
        make_person("Ada", 1)
        faces.scene = [made(1, distance=0.55)]
        asked = {faces_of(post_picture(operator, PATH))[0]["review"] for _ in range(3)}
        assert len(asked) == 1
        assert FaceReview.objects.count() == 1

    @pytest.mark.parametrize(
        ("scene", "states"),
        [
            ([], []),
            ([made(3)], [("unknown", "Unknown", None)]),
            ([made(1, flaw="blurred")], [("unknown", "Unknown", "blurred")]),
            (
                [made(1), made(2, place=1), made(3, place=2)],
                [("known", "Ada", None), ("known", "Grace", None), ("unknown", "Unknown", None)],
            ),
        ],
        ids=["nobody", "a stranger", "a blurred face", "two who are known and a stranger"],
    )
    def test_everybody_else_is_unknown(
        self, operator: Any, faces: FakeFaces, scene: Any, states: Any
    ) -> None:
        make_person("Ada", 1)
        make_person("Grace", 2)
        faces.scene = scene
        found = faces_of(post_picture(operator, PATH))
        assert [(face["state"], face["name"], face["flaw"]) for face in found] == states
        assert all(face["candidate"] is None and face["review"] is None for face in found)
        assert all((face["profile"] is None) == (face["state"] != "known") for face in found)

    def test_an_empty_gallery_knows_nobody(self, operator: Any, faces: FakeFaces) -> None:
        faces.scene = [made(1)]
        (face,) = faces_of(post_picture(operator, PATH))
        assert [face[name] for name in CHOICE] == ["unknown", "Unknown", None]
        assert face["runner_up"] is None

    def test_nothing_is_kept(self, operator: Any, faces: FakeFaces, settings: Any) -> None:
        make_person("Ada", 1)
        before = FaceSample.objects.count()
        faces.scene = [made(1), made(3, place=1)]
        post_picture(operator, PATH)
        assert FaceSample.objects.count() == before
        assert not Upload.objects.exists()
        assert not FaceReview.objects.exists()

    def test_who_is_erased_in_the_very_moment_is_unknown(
        self, operator: Any, faces: FakeFaces, monkeypatch: Any
    ) -> None:
        ada = make_person("Ada", 1)
        gone = ada.pk
        ada.delete()
        match = Match("uncertain", gone, 0.55, 0.7, None, None)
        monkeypatch.setattr(recognising, "match_faces", lambda *args, **how: [match])
        faces.scene = [made(1)]
        (face,) = faces_of(post_picture(operator, PATH))
        assert [face[name] for name in CHOICE] == ["unknown", "Unknown", None]


class TestHowItIsSent:
    @pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp", "image/x-nothing"])
    def test_the_body_may_be_the_picture(self, operator: Any, faces: FakeFaces, kind: str) -> None:
        make_person("Ada", 1)
        faces.scene = [made(1)]
        answer = operator.generic("POST", PATH, picture(), content_type=kind)
        (face,) = faces_of(answer)
        assert face["name"] == "Ada"
        assert answer.json()["image"]["name"] == ""

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            (b"", 400, "empty_file"),
            (b"not a picture", 415, "not_a_picture"),
            (b"GIF89a", 422, None),
            (picture()[:-2000], 422, "truncated_picture"),
            (picture(700, 500), 413, "too_many_pixels"),
            (b"\xff\xd8\xff\xe0" + bytes(500), 422, None),
        ],
        ids=["empty", "text", "half a gif", "truncated", "huge", "broken"],
    )
    @pytest.mark.parametrize("how", ["form", "body"])
    def test_bad_pictures_are_refused_in_words(
        self,
        operator: Any,
        faces: FakeFaces,
        settings: Any,
        how: str,
        data: Any,
        status: int,
        code: str | None,
    ) -> None:
        settings.SIGHTLINE_MAX_PIXELS = 320_000
        if how == "form":
            answer = post_picture(operator, PATH, data)
        else:
            answer = operator.generic("POST", PATH, data, content_type="image/jpeg")
            if not data:
                code = "missing_image"
        assert answer.status_code == status, answer.content
        assert code in (None, answer.json()["error"]["code"])
        assert answer.json()["error"]["message"]
        assert not faces.calls

    def test_a_picture_of_one_pixel_has_nobody_on_it(self, operator: Any, faces: FakeFaces) -> None:
        file = io.BytesIO()
        Image.new("RGB", (1, 1)).save(file, "PNG")
        assert faces_of(post_picture(operator, PATH, file.getvalue())) == []

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, "missing_image"),
            ({"image": "text"}, "missing_image"),
            ({"image": [io.BytesIO(b"a"), io.BytesIO(b"b")]}, "too_many_files"),
        ],
        ids=["nothing", "text", "two"],
    )
    def test_there_is_one_picture_in_a_request(
        self, operator: Any, faces: FakeFaces, fields: Any, code: str
    ) -> None:
        for value in fields.get("image", []):
            if isinstance(value, io.BytesIO):
                value.seek(0)
                value.name = "a.jpg"
        check_refused(operator.post(PATH, fields, format="multipart"), 400, code)

    def test_a_name_is_one_printable_line(self, operator: Any, faces: FakeFaces) -> None:
        make_person("Ada", 1)
        faces.scene = [made(1, distance=0.55)]
        file = SimpleUploadedFile("x", picture(640, 480))
        file._name = "lob\x07by " + "a" * 300 + ".jpg"  # type: ignore[attr-defined]
        answer = operator.post(PATH, {"image": file}, format="multipart")
        assert answer.status_code == 200
        name = answer.json()["image"]["name"]
        assert len(name) <= 200
        assert name.isprintable()
        assert FaceReview.objects.get().place == name

    def test_other_bodies_are_not_read(self, operator: Any) -> None:
        assert operator.post(PATH, {"image": "x"}, format="json").status_code == 415

    def test_a_body_that_is_too_large_is_refused(
        self, operator: Any, faces: FakeFaces, settings: Any
    ) -> None:
        settings.SIGHTLINE_MAX_UPLOAD_BYTES = 1000
        answer = operator.generic("POST", PATH, picture(), content_type="image/jpeg")
        check_refused(answer, 413, "request_too_large")
        check_refused(post_picture(operator, PATH), 413, "file_too_large")

    def test_an_engine_that_cannot_answer_is_a_503(self, operator: Any, faces: FakeFaces) -> None:
        faces.error = VisionError("engine_closed", "The engine has been closed.")
        check_refused(post_picture(operator, PATH), 503, "engine_closed")

    def test_without_workers_one_is_told_when_to_come_again(
        self, operator: Any, faces: FakeFaces, settings: Any
    ) -> None:
        settings.INFERENCE = "worker"
        settings.REDIS_URL = "redis://127.0.0.1:1/0"  # where nobody listens
        answer = post_picture(operator, PATH)
        check_refused(answer, 503, "queue_unavailable")
        assert int(answer["Retry-After"]) > 0


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        ("role", "status"), [("viewer", 403), ("operator", 200), ("administrator", 200)]
    )
    def test_only_those_who_work_with_people(
        self, faces: FakeFaces, role: str, status: int
    ) -> None:
        assert post_picture(client_of(make_user("x", role)), PATH).status_code == status

    def test_strangers_are_asked_to_sign_in(self, db: None) -> None:
        check_refused(post_picture(APIClient(), PATH), 401, "not_authenticated")

    @pytest.mark.parametrize(("scope", "status"), [("read", 403), ("write", 200)])
    def test_a_token_that_may_only_read_does_not_recognise(
        self, faces: FakeFaces, scope: str, status: int
    ) -> None:
        client = token_client(make_user("x"), scope)
        assert post_picture(client, PATH).status_code == status

    def test_a_browser_needs_its_csrf_token(self, faces: FakeFaces) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(make_user("x"))
        assert browser.post(PATH).status_code == 403

    def test_it_can_be_switched_off(self, operator: Any, faces: FakeFaces) -> None:
        change_privacy(actor=None, recognise_uploads=False)
        check_refused(post_picture(operator, PATH), 403, "recognition_off")
        assert not faces.calls


class TestConsent:
    def test_where_it_is_needed_only_those_who_agree_are_named(
        self, operator: Any, faces: FakeFaces
    ) -> None:
        ada, _ = make_person("Ada", 1), make_person("Grace", 2)
        publish_consent_text(actor=None, text="I agree.")
        record_consent(actor=None, profile=ada)
        faces.scene = [made(1), made(2, place=1)]

        def named() -> list[str]:
            return [face["name"] for face in faces_of(post_picture(operator, PATH))]

        assert named() == ["Ada", "Grace"]
        change_privacy(actor=None, uploads_need_consent=True)
        assert named() == ["Ada", "Unknown"]
        withdraw_consent(actor=None, profile=ada)
        assert named() == ["Unknown", "Unknown"]

    def test_who_has_not_agreed_is_no_runner_up_either(
        self, operator: Any, faces: FakeFaces
    ) -> None:
        ada, _ = make_person("Ada", 1), make_person("Grace", 2)
        publish_consent_text(actor=None, text="I agree.")
        record_consent(actor=None, profile=ada)
        change_privacy(actor=None, uploads_need_consent=True)
        faces.scene = [made(1)]
        answer = post_picture(operator, PATH)
        assert faces_of(answer)[0]["runner_up"] is None
        assert "Grace" not in answer.content.decode()


class TestTheLog:
    def test_a_picture_is_one_line_with_the_ids_of_those_on_it(
        self, operator: Any, faces: FakeFaces
    ) -> None:
        ada, grace = make_person("Ada Lovelace", 1), make_person("Grace Hopper", 2)
        faces.scene = [made(1), made(2, distance=0.55, place=1), made(3, place=2)]
        before = AuditEntry.objects.count()
        post_picture(operator, PATH)
        (line,) = lines()[before:]
        assert (line.action, line.actor_name) == ("viewed", "otto")
        assert line.details == {
            "what": "matches",
            "faces": 3,
            "known": [str(ada.pk)],
            "uncertain": [str(grace.pk)],
        }
        assert "Lovelace" not in json.dumps(line.details) + line.object_name


@pytest.mark.django_db(transaction=True)
def test_two_at_once_ask_the_same_question_once(faces: FakeFaces) -> None:
    make_person("Ada", 1)
    faces.scene = [made(1, distance=0.55)]
    user, data = make_user("otto"), picture(640, 480)
    answers: list[Any] = []

    def ask() -> None:
        answers.append(post_picture(client_of(user), PATH, data))
        connection.close()

    hands = [threading.Thread(target=ask) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert {faces_of(answer)[0]["review"] for answer in answers} == {
        str(FaceReview.objects.get().pk)
    }


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.weights
def test_real_people_are_recognised_and_strangers_are_not(
    operator: APIClient, test_data: Path
) -> None:
    set_engine_for_tests(None)
    forget_index()
    known = test_data / "faces" / "known"
    try:
        ids = {}
        for name in ("biden", "obama"):
            body = {"name": name.title(), "kind": "customer"}
            ids[name] = operator.post("/api/people/", body).json()["id"]
            for photo in sorted((known / "train" / name).iterdir()):
                path = f"/api/people/{ids[name]}/samples/"
                answer = post_picture(operator, path, photo.read_bytes())
                assert answer.status_code in (201, 422), answer.content
        group = (known / "test" / "obama_and_biden.jpg").read_bytes()
        found = faces_of(post_picture(operator, PATH, group))
        named = {face["profile"] for face in found if face["state"] == "known"}
        assert named == set(ids.values())
        stranger = sorted((known / "train" / "kit_harington").iterdir())[0]
        for face in faces_of(post_picture(operator, PATH, stranger.read_bytes())):
            assert face["state"] != "known"
        assert not np.isnan([face["confidence"] or 0.0 for face in found]).any()
    finally:
        close_engine()
        forget_index()

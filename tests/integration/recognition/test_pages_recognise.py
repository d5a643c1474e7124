"""The page that says who is on a picture, and photos that are judged before they are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recognition.models import NegativeEvidence, Profile
from recognition.services.privacy import change_privacy
from tests.integration.recognition.conftest import JSON, a_picture

pytestmark = pytest.mark.django_db

GOOD = "known/train/obama/obama.jpg"
OTHER = "known/train/obama/obama2.jpg"
TWO = "known/test/obama_and_biden.jpg"


def test_uploads_that_are_not_recognised_are_said(
    signed_in: Client, administrator: Any, jpeg: bytes
) -> None:
    change_privacy(actor=administrator, recognise_uploads=False)
    assert "are not recognised" in signed_in.get("/people/recognise/").content.decode()
    refused = signed_in.post("/people/recognise/", {"picture": a_picture(jpeg)}, **JSON)
    assert refused.json()["error"]["code"] == "recognition_off"


@pytest.mark.parametrize(
    "address", ["/people/judge/", "/people/recognise/", "/people/recognise/not/"]
)
def test_a_picture_that_is_none_is_refused(
    signed_in: Client, make_person: Callable[..., Profile], address: str
) -> None:
    person = {"person": str(make_person("Ada", 1).pk), "face": "0"}
    missing = signed_in.post(address, person, **JSON)
    assert missing.json()["error"]["code"] == "no_file"
    text = {"picture": SimpleUploadedFile("a.jpg", b"no picture at all"), **person}
    refused = signed_in.post(address, text, **JSON)
    assert refused.status_code == 415
    assert not NegativeEvidence.objects.exists()


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.usefixtures("real_faces")
class TestWithRealFaces:
    """What needs the real networks."""

    @pytest.mark.parametrize(
        ("name", "code"),
        [(GOOD, ""), (TWO, "several_faces"), ("known/train/nobody", "no_face")],
        ids=["good", "several", "nobody"],
    )
    def test_photos_are_judged_and_nothing_is_stored(
        self, signed_in: Client, photo: Callable[[str], bytes], jpeg: bytes, name: str, code: str
    ) -> None:
        data = photo(name) if code != "no_face" else jpeg
        for moment in ("", "true"):
            sent = {"picture": a_picture(data), "moment": moment}
            judged = signed_in.post("/people/judge/", sent, **JSON).json()
            assert judged["code"] == code
            assert judged["sentence"]
        assert not Profile.objects.exists()

    def test_a_photo_of_somebody_who_is_known_asks(
        self, signed_in: Client, user: Any, photo: Callable[[str], bytes]
    ) -> None:
        first = make_known(user, "Barack", photo(GOOD))
        judged = signed_in.post("/people/judge/", {"picture": a_picture(photo(OTHER))}, **JSON)
        assert judged.json()["looks_like"]["name"] == "Barack"
        second = Profile.objects.create(name="Somebody")
        place = f"/people/{second.pk}/samples/"
        refused = signed_in.post(place, {"picture": a_picture(photo(OTHER))}, **JSON)
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "looks_like"
        assert refused.json()["error"]["person"]["id"] == str(first.pk)
        confirmed = {"picture": a_picture(photo(OTHER)), "confirm": "true", "source": "webcam"}
        assert signed_in.post(place, confirmed, **JSON).status_code == 201
        assert second.samples.get().source == "webcam"

    def test_a_picture_is_recognised_and_what_is_said_of_a_face_is_remembered(
        self, signed_in: Client, user: Any, photo: Callable[[str], bytes]
    ) -> None:
        barack = make_known(user, "Barack", photo(GOOD))
        found = recognise(signed_in, photo(TWO))
        known = next(at for at, face in enumerate(found) if face["state"] == "known")
        assert found[known]["match"]["name"] == "Barack"
        assert found[known]["crop"].startswith("data:image/jpeg;base64,")
        unknown = next(
            at for at, face in enumerate(found) if face["state"] == "unknown" and not face["flaw"]
        )
        named = signed_in.post(
            "/people/recognise/name/",
            {"picture": a_picture(photo(TWO)), "face": unknown, "kind": "customer", "name": "Joe"},
            **JSON,
        )
        assert named.json()["person"]["name"] == "Joe"
        again = recognise(signed_in, photo(TWO))
        assert again[unknown]["match"]["name"] == "Joe"
        denied = {
            "picture": a_picture(photo(TWO)),
            "face": str(known),
            "person": str(barack.pk),
        }
        assert signed_in.post("/people/recognise/not/", denied, **JSON).status_code == 200
        assert barack.negatives.count() == 1
        assert recognise(signed_in, photo(TWO))[known]["match"] is None

    @pytest.mark.parametrize("face", ["", "-1", "99", "x", "9" * 30])
    def test_a_face_that_is_not_there_is_refused(
        self, signed_in: Client, photo: Callable[[str], bytes], face: str
    ) -> None:
        sent = {"picture": a_picture(photo(GOOD)), "face": face, "kind": "staff", "name": "Joe"}
        refused = signed_in.post("/people/recognise/name/", sent, **JSON)
        assert refused.status_code == 422
        assert not Profile.objects.exists()


def make_known(user: Any, name: str, data: bytes) -> Profile:
    from recognition.services.profiles import create_profile
    from recognition.services.samples import enrol_picture

    profile = create_profile(actor=user, kind="customer", name=name)
    enrol_picture(actor=user, profile=profile, data=data, source="upload")
    return profile


def recognise(client: Client, data: bytes) -> list[dict[str, Any]]:
    answer = client.post("/people/recognise/", {"picture": a_picture(data)}, **JSON)
    assert answer.status_code == 200, answer.content
    faces: list[dict[str, Any]] = answer.json()["faces"]
    return faces

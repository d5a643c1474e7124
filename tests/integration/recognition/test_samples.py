"""Enrolling: from a picture to a sample, and everything that speaks against it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from common.audit.models import AuditEntry
from common.uploads.errors import UploadRejected
from recognition.errors import EnrolmentError, GoneError, InvalidError
from recognition.index import match_faces
from recognition.models import FaceSample, NegativeEvidence, Profile
from recognition.services.keeping import pack, unpack
from recognition.services.negatives import note_not_person
from recognition.services.profiles import create_profile
from recognition.services.samples import add_sample, delete_sample, enrol_picture, move_samples
from tests.integration.conftest import make_picture
from tests.integration.recognition.conftest import give_sample
from tests.made_faces import EMBEDDER, face_of

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., Profile]
Photo = Callable[[str], bytes]


def person(user: Any, name: str = "Amy") -> Profile:
    return create_profile(actor=user, kind="customer", name=name)


def files() -> list[Path]:
    root = Path(default_storage.location)
    return [path for path in root.rglob("*") if path.is_file()]


def changed(data: bytes, change: Callable[[Any], Any]) -> bytes:
    """Return a picture after a change of its pixels."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return bytes(cv2.imencode(".png", change(image))[1])


def masked(image: Any) -> Any:
    """Paint a mask over the lower half of a face that fills the picture."""
    return cv2.rectangle(image.copy(), (20, 85), (130, 149), (190, 160, 90), -1)


def cartoon() -> bytes:
    """A face as children draw it."""
    image = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(image, (200, 200), 150, (80, 200, 255), -1)
    for x in (150, 250):
        cv2.circle(image, (x, 160), 20, (0, 0, 0), -1)
    cv2.ellipse(image, (200, 250), (70, 40), 0, 0, 180, (0, 0, 200), 8)
    return bytes(cv2.imencode(".png", image)[1])


@pytest.mark.data
@pytest.mark.weights
def test_a_photo_becomes_a_sample(real_faces: Any, photo: Photo, user: Any) -> None:
    amy, data = person(user), photo("bbt/amy/amy1.png")
    sample = enrol_picture(actor=user, profile=amy, data=data, source="upload")
    sample.refresh_from_db()
    assert sample.picture_sha256 == hashlib.sha256(data).hexdigest()
    assert (sample.source, sample.created_by, sample.profile) == ("upload", user, amy)
    assert sample.model == "dlib-resnet-v1"
    assert len(bytes(sample.embedding)) == 512
    assert set(sample.quality) == {"size", "sharpness", "yaw", "pitch", "roll"}
    crop = Image.open(io.BytesIO(sample.crop.read()))
    assert (crop.format, crop.size) == ("JPEG", (150, 150))
    amy.refresh_from_db()
    assert amy.photo.name.startswith(f"people/{amy.pk.hex[:2]}/")
    [match] = match_faces([unpack(sample.embedding)], model=sample.model)
    assert (match.state, match.profile_id) == ("known", amy.pk)


CHANGES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("no_face", "known/train/obama/obama.jpg", lambda image: image[:100, :100]),
    ("too_small", "bbt/amy/amy1.png", lambda image: cv2.resize(image, (45, 45))),
    ("blurred", "known/train/obama/obama.jpg", lambda image: cv2.GaussianBlur(image, (0, 0), 15)),
    ("turned", "bbt/stuart/stuart5.png", lambda image: image),
    ("covered", "bbt/amy/amy1.png", lambda image: masked(image)),
    ("upside_down", "known/train/obama/obama.jpg", lambda image: image[::-1, ::-1]),
]


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize(("code", "name", "change"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_picture_that_shows_no_good_face_is_refused(
    real_faces: Any,
    photo: Photo,
    user: Any,
    code: str,
    name: str,
    change: Callable[[Any], Any],
) -> None:
    data = changed(photo(name), change)
    with pytest.raises(EnrolmentError) as caught:
        enrol_picture(actor=user, profile=person(user), data=data, source="upload")
    # What is turned round may not be found at all.
    assert caught.value.code == code or (code, caught.value.code) == ("upside_down", "no_face")
    assert caught.value.status == 422
    assert caught.value.message.endswith(".")
    assert not FaceSample.objects.exists()
    assert files() == []


@pytest.mark.data
@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "count"),
    [("two_people.jpg", 2), ("bbt/group/bbt4.jpg", 6)],
    ids=["two", "six"],
)
def test_a_picture_of_several_people_is_refused_with_their_number(
    real_faces: Any, photo: Photo, user: Any, name: str, count: int
) -> None:
    with pytest.raises(EnrolmentError) as caught:
        enrol_picture(actor=user, profile=person(user), data=photo(name), source="upload")
    assert caught.value.code == "several_faces"
    assert f"{count} faces" in caught.value.message


@pytest.mark.weights
@pytest.mark.parametrize("data", [cartoon(), make_picture("PNG", (1, 1))], ids=["cartoon", "dot"])
def test_what_is_no_photo_of_a_face_is_refused(real_faces: Any, user: Any, data: bytes) -> None:
    with pytest.raises(EnrolmentError) as caught:
        enrol_picture(actor=user, profile=person(user), data=data, source="upload")
    assert caught.value.code in ("no_face", "unsure")


@pytest.mark.weights
@pytest.mark.parametrize(
    "data", [b"", b"words", make_picture("JPEG", (64, 48))[:-200]], ids=["empty", "text", "cut"]
)
def test_what_is_no_picture_is_refused(real_faces: Any, user: Any, data: bytes) -> None:
    with pytest.raises(UploadRejected):
        enrol_picture(actor=user, profile=person(user), data=data, source="upload")
    assert not FaceSample.objects.exists()


@pytest.mark.data
@pytest.mark.weights
def test_a_photo_is_one_persons(real_faces: Any, photo: Photo, user: Any, viewer: Any) -> None:
    amy, eve, data = person(user), person(user, "Eve"), photo("bbt/amy/amy1.png")
    enrol_picture(actor=user, profile=amy, data=data, source="upload")
    cases = [
        (user, amy, "this person already"),
        (user, eve, "Amy"),
        (viewer, eve, "somebody else"),
        (None, eve, "somebody else"),
    ]
    for actor, profile, words in cases:
        for confirm in (False, True):
            with pytest.raises(EnrolmentError) as caught:
                enrol_picture(
                    actor=actor, profile=profile, data=data, source="upload", confirm=confirm
                )
            assert (caught.value.code, caught.value.status) == ("same_photo", 409)
            assert words in caught.value.message
            assert ("Amy" in caught.value.message) == (words == "Amy")
    assert FaceSample.objects.count() == 1


@pytest.mark.data
@pytest.mark.weights
def test_who_looks_like_somebody_else_is_enrolled_when_confirmed(
    real_faces: Any, photo: Photo, user: Any, viewer: Any
) -> None:
    amy, twin = person(user), person(user, "Twin")
    for name in ("bbt/amy/amy1.png", "bbt/amy/amy4.png"):  # like oneself is no question
        enrol_picture(actor=user, profile=amy, data=photo(name), source="webcam")
    other = photo("bbt/amy/amy2.png")
    for actor, named in ((user, True), (viewer, False)):
        with pytest.raises(EnrolmentError) as caught:
            enrol_picture(actor=actor, profile=twin, data=other, source="upload")
        assert (caught.value.code, caught.value.status) == ("looks_like", 409)
        assert ("Amy" in caught.value.message) is named
        assert caught.value.profile_id == (amy.pk if named else None)
    sample = enrol_picture(actor=user, profile=twin, data=other, source="upload", confirm=True)
    assert sample.profile == twin
    line = AuditEntry.objects.filter(object_id=str(twin.pk)).order_by("-id").first()
    assert line is not None
    assert line.details == {"change": "enrolled", "source": "upload", "confirmed": True}
    # From now on the two cannot be told apart.
    with pytest.raises(EnrolmentError):
        enrol_picture(actor=user, profile=amy, data=photo("bbt/amy/amy3.png"), source="webcam")


@pytest.mark.data
@pytest.mark.weights
def test_nothing_is_left_when_the_person_is_deleted_meanwhile(
    real_faces: Any, photo: Photo, user: Any
) -> None:
    amy = person(user)
    Profile.objects.filter(pk=amy.pk).delete()
    with pytest.raises(GoneError):
        enrol_picture(actor=user, profile=amy, data=photo("bbt/amy/amy1.png"), source="upload")
    assert files() == []


@pytest.mark.parametrize(
    "embedding",
    [[], [0.1] * 127, [0.1] * 129, np.zeros((2, 128)), [float("nan")] * 128, [1e6] * 128, "no"],
    ids=["empty", "short", "long", "two", "nan", "huge", "text"],
)
def test_an_embedding_that_is_none_is_refused(user: Any, embedding: Any) -> None:
    amy = person(user)
    given = {"embedding": embedding, "model": EMBEDDER, "actor": user, "profile": amy}
    with pytest.raises(InvalidError) as caught:
        add_sample(**given, crop=b"x", quality={}, source="api")
    assert caught.value.code == "bad_embedding"
    with pytest.raises(InvalidError):
        note_not_person(**given)
    assert not FaceSample.objects.exists()
    assert not NegativeEvidence.objects.exists()
    assert files() == []


def test_an_embedding_comes_back_as_it_was() -> None:
    face = face_of(1)
    assert unpack(pack(face)).tolist() == face.tolist()
    assert unpack(memoryview(pack(face.astype(">f4")))).tolist() == face.tolist()


def test_moved_samples_take_their_photo_along(user: Any, make_person: MakePerson) -> None:
    amy, bob = make_person("Amy", 1, samples=2), make_person("Bob", 2)
    assert move_samples(actor=user, samples=[], target=bob) == 0
    assert move_samples(actor=user, samples=list(bob.samples.all()), target=bob) == 0
    moved = list(amy.samples.all())
    assert move_samples(actor=user, samples=moved, target=bob) == 2
    assert move_samples(actor=user, samples=moved, target=bob) == 0  # they are there
    amy.refresh_from_db()
    assert not amy.photo
    assert bob.samples.count() == 3
    [match] = match_faces([face_of(1)], model=EMBEDDER)
    assert match.profile_id == bob.pk
    gone = person(user, "Gone")
    Profile.objects.filter(pk=gone.pk).delete()
    with pytest.raises(GoneError):
        move_samples(actor=user, samples=list(bob.samples.all()), target=gone)


def test_a_sample_can_be_deleted_twice(user: Any, make_person: MakePerson) -> None:
    amy = make_person("Amy", 1, samples=2)
    sample = give_sample(amy, 2)
    for _ in range(2):
        delete_sample(actor=user, sample=FaceSample(pk=sample.pk))
    assert amy.samples.count() == 2
    deleted = AuditEntry.objects.filter(details__change="sample deleted")
    assert deleted.count() == 1


def test_the_same_face_is_denied_once(user: Any, make_person: MakePerson) -> None:
    amy = make_person("Amy", 1)
    first = note_not_person(actor=user, profile=amy, embedding=face_of(3), model=EMBEDDER)
    again = note_not_person(actor=user, profile=amy, embedding=face_of(3), model=EMBEDDER)
    assert first == again
    assert NegativeEvidence.objects.count() == 1


def test_a_full_disk_takes_nobody(user: Any, settings: Any) -> None:
    settings.SIGHTLINE_MIN_FREE_BYTES = 1 << 60
    with pytest.raises(UploadRejected) as caught:
        enrol_picture(actor=user, profile=person(user), data=b"any", source="upload")
    assert caught.value.code == "disk_full"

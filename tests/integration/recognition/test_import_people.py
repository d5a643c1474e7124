"""Whom the photos of a folder are enrolled for: faces that differ, people who go meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from recognition.models import FaceSample, Profile
from recognition.services import import_people
from recognition.services.archives import Refusal
from recognition.services.enrolling import sha256_of
from recognition.services.erasing import erase_person
from recognition.services.import_reports import ImportReport
from recognition.services.keeping import NewSample
from tests.integration.recognition.made_people import CROP, QUALITY, make_person
from tests.made_faces import EMBEDDER, face_of

pytestmark = pytest.mark.django_db


@dataclass
class MadeSource:
    """Photos that are named like the made-up face that they show, e.g. ``"7 a"``."""

    people: Mapping[str, list[str]]
    refused: list[Refusal] = field(default_factory=list)

    def read(self, name: str) -> bytes:
        return name.encode()


@pytest.fixture(autouse=True)
def made_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The face of a photo is made up by its number; its letters tell photos of one apart."""

    def sample_from(data: bytes, **options: Any) -> NewSample:
        person, _, letters = data.decode().partition(" ")
        face = face_of(int(person), distance=0.1 * len(letters))
        return NewSample(face, EMBEDDER, CROP, QUALITY, sha256_of(data))

    monkeypatch.setattr(import_people, "sample_from", sample_from)


def enrol(
    person: str, *photos: str, progress: import_people.Progress = lambda share, message: None
) -> ImportReport:
    return import_people.import_people(
        actor=None,
        source=MadeSource({person: list(photos)}),
        kind="customer",
        consent=False,
        progress=progress,
    )


@pytest.mark.parametrize(
    ("photos", "kept", "refused"),
    [
        (["1"], 1, {}),
        (["1", "1 a", "1 aa"], 3, {}),
        (["1", "1 a", "2"], 2, {"2": "differs"}),
        (["2", "1", "1 a"], 2, {"2": "differs"}),
        (["3", "2", "1", "1 a"], 2, {"2": "differs", "3": "differs"}),
        (["1", "2"], 0, {"Ada": "not_one_person"}),
        (["1", "1 a", "2", "2 a"], 0, {"Ada": "not_one_person"}),
    ],
)
def test_a_folder_makes_one_person_of_faces_that_are_alike(
    photos: list[str], kept: int, refused: dict[str, str]
) -> None:
    report = enrol("Ada", *photos)
    assert {one.name: one.code for one in report.refused} == refused
    assert (report.samples, report.added, report.done) == (kept, bool(kept), 1)
    assert FaceSample.objects.count() == kept
    assert Profile.objects.count() == bool(kept)


@pytest.mark.parametrize(
    ("photos", "kept", "refused"),
    [
        (["1 a"], 1, {}),
        (["2"], 0, {"2": "differs"}),
        (["2", "2 a", "1 a"], 1, {"2": "differs", "2 a": "differs"}),
    ],
)
def test_who_is_known_gets_only_faces_like_those_they_have(
    photos: list[str], kept: int, refused: dict[str, str]
) -> None:
    ada = make_person("Ada", 1)
    report = enrol("Ada", *photos)
    assert {one.name: one.code for one in report.refused} == refused
    assert (report.samples, report.known) == (kept, bool(kept))
    assert ada.samples.count() == 1 + kept


def test_who_is_known_without_photos_gets_one_persons() -> None:
    make_person("Ada")
    report = enrol("Ada", "1", "2", "1 a")
    assert [(one.name, one.code) for one in report.refused] == [("2", "differs")]
    assert (report.samples, report.known) == (2, True)


def test_where_several_have_the_name_nothing_else_is_said() -> None:
    make_person("Ada"), make_person("Ada")
    report = enrol("Ada", "1", "2")
    assert [one.code for one in report.refused] == ["ambiguous"]


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_their_photos_are_read_is_not_enrolled_anew() -> None:
    ada = make_person("Ada", 1)
    there = [ada.pk]

    def forget(share: float, message: str) -> None:
        if there:
            erase_person(actor=None, profile_id=there.pop(), reason="request")

    report = enrol("Ada", "1 a", "2", progress=forget)
    assert [(one.name, one.code) for one in report.refused] == [("", "gone")]
    assert "Ada" not in str(report)
    assert not Profile.objects.exists()
    assert not FaceSample.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_refusals_of_somebody_who_goes_meanwhile_do_not_name_them() -> None:
    ada = make_person("Ada", 1)
    there = [ada.pk]

    def forget(share: float, message: str) -> None:
        if there:
            erase_person(actor=None, profile_id=there.pop(), reason="request")

    report = ImportReport(people=1, refused=[Refusal("Ada/0.jpg", "blurred", "Hold still.")])
    report = import_people.import_people(
        actor=None, source=MadeSource({"Ada": ["1 a"]}), kind="customer", consent=False,
        progress=forget, begun=report,
    )  # fmt: skip
    assert [one.code for one in report.refused] == ["gone"]
    assert report.more == 1

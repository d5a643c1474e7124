"""Somebody is forgotten everywhere, and the report says so."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from common.audit.sentences import sentence_of
from common.inference import close_engine
from common.inference.engine import set_engine_for_tests
from common.models import AuditEntry, Job
from common.people.journal import read_erasures
from common.previews import Preview, read_preview, write_preview
from recognition.index import match_faces
from recognition.models import FaceReview, FaceSample, NegativeEvidence, Profile
from recognition.services.archives import Refusal
from recognition.services.erasing import erase_person
from recognition.services.importing import JOB_KIND, ImportReport
from recognition.services.merging import merge_profiles
from recognition.services.profiles import create_profile
from recognition.services.samples import enrol_picture
from tests.integration.recognition.known_people import (
    ID_MAY_STAY,
    Known,
    found_by,
    make_face,
    make_person,
    places_with,
    stored_names,
    sums,
    who_is,
)
from video_analysis.models import CameraEvent, Sighting, VisitorFace
from video_analysis.retail.models import Visit
from video_analysis.services.live.pictures import slot_name

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]


def test_nothing_of_a_person_is_left_and_everything_of_others_is(known: Known, chief: Any) -> None:
    person, gone_sums = known.person.pk, sums(known.shown)
    before = stored_names()
    assert set(known.shown) <= before
    assert who_is(1) == person
    report = erase_person(actor=chief, profile_id=person, reason="request")
    assert places_with(str(person), person.hex) - ID_MAY_STAY == set()
    assert places_with("Erika", "Müller", "M\\u00fcller", "erika@example.org") == set()
    faces = [make_face(1, jitter=number).astype("<f4").tobytes() for number in (0, 1, 2, 7, 9)]
    assert places_with(*faces) == set()
    assert stored_names() == before - set(known.shown)
    assert not sums(stored_names()) & gone_sums
    assert (who_is(1), who_is(2)) == (None, known.other.pk)
    assert default_storage.exists(known.other.photo.name)
    assert all(default_storage.exists(name) for name in known.kept)
    assert Visit.objects.get().profile_id == known.other.pk
    assert set(Sighting.objects.values_list("profile_id", flat=True)) == {known.other.pk}
    assert NegativeEvidence.objects.get().profile_id == known.other.pk
    assert FaceReview.objects.get().place == "Elsewhere"
    assert VisitorFace.objects.get().visitor.number == 2
    assert report.finished_at is not None
    assert (report.subject, report.reason, report.erased_by_name) == (person, "request", "grace")


def test_the_report_says_what_went_and_what_was_looked_at(known: Known, chief: Any) -> None:
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert report.erased == {
        "consents": 1,
        "faces of visitors": 1,
        "files of videos": 2,
        "negative examples": 2,
        "photos": 1,
        "pictures of events": 2,
        "profiles": 1,
        "reviews": 4,
        "samples": 2,
        "sightings": 3,
        "visits": 1,
    }
    assert found_by(report) == {
        **dict.fromkeys(("rows", "kept", "files", "contents", "index", "cache"), 0),
        **dict.fromkeys(("names", "audit"), 0),
        "originals": 1,
    }
    text = json.dumps([report.checks, report.erased, report.backups], ensure_ascii=False)
    assert "Erika" not in text
    assert "erika" not in text
    line = AuditEntry.objects.get(action=AuditEntry.Action.DELETED)
    assert line.object_name == f"Person {known.person.pk.hex[:8]}"
    assert (line.actor_name, line.details["report"]) == ("grace", str(report.pk))
    assert not places_with("Erika") & {"common_auditentry.details", "common_auditentry.object_name"}


def test_what_is_found_afterwards_is_told(known: Known, chief: Any, user: Any) -> None:
    video = known.session
    type(video).objects.filter(pk=video.pk).update(name="Erika Müller-Ödön at the door")
    copy = default_storage.save("derived/aa/copy.jpg", ContentFile(b"crop 1 of 1"))
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    checks = {check["code"]: check for check in report.checks}
    assert checks["names"]["places"] == {"detector.detectionsession.name": 1}
    assert not checks["names"]["must"]
    assert checks["contents"]["places"] == {copy: 1}
    assert checks["contents"]["must"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Ann", 1),
        ("ann", 1),
        ("Anna", 0),
        ("Joanne", 0),
        ("Ann-Kathrin", 1),
        ("nothing", 0),
    ],
)
def test_names_are_found_as_words(chief: Any, user: Any, text: str, count: int) -> None:
    bystander = make_person(chief, 3, name=f"Say {text} twice", samples=0)
    person = make_person(chief, 4, name="Ann", samples=0)
    report = erase_person(actor=chief, profile_id=person.pk, reason="request")
    places = next(check for check in report.checks if check["code"] == "names")["places"]
    assert places == ({"recognition.profile.name": count} if count else {})
    assert Profile.objects.get() == bystander


def test_somebody_of_whom_there_is_only_a_name_is_forgotten_too(chief: Any) -> None:
    person = create_profile(actor=chief, kind="staff", name="Nobody Special")
    report = erase_person(actor=chief, profile_id=person.pk, reason="consent")
    assert report.erased == {"profiles": 1}
    assert not any(found_by(report).values())
    assert places_with("Nobody Special") == set()


def test_reports_of_imports_forget_names(chief: Any) -> None:
    refused = [
        {"name": "Anna Berg/1.jpg", "code": "no_face", "message": "There is no face."},
        {"name": "Otto/1.jpg", "code": "no_face", "message": "There is no face."},
    ]
    report = replace(ImportReport(people=2), refused=[Refusal(**row) for row in refused])
    Job.objects.create(
        kind=JOB_KIND, owner=chief, state="done", payload={"report": report.as_data()}
    )
    person = make_person(chief, 3, name="Anna Berg", samples=0)
    erased = erase_person(actor=chief, profile_id=person.pk, reason="request").erased
    assert erased == {"profiles": 1, "reports of imports": 1}
    assert places_with("Anna Berg") == set()
    assert "Otto/1.jpg" in json.dumps(Job.objects.get().payload)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("request", "grace erased “Person {}” on request"),
        ("consent", "grace erased “Person {}” as consent was withdrawn"),
        ("retention", "grace erased “Person {}” as the time was over"),
        ("restore", "grace erased “Person {}” again, as a backup had brought them back"),
    ],
)
def test_the_log_says_why_and_names_nobody(chief: Any, reason: str, sentence: str) -> None:
    person = make_person(chief, 3, name="Anna Berg", samples=0)
    erase_person(actor=chief, profile_id=person.pk, reason=reason)
    line = AuditEntry.objects.get(action=AuditEntry.Action.DELETED)
    assert sentence_of(line) == sentence.format(person.pk.hex[:8])


def test_previews_and_cached_answers_go(known: Known, chief: Any) -> None:
    slot = slot_name(known.camera.pk, "large")
    write_preview(slot, Preview(1, b"jpeg", b"Erika"))
    cache.set(f"faces.{known.person.pk}", {"name": "somebody"}, 600)
    cache.set("last.seen", [{"profile": known.person.pk.hex}], 600)
    cache.set("others", [known.other.pk.hex], 600)
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert read_preview(slot) is None
    assert cache.get(f"faces.{known.person.pk}") is None
    assert cache.get("last.seen") is None
    assert cache.get("others") == [known.other.pk.hex]
    assert found_by(report)["cache"] == 0


def test_who_had_become_part_of_somebody_goes_with_them(chief: Any) -> None:
    source = make_person(chief, 5, name="Rike Maid", email="rike@example.org")
    target = make_person(chief, 6, name="Rike Married")
    source_id = source.pk
    merge_profiles(actor=chief, target=target, source=source)
    report = erase_person(actor=chief, profile_id=target.pk, reason="request")
    assert report.erased["merges"] == 1
    assert report.erased["samples"] == 4
    assert places_with("Rike", "rike@") == set()
    assert places_with(str(source_id), source_id.hex) - ID_MAY_STAY == set()
    [line] = read_erasures()
    assert (line.person, line.aliases) == (target.pk, (source_id,))


def test_the_events_of_others_keep_their_rows(known: Known, chief: Any) -> None:
    before = CameraEvent.objects.count()
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert CameraEvent.objects.count() == before
    assert CameraEvent.objects.exclude(picture="").count() == 1


@pytest.fixture
def real_engine() -> Iterator[None]:
    set_engine_for_tests(None)
    yield
    close_engine()


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.weights
def test_real_faces_are_known_before_and_strangers_afterwards(
    chief: Any, test_data: Path, real_engine: None, weights_dir: Path
) -> None:
    people = {}
    for name, folder, files in (
        ("Barack O.", "obama", ("obama.jpg", "obama2.jpg")),
        ("Joe B.", "biden", ("biden.jpg", "biden2.jpg")),
    ):
        people[folder] = create_profile(actor=chief, kind="customer", name=name)
        for file in files:
            enrol_picture(
                actor=chief,
                profile=people[folder],
                data=(test_data / "faces/known/train" / folder / file).read_bytes(),
                source=FaceSample.Source.UPLOAD,
            )
    from common.inference.faces import find_faces

    probe = find_faces((test_data / "faces/known/test/obama1.jpg").read_bytes())

    def recognised() -> list[uuid.UUID | None]:
        matches = match_faces(probe.faces.data["embedding"], model=probe.embedder)
        return [match.profile_id for match in matches if match.state == "known"]

    obama = people["obama"].pk
    assert recognised() == [obama]
    crops = FaceSample.objects.filter(profile=obama)
    gone = sums([*crops.values_list("crop", flat=True)])
    stored = [bytes(row.embedding) for row in crops]
    report = erase_person(actor=chief, profile_id=obama, reason="request")
    assert not any(found_by(report).values())
    assert recognised() == []
    assert places_with(*stored) == set()
    assert not sums(stored_names()) & gone
    assert FaceSample.objects.filter(profile=people["biden"]).count() == 2

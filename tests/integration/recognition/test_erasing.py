"""Somebody is forgotten: everywhere, once, at any moment, and the report says so."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.audit.sentences import sentence_of
from common.backup.services import make_backup, restore_backup
from common.errors import ServiceError
from common.inference import close_engine
from common.inference.engine import set_engine_for_tests
from common.models import AuditEntry, Job, Upload
from common.people.journal import Erasure, journal_path, note_erasure, read_erasures
from common.previews import Preview, read_preview, write_preview
from common.storage.services import run_cleanup
from integration.conftest import make_user
from recognition.index import Match, match_faces
from recognition.models import ErasureReport, FaceReview, FaceSample, NegativeEvidence, Profile
from recognition.services import erasing
from recognition.services.archives import Refusal
from recognition.services.erasing import erase_person, finish_erasures
from recognition.services.importing import JOB_KIND, ImportReport
from recognition.services.merging import merge_profiles
from recognition.services.profiles import create_profile, split_profile
from recognition.services.retaining import forget_in_time_if_due
from recognition.services.samples import enrol_picture, move_samples
from tests.integration.recognition.known_people import (
    MODEL,
    Known,
    make_doubt,
    make_face,
    make_known,
    make_person,
    places_with,
    stored_names,
)
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent, Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit
from video_analysis.services.live.pictures import slot_name
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import tell_sighting
from video_analysis.services.recognising.storing import RefusedError, store_sighting
from video_analysis.services.recognising.visitors import name_visitor

pytestmark = pytest.mark.django_db(transaction=True)

# Where the id of somebody who is gone may still stand: it leads to nobody.
ID_MAY_STAY = {
    "recognition_erasurereport.subject",
    "recognition_gallerychange.profile_id",
    "common_auditentry.object_id",
    "common_auditentry.details",
}


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """A data folder of this test's own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.MEDIA_ROOT = settings.DATA_DIR / "media"
    settings.SIGHTLINE_MIN_FREE_BYTES = 0
    return Path(settings.DATA_DIR)


@pytest.fixture
def chief(db: None) -> Any:
    return make_user("grace", "administrator")


@pytest.fixture
def known(chief: Any, user: Any) -> Known:
    return make_known(chief, user)


def found_by(report: ErasureReport) -> dict[str, int]:
    return {check["code"]: check["found"] for check in report.checks}


def who_is(seed: int) -> uuid.UUID | None:
    [match] = match_faces([make_face(seed)], model=MODEL)
    return match.profile_id if match.state == "known" else None


def sums(names: Any) -> set[str]:
    root = Path(default_storage.location)
    return {hashlib.sha256((root / name).read_bytes()).hexdigest() for name in names}


# ---------------------------------------------------------------- everywhere
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


# ---------------------------------------------------------------- videos and originals
def test_the_page_of_a_video_goes_on_without_its_pictures(
    known: Known, chief: Any, user: Any, client: Client
) -> None:
    client.force_login(user)
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    page = client.get(f"/videos/{known.session.pk}/")
    assert page.status_code == 200
    assert "somebody in it was to be forgotten" in page.content.decode()
    for name, more, status in (
        ("annotated", (), 404),
        ("snapshot", (1,), 404),
        ("moment", (0,), 404),
        ("tracks", (), 200),
        ("heat", (), 200),
        ("original", (), 200),
    ):
        address = reverse(f"videos:{name}", args=[known.session.pk, *more])
        assert client.get(address).status_code == status, name
    known.session.video.refresh_from_db()
    assert known.session.video.heat is not None  # shows where, not who


def test_originals_are_listed_and_stay_unless_asked_for(known: Known, chief: Any) -> None:
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    check = next(check for check in report.checks if check["code"] == "originals")
    upload = known.session.upload
    assert check["sessions"] == {str(upload.pk): [str(known.session.pk)]}
    assert default_storage.exists(upload.file.name)


def test_originals_go_when_asked_for(known: Known, chief: Any, user: Any, client: Client) -> None:
    name = known.session.upload.file.name
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request", originals=True)
    assert found_by(report)["originals"] == 0
    assert not default_storage.exists(name)
    client.force_login(user)
    assert client.get(f"/videos/{known.session.pk}/").status_code == 200
    assert Upload.objects.get(pk=known.session.upload_id).removed_at is not None


def test_an_upload_of_the_enrolment_photo_is_listed(known: Known, chief: Any) -> None:
    other = Upload.objects.get(pk=known.session.upload_id)
    Sighting.objects.filter(analysis__isnull=False).delete()
    FaceSample.objects.filter(profile=known.person).update(picture_sha256=other.sha256)
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    check = next(check for check in report.checks if check["code"] == "originals")
    assert list(check["sessions"]) == [str(other.pk)]


# ---------------------------------------------------------------- merged people
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


# ---------------------------------------------------------------- once, twice, half way
def test_once_more_changes_nothing(known: Known, chief: Any) -> None:
    first = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    lines = AuditEntry.objects.count()
    again = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert (again.pk, again.finished_at) == (first.pk, first.finished_at)
    assert ErasureReport.objects.count() == 1
    assert AuditEntry.objects.count() == lines


@pytest.mark.parametrize(
    ("person", "reason", "code"),
    [(uuid.UUID(int=7), "request", "not_found"), (uuid.UUID(int=7), "boredom", "invalid")],
)
def test_strangers_and_strange_reasons_are_refused(
    chief: Any, person: uuid.UUID, reason: str, code: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        erase_person(actor=chief, profile_id=person, reason=reason)
    assert refused.value.code == code
    assert not ErasureReport.objects.exists()


STEPS = ("delete_files", "forget_in_cache", "note_erasure", "check_traces", "_backups")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["call", "sweeper"])
def test_whoever_is_interrupted_is_continued(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch, step: str, how: str
) -> None:
    person = known.person.pk
    with monkeypatch.context() as patched:
        patched.setattr("common.people.files.delete_files", lambda names: None)

        def die(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        patched.setattr(erasing, step, die)
        with pytest.raises(KeyboardInterrupt):
            erase_person(actor=chief, profile_id=person, reason="request")
    report = ErasureReport.objects.get()
    assert report.finished_at is None
    assert places_with("Erika", "erika@example.org") == set()  # not in the plan, either
    assert not Profile.objects.filter(pk=person).exists()
    if how == "call":
        report = erase_person(actor=chief, profile_id=person, reason="request")
    else:
        assert finish_erasures() == 0  # it may still be at work
        ErasureReport.objects.update(started_at=timezone.now() - 2 * erasing.UNFINISHED_AFTER)
        assert finish_erasures() == 1
        report = ErasureReport.objects.get()
    assert report.finished_at is not None
    assert not any(check["found"] for check in report.checks if check["must"])
    assert not set(known.shown) & stored_names()
    assert "sealed" not in json.dumps(report.checks)


def test_what_fails_before_the_rows_are_gone_changes_nothing(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_names()

    def fail(person: uuid.UUID) -> Any:
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "_run_handlers", fail)
        with pytest.raises(OperationalError):
            erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert not ErasureReport.objects.exists()
    assert stored_names() == before
    assert who_is(1) == known.person.pk


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    def one(number: int) -> Any:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_two_at_once_write_one_report(known: Known, chief: Any) -> None:
    barrier = threading.Barrier(2)

    def erase(number: int) -> ErasureReport:
        barrier.wait()
        return erase_person(actor=chief, profile_id=known.person.pk, reason="request")

    reports = in_threads(erase, 2)
    assert {report.pk for report in reports} == {ErasureReport.objects.get().pk}
    assert ErasureReport.objects.get().erased["samples"] == 2
    assert not set(known.shown) & stored_names()
    assert AuditEntry.objects.filter(action=AuditEntry.Action.DELETED).count() == 1


def seen_now(camera: Camera, person: Profile) -> SightingChange:
    """What the cameras' writer takes, of a track that has just been decided."""
    now = timezone.now()
    return SightingChange(
        id=uuid.uuid4(),
        camera_id=camera.pk,
        area_id=camera.area_id,
        place="Door",
        track=uuid.uuid4(),
        track_number=1,
        state=Sighting.State.KNOWN,
        match=Match("known", person.pk, 0.3, 0.95),
        start=now,
        end=now,
        consented_only=False,
        model=MODEL,
        faces=3,
    )


def test_a_camera_that_sees_the_person_meanwhile_leaves_nothing(known: Known, chief: Any) -> None:
    person, camera = known.person, known.camera
    over, refused, written = threading.Event(), threading.Event(), threading.Event()

    def watch(number: int) -> None:
        while not over.is_set():
            try:
                news = store_sighting(seen_now(camera, person), is_new=True)
                assert news is not None
                tell_sighting(news)  # which makes a visit of it
                written.set()
            except RefusedError:
                refused.set()
            except OperationalError:  # SQLite: somebody else is writing
                continue

    def erase(number: int) -> ErasureReport:
        try:
            assert written.wait(10)
            report = erase_person(actor=chief, profile_id=person.pk, reason="request")
            assert refused.wait(10)  # from now on the camera is refused
            return report
        finally:
            over.set()

    report = in_threads(lambda number: (watch, erase)[number](number), 2)[1]
    assert not any(check["found"] for check in report.checks if check["must"])
    assert places_with(str(person.pk), person.pk.hex) - ID_MAY_STAY == set()


def test_somebody_who_enrols_the_person_meanwhile_leaves_nothing(known: Known, chief: Any) -> None:
    person = known.person
    barrier = threading.Barrier(2)

    def work(number: int) -> Any:
        barrier.wait()
        if number:
            return erase_person(actor=chief, profile_id=person.pk, reason="request")
        for attempt in range(10):
            try:
                make_doubt(person, 60 + attempt)
            except (ServiceError, IntegrityError):
                return None
        return None

    report = in_threads(work, 2)[1]
    assert not any(check["found"] for check in report.checks if check["must"])
    assert not FaceReview.objects.filter(candidate=person.pk).exists()
    crops = set(FaceReview.objects.values_list("crop", flat=True))
    assert {name for name in stored_names() if name.startswith("reviews/")} == crops


# ---------------------------------------------------------------- backups
def test_backups_that_hold_the_person_are_named(known: Known, chief: Any, data_dir: Path) -> None:
    here = make_backup()
    elsewhere = make_backup(target=data_dir.parent / "elsewhere.tar")
    report = erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    named = {row["file"]: row["is_here"] for row in report.backups}
    assert named == {here.path.name: True, elsewhere.path.name: False}


def test_older_backups_are_not_named(chief: Any, user: Any) -> None:
    make_person(chief, 8, name="Somebody else")
    make_backup()
    person = make_person(chief, 9, name="Came later")
    assert erase_person(actor=chief, profile_id=person.pk, reason="request").backups == []


@pytest.mark.parametrize("change", ["split", "moved", "named"])
def test_backups_of_before_somebody_had_a_profile_are_named(
    known: Known, chief: Any, change: str
) -> None:
    person = known.person
    VisitorFace.objects.all().delete()
    visitor = Visitor.objects.create(area=known.area, number=9)
    face = make_face(70).astype("<f4").tobytes()
    ends = timezone.now() + timedelta(hours=1)
    VisitorFace.objects.create(visitor=visitor, embedding=face, model=MODEL, expires_at=ends)
    Sighting.objects.create(camera=known.camera, visitor=visitor, state="visitor")
    backup = make_backup()
    samples = [person.samples.latest("created_at")]
    if change == "named":
        late = name_visitor(actor=chief, visitor=visitor, name="Late", kind="customer")
    elif change == "split":
        late = split_profile(actor=chief, profile=person, samples=samples, name="Late")
    else:
        late = create_profile(actor=chief, kind="customer", name="Late")
        move_samples(actor=chief, samples=samples, target=late)
    report = erase_person(actor=chief, profile_id=late.pk, reason="request")
    assert [row["file"] for row in report.backups] == [backup.path.name]


def test_a_restore_brings_nobody_back(known: Known, chief: Any, tmp_path: Path) -> None:
    backup = make_backup(target=tmp_path / "with.tar")
    assert backup.missing == 0
    person, other = known.person.pk, known.other.pk
    erase_person(actor=chief, profile_id=person, reason="request")
    erase_person(actor=chief, profile_id=other, reason="request")
    journal_path().write_text(
        "".join(line for line in journal_path().open() if str(other) not in line) + "not a line\n"
    )
    connection.close()
    restore_backup(path=backup.path, replace=True)
    assert list(Profile.objects.values_list("pk", flat=True)) == [other]
    assert default_storage.exists(known.other.photo.name)  # people/ is in backups
    assert all(default_storage.exists(row.crop.name) for row in FaceSample.objects.all())
    assert not set(known.shown) & stored_names()
    report = ErasureReport.objects.get()
    assert (report.subject, report.reason) == (person, "restore")
    assert who_is(1) is None
    assert who_is(2) == other


def test_a_server_that_starts_looks_whether_anybody_is_back(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = known.person
    erase_person(actor=chief, profile_id=person.pk, reason="request")
    Profile(pk=person.pk, kind="customer", name="Back again").save(force_insert=True)
    monkeypatch.setattr("recognition.services.retaining._state", {"journal_read": False})
    forget_in_time_if_due()
    assert not Profile.objects.filter(pk=person.pk).exists()


def test_a_list_that_stayed_elsewhere_is_made_again(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    journal_path().unlink()
    for _ in range(2):
        monkeypatch.setattr("recognition.services.retaining._state", {"journal_read": False})
        forget_in_time_if_due()
        assert [line.person for line in read_erasures()] == [known.person.pk]


@pytest.mark.parametrize(
    "torn", [b'{"person": "1', b"\xff\xfe", b"[]\n", b'{"person": 5}\n', b"\n"]
)
def test_a_line_that_broke_off_swallows_no_other(torn: bytes) -> None:
    first, second = (Erasure(uuid.UUID(int=n), (), timezone.now()) for n in (1, 2))
    note_erasure(first)
    with journal_path().open("ab") as file:
        file.write(torn)
    note_erasure(second)
    assert read_erasures() == [first, second]


def test_a_line_that_is_not_written_to_its_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [Erasure(uuid.UUID(int=n), (), timezone.now()) for n in range(3)]
    note_erasure(lines[0])
    with monkeypatch.context() as patched:
        write = os.write
        patched.setattr(os, "write", lambda where, data: write(where, data[:20]))
        with pytest.raises(OSError, match="not written"):
            note_erasure(lines[1])
    note_erasure(lines[2])
    assert read_erasures() == [lines[0], lines[2]]


def test_a_bad_start_does_not_stop_forgetting(
    known: Known, chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {"journal_read": False}
    monkeypatch.setattr("recognition.services.retaining._state", state)
    for person in (known.person, known.other):
        erase_person(actor=chief, profile_id=person.pk, reason="request")
        Profile(pk=person.pk, kind="customer", name="Back again").save(force_insert=True)
    journal_path().open("ab").write(b"\xff\n")
    stuck = min(known.person.pk, known.other.pk)
    erase = erasing.erase_person

    def fail(**arguments: Any) -> Any:
        if arguments["profile_id"] == stuck:
            raise OSError("the folder cannot be written to")
        return erase(**arguments)

    VisitorFace.objects.update(expires_at=timezone.now())
    cache.clear()
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "erase_person", fail)
        assert forget_in_time_if_due() == 1
    assert not VisitorFace.objects.exists()
    assert Profile.objects.get().pk == stuck
    forget_in_time_if_due()
    assert Profile.objects.exists()  # not in each sweep
    state["due"] = 0.0
    forget_in_time_if_due()
    assert not Profile.objects.exists()
    assert state["journal_read"]


def test_rows_are_held_in_the_order_of_all_who_work_on_people(known: Known, chief: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    statements = [query["sql"] for query in queries]
    profile, gallery, reviews, sightings = (
        next(place for place, text in enumerate(statements) if all(part in text for part in parts))
        for parts in (
            ("SELECT", 'FROM "recognition_profile"', "LIMIT 1"),
            ('UPDATE "recognition_gallerystate"',),
            ('SELECT "recognition_facereview"."id"', "ORDER BY 1 ASC"),
            ('DELETE FROM "video_analysis_sighting"',),
        )
    )
    assert profile < gallery < reviews < sightings
    writes = ("UPDATE ", "DELETE ", "INSERT ")
    assert [text for text in statements[:gallery] if text.startswith(writes)] == []


def test_files_of_people_that_no_row_knows_are_swept(known: Known, chief: Any) -> None:
    import time

    lost = [default_storage.save(f"{folder}/aa/lost.jpg", ContentFile(b"x")) for folder in FOLDERS]
    fresh = default_storage.save("faces/aa/fresh.jpg", ContentFile(b"x"))
    old = time.time() - 7200
    for name in set(stored_names()) - {fresh}:
        os.utime(default_storage.path(name), (old, old))
    before = stored_names()
    run_cleanup()
    assert stored_names() == before - set(lost)


FOLDERS = ("people", "faces", "reviews")


# ---------------------------------------------------------------- real faces
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


def test_the_events_of_others_keep_their_rows(known: Known, chief: Any) -> None:
    before = CameraEvent.objects.count()
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    assert CameraEvent.objects.count() == before
    assert CameraEvent.objects.exclude(picture="").count() == 1


def test_the_command_line_can_clean_up_beside_it(known: Known, chief: Any) -> None:
    erase_person(actor=chief, profile_id=known.person.pk, reason="request")
    call_command("cleanup")
    assert Profile.objects.get() == known.other

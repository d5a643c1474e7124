"""Somebody is forgotten once: asked twice, broken off half way, and while others are at work."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.errors import ServiceError
from common.models import AuditEntry
from recognition.index import Match
from recognition.models import ErasureReport, FaceReview, Profile
from recognition.services import erasing
from recognition.services.erasing import erase_person, finish_erasures
from tests.integration.recognition.known_people import (
    ID_MAY_STAY,
    MODEL,
    Known,
    make_doubt,
    places_with,
    stored_names,
    who_is,
)
from video_analysis.cameras.models import Camera
from video_analysis.models import Sighting
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import tell_sighting
from video_analysis.services.recognising.storing import RefusedError, store_sighting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_dir")]


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

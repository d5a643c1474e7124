"""Visitors without a name: who becomes one, who comes back, and who never does."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from recognition.index import Match
from recognition.models import FaceReview
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.erasing import erase_person
from tests.integration.conftest import make_user
from tests.integration.video_analysis.face_fakes import (  # noqa: F401
    ADA,
    BEN,
    NOBODY,
    FakeEngine,
    Stage,
    embedding_of,
    engine,
    enrol,
    heard,
    hurry,
    known,
    make_area,
    make_camera,
    play_for,
    play_until,
    stage,
    watcher,
)
from video_analysis.cameras.models import Camera
from video_analysis.models import Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit
from video_analysis.services.recognising import writer
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.storing import store_sighting
from video_analysis.services.recognising.visitors import find_visitor, name_visitor, read_faces
from video_analysis.services.recognising.watcher import FaceWatcher
from vision.faces import FaceQuality
from vision.faces.voting import KeptFace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hurry")]


def test_of_unknown_faces_nothing_is_kept(stage: Stage, engine: FakeEngine) -> None:
    enrol("Ada", ADA)
    stage.people = {1: NOBODY}
    play_until(stage, lambda: engine.faces.calls > 15)
    stage.people = {}
    play_for(stage, 0.3)
    assert not Sighting.objects.exists()
    assert not VisitorFace.objects.exists()
    assert not FaceReview.objects.exists()


def test_visitors_come_back_and_get_a_name(watcher: FaceWatcher, heard: list[SightingNews]) -> None:
    stage = Stage(watcher, make_camera(make_area(group_unknown=True)))
    stage.people = {1: NOBODY, 2: BEN}
    play_until(stage, lambda: Sighting.objects.count() == 2)
    assert set(Visitor.objects.values_list("number", flat=True)) == {1, 2}
    assert {told.visitor_id for told in heard} == set(Visitor.objects.values_list("pk", flat=True))
    stage.people = {}
    play_for(stage, 0.5)
    stage.people = {3: NOBODY}
    play_until(stage, lambda: Sighting.objects.count() == 3)
    again = Sighting.objects.get(track_number=3)
    first = Sighting.objects.get(track_number=1)
    assert again.visitor is not None
    assert again.visitor == first.visitor
    hours = (VisitorFace.objects.latest("expires_at").expires_at - timezone.now()).total_seconds()
    assert 0 < hours <= 24 * 3600
    stage.people = {}
    play_for(stage, 0.5)
    user = make_user("eva")
    visit = Visit.objects.filter(visitor=again.visitor).first() or Visit.objects.create(
        visitor=again.visitor, area=again.area
    )
    nora = name_visitor(actor=user, visitor=again.visitor, name="Nora", kind="customer")
    assert nora.samples.count() >= 2
    assert Sighting.objects.filter(profile=nora, state="known").count() == 2
    assert Visit.objects.get(pk=visit.pk).profile == nora
    nora.refresh_from_db()
    assert nora.visit_count == 1
    assert Visitor.objects.count() == 1
    stage.people = {4: NOBODY}
    play_until(stage, lambda: Sighting.objects.filter(track_number=4).exists())
    assert Sighting.objects.get(track_number=4).profile == nora


def test_two_cameras_make_one_visitor_of_one_person(watcher: FaceWatcher) -> None:
    area = make_area(group_unknown=True)
    first = Stage(watcher, make_camera(area))
    second = Stage(watcher, Camera.objects.create(name="Till", address="loop:till.mp4", area=area))
    first.people = second.people = {1: NOBODY}

    def both() -> bool:
        second.play()
        return Sighting.objects.count() == 2

    play_until(first, both)
    assert Visitor.objects.count() == 1


def test_who_is_erased_while_being_seen_becomes_no_visitor(watcher: FaceWatcher) -> None:
    ada = enrol("Ada", ADA)
    stage = Stage(watcher, make_camera(make_area(group_unknown=True)))
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(known()))
    erase_person(actor=make_user("root", "administrator"), profile_id=ada.pk, reason="request")
    play_for(stage, 1.5)
    stage.people = {2: NOBODY}
    play_until(stage, Visitor.objects.exists)
    play_for(stage, 0.5)
    assert Sighting.objects.get().track_number == 2


def test_who_does_not_agree_becomes_no_visitor(watcher: FaceWatcher) -> None:
    ada = enrol("Ada", ADA)
    enrol("Ben", BEN)
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=ada)
    stage = Stage(watcher, make_camera(make_area(group_unknown=True, consent_required=True)))
    stage.people = {1: ADA, 2: BEN}
    play_until(stage, lambda: bool(known()))
    withdraw_consent(actor=None, profile=ada)
    play_for(stage, 1.0)
    stage.people = {3: ADA, 4: NOBODY}
    play_until(stage, Visitor.objects.exists)
    play_for(stage, 0.5)
    seen = Sighting.objects.values_list("track_number", "state")
    assert set(seen) == {(1, "known"), (4, "visitor")}


@pytest.mark.parametrize("erased", [True, False])
def test_a_visitor_who_waits_for_the_database_is_not_written_after_an_erasure(
    erased: bool, watcher: FaceWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say any more whether it is the face of who was to be forgotten."""
    ada = enrol("Ada", ADA)
    store, waiting, back = writer.store_sighting, threading.Event(), threading.Event()

    def wait(*args: Any, **options: Any) -> Any:
        waiting.set()
        if not back.is_set():
            raise OperationalError("away")
        return store(*args, **options)

    monkeypatch.setattr(writer, "store_sighting", wait)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    stage = Stage(watcher, make_camera(make_area(group_unknown=True)))
    stage.people = {1: NOBODY}
    play_until(stage, waiting.is_set)
    if erased:
        erase_person(actor=make_user("root", "administrator"), profile_id=ada.pk, reason="request")
    back.set()
    play_for(stage, 1.5)
    assert Visitor.objects.exists() is not erased


def change_of(area: Any, camera: Camera, person: int, **values: Any) -> SightingChange:
    quality = FaceQuality(size=60.0, sharpness=0.8, yaw=0.0, pitch=0.0, roll=0.0)
    moment = timezone.now()
    return SightingChange(
        **{
            **{"id": uuid4(), "camera_id": camera.pk, "area_id": area.pk, "place": "Door"},
            **{"track": uuid4(), "track_number": 1, "state": "visitor"},
            **{"match": Match("unknown"), "start": moment, "end": moment},
            **{"consented_only": False, "model": "fake-128", "faces": 1},
            "kept": (KeptFace(embedding_of(person), quality, 0.0, None, 0.9),),
            **values,
        }
    )


def test_faces_that_come_while_others_are_read_are_compared_as_well() -> None:
    area = make_area(group_unknown=True)
    camera = make_camera(area)
    change = change_of(area, camera, NOBODY)
    before = read_faces(change)
    assert before.faces.shape == (0, 128)
    store_sighting(change_of(area, camera, BEN), is_new=True)
    store_sighting(change_of(area, camera, NOBODY), is_new=True)
    again = read_faces(change, before)
    assert (len(again.visitors), again.owners.tolist()) == (2, [0, 1])
    assert read_faces(change, again) is again
    with transaction.atomic():
        assert find_visitor(change, before, at=change.start) == Visitor.objects.get(number=2)
    assert Visitor.objects.count() == 2


@pytest.mark.parametrize("gone", [Visitor, VisitorFace])
def test_faces_that_go_meanwhile_are_nobodys(gone: Any) -> None:
    area = make_area(group_unknown=True)
    camera = make_camera(area)
    store_sighting(change_of(area, camera, NOBODY), is_new=True)
    change = change_of(area, camera, NOBODY)
    known_faces = read_faces(change)
    first = Visitor.objects.get()
    gone.objects.all().delete()
    with transaction.atomic():
        assert find_visitor(change, known_faces, at=change.start) != first

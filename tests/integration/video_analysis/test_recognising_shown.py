"""Faces that a camera hides: whom it clears, and what is kept of them."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from recognition.models import FaceReview
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.erasing import erase_person
from tests.integration.conftest import make_user
from tests.integration.recognition.known_people import add_event
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
    watcher,
)
from video_analysis.models import CameraEvent, Sighting
from video_analysis.retail.models import Visit
from video_analysis.services.recognising import cleared_tracks, worker
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.watcher import FaceWatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hurry")]


@pytest.mark.parametrize(
    "hidden",
    [{"faces": "hidden"}, {"faces": "consented"}, {"hide_people": True}],
    ids=["faces hidden", "only consented", "people hidden"],
)
def test_nobody_is_asked_about_faces_that_a_camera_hides(
    hidden: dict[str, Any], watcher: FaceWatcher, engine: FakeEngine
) -> None:
    ada = enrol("Ada", ADA)
    enrol("Ben", BEN)
    engine.faces.who = {NOBODY: embedding_of(ADA, towards=BEN)}
    stage = Stage(watcher, make_camera(make_area(group_unknown=True), **hidden))
    stage.people = {1: NOBODY}
    play_for(stage, 1.0)
    stage.people = {2: ADA}
    play_until(stage, lambda: bool(known()))
    assert Sighting.objects.get().profile == ada
    assert not FaceReview.objects.exists()


def test_only_faces_of_people_who_have_agreed_are_cleared(watcher: FaceWatcher) -> None:
    ada = enrol("Ada", ADA)
    enrol("Ben", BEN)
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=ada)
    stage = Stage(watcher, make_camera(make_area(recognise=False), faces="consented"))
    camera = stage.camera.pk
    stage.people = {1: ADA, 2: BEN, 3: NOBODY}
    play_until(stage, lambda: cleared_tracks(camera) == {1})
    assert not Sighting.objects.exclude(state="shown").exists()  # nobody is recognised there
    withdraw_consent(actor=None, profile=ada)
    play_until(stage, lambda: cleared_tracks(camera) == frozenset())
    record_consent(actor=None, profile=ada)
    play_until(stage, lambda: cleared_tracks(camera) == {1})
    stage.people = {1: BEN}
    play_until(stage, lambda: cleared_tracks(camera) == frozenset())
    watcher.on_scene_end(camera)
    assert cleared_tracks(camera) == frozenset()


@pytest.mark.parametrize("lost", ["match_faces", "still_there"])
def test_nobody_is_shown_while_the_database_is_away(
    lost: str, watcher: FaceWatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was cleared last may have withdrawn since, and another may stand there."""
    ada = enrol("Ada", ADA)
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=ada)
    monkeypatch.setattr(worker, "CLEAR_SECONDS", 0.5)
    stage = Stage(watcher, make_camera(make_area(recognise=False), faces="consented"))
    camera = stage.camera.pk
    stage.people = {1: ADA}
    play_until(stage, lambda: cleared_tracks(camera) == {1})
    play_for(stage, 1.0)
    assert cleared_tracks(camera) == {1}

    def fail(*args: Any, **options: Any) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as away:
        away.setattr(worker, lost, fail)
        play_until(stage, lambda: cleared_tracks(camera) == frozenset(), 5.0)
        play_for(stage, 0.5)
        assert cleared_tracks(camera) == frozenset()
    play_until(stage, lambda: cleared_tracks(camera) == {1})


def test_pictures_of_who_is_shown_without_a_name_go_with_them(
    watcher: FaceWatcher, heard: list[SightingNews]
) -> None:
    ada, ben = enrol("Ada", ADA), enrol("Ben", BEN)
    publish_consent_text(actor=None, text="You agree.")
    for person in (ada, ben):
        record_consent(actor=None, profile=person)
    stage = Stage(watcher, make_camera(make_area(recognise=False), faces="consented"))
    stage.people = {1: ADA}
    play_until(stage, Sighting.objects.exists)
    row = Sighting.objects.get()
    assert (row.state, row.profile, row.area) == ("shown", ada, None)
    stage.people = {2: BEN}
    play_until(stage, lambda: Sighting.objects.filter(profile=ben).exists())
    pictures = {
        moment: add_event(stage.camera, None, moment, number)
        for number, moment in enumerate([row.start, row.start - timedelta(hours=1)])
    }
    erase_person(actor=make_user("root", "administrator"), profile_id=ada.pk, reason="request")
    kept = CameraEvent.objects.exclude(picture="").values_list("picture", flat=True)
    assert set(kept) == {pictures[row.start - timedelta(hours=1)]}
    assert not Sighting.objects.filter(profile=ada).exists()
    assert not heard
    assert not Visit.objects.exists()

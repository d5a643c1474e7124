"""Decisions on their way into the database: refused, waiting, and without pictures."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, OperationalError, ProgrammingError

from recognition.services.erasing import erase_person
from tests.integration.conftest import make_user, wait_until
from tests.integration.video_analysis.face_fakes import (  # noqa: F401
    ADA,
    BEN,
    NOBODY,
    STRANGER,
    FakeEngine,
    Stage,
    embedding_of,
    engine,
    enrol,
    hurry,
    known,
    make_area,
    make_camera,
    play_for,
    play_until,
    stage,
    watcher,
)
from video_analysis.models import Sighting
from video_analysis.services.recognising import writer
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.watcher import FaceWatcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hurry")]


def test_who_is_erased_while_being_seen_is_not_written_again(stage: Stage) -> None:
    ada = enrol("Ada", ADA)
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(known()))
    erase_person(actor=make_user("root", "administrator"), profile_id=ada.pk, reason="request")
    play_for(stage, 1.0)
    assert not Sighting.objects.exists()
    stage.people = {}
    play_for(stage, 0.5)
    assert not Sighting.objects.exists()


def test_what_was_seen_waits_for_the_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol("Ada", ADA)
    away = [3]
    store = writer.store_sighting

    def fail_first(*args: Any, **options: Any) -> Any:
        if away[0]:
            away[0] -= 1
            raise OperationalError("away")
        return store(*args, **options)

    monkeypatch.setattr(writer, "store_sighting", fail_first)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.05)
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(known()))
    assert away == [0]
    assert len(known()) == 1


@pytest.mark.parametrize("error", [DataError, ProgrammingError])
def test_a_row_that_cannot_be_written_holds_up_nobody_else(
    error: type[Exception], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol("Ada", ADA)
    ben = enrol("Ben", BEN)
    store = writer.store_sighting

    def refuse_ada(change: SightingChange, **options: Any) -> Any:
        if change.match.profile_id != ben.pk:
            raise error("bad row")
        return store(change, **options)

    monkeypatch.setattr(writer, "store_sighting", refuse_ada)
    stage.people = {1: ADA, 2: BEN}
    play_until(stage, lambda: bool(known()))
    assert [row.profile for row in known()] == [ben]


def test_what_waits_for_the_database_takes_no_pictures_along(
    watcher: FaceWatcher, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol("Ada", ADA)
    enrol("Ben", BEN)
    engine.faces.who = {NOBODY: embedding_of(ADA, towards=BEN)}
    told: list[SightingChange] = []
    monkeypatch.setattr(writer.SightingWriter, "add", lambda _, change: told.append(change))
    monkeypatch.setattr(writer.SightingWriter, "stop", lambda *_: True)
    monkeypatch.setattr(writer.SightingWriter, "start", lambda _: None)
    stage = Stage(watcher, make_camera(make_area(group_unknown=True, mood=True)))
    stage.people = {1: ADA, 2: NOBODY, 3: STRANGER}
    play_until(stage, lambda: len({change.track_number for change in told}) == 3)
    newest = {change.track_number: change for change in told}
    faces = {number: len(change.kept) for number, change in newest.items()}
    assert (faces[1], faces[2]) == (0, 1)
    assert faces[3] >= 5
    assert not any(face.crop is not None for change in told for face in change.kept)
    assert [newest[number].crop[:2] for number in (1, 2, 3)] == [b"", b"\xff\xd8", b""]
    stage.people = {}
    play_until(stage, lambda: sum(change.ended for change in told) == 3)
    wait_until(lambda: not any(len(change.refuse.args[0].votes) for change in told))  # type: ignore[attr-defined]

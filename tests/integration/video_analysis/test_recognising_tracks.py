"""People before cameras: one decision per track, and what it costs."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition.models import FaceReview
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.reviews import answer_review
from tests.integration.conftest import make_user, wait_until
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
from video_analysis.models import Sighting
from video_analysis.services.recognising import metrics
from video_analysis.services.recognising import scenes as scenes_module
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.watcher import FaceWatcher
from vision.weights.cards import FACE_CARDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hurry")]


def test_who_is_known_is_written_once_and_told(stage: Stage, heard: list[SightingNews]) -> None:
    ada = enrol("Ada", ADA)
    stage.people = {4: ADA}
    play_until(stage, lambda: len(heard) >= 2)
    row = Sighting.objects.get()
    assert (row.state, row.profile_id, row.track_number) == ("known", ada.pk, 4)
    assert (row.track, row.camera, row.area) == (stage.rows[4], stage.camera, stage.camera.area)
    assert row.faces >= 3
    assert row.distance is not None
    assert row.distance < 0.1
    assert not heard[0].ended
    stage.people = {}
    play_until(stage, lambda: heard[-1].ended)
    row = Sighting.objects.get()
    assert heard[-1] == SightingNews(
        sighting_id=row.pk,
        camera_id=stage.camera.pk,
        area_id=row.area_id,
        profile_id=ada.pk,
        visitor_id=None,
        staff=False,
        at=row.end,
        ended=True,
    )
    assert [told.ended for told in heard].count(True) == 1


def test_two_people_are_not_taken_for_each_other(stage: Stage) -> None:
    people = {ADA: enrol("Ada", ADA), BEN: enrol("Ben", BEN)}
    stage.people = {1: BEN, 2: ADA}
    play_until(stage, lambda: len(known()) == 2)
    found = {row.track_number: row.profile_id for row in known()}
    assert found == {1: people[BEN].pk, 2: people[ADA].pk}


@pytest.mark.parametrize(
    ("area", "camera"),
    [
        pytest.param(None, {}, id="no area"),
        pytest.param({"recognise": False}, {}, id="switched off"),
        pytest.param({"recognise": False}, {"faces": "hidden"}, id="all faces hidden"),
    ],
)
def test_nothing_is_looked_at_where_it_is_not_allowed(
    area: dict[str, Any] | None,
    camera: dict[str, Any],
    watcher: FaceWatcher,
    engine: FakeEngine,
) -> None:
    enrol("Ada", ADA)
    stage = Stage(watcher, make_camera(make_area(**area) if area is not None else None, **camera))
    stage.people = {1: ADA}
    play_for(stage, 0.3)
    assert engine.faces.calls == 0
    assert not Sighting.objects.exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("face-")]


def check_costs_nothing(stage: Stage, engine: FakeEngine) -> None:
    """A frame without a question is not looked at, copied or written about."""
    result = stage.frame()
    unseen = replace(result, frame=replace(result.frame, image=cast(Any, object())))
    calls = engine.faces.calls
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            stage.watcher.on_result(stage.camera.pk, unseen, ())
    assert not queries.captured_queries
    assert engine.faces.calls == calls


def test_a_frame_costs_next_to_nothing_where_nobody_is_recognised(
    watcher: FaceWatcher, engine: FakeEngine
) -> None:
    stage = Stage(watcher, make_camera(make_area(recognise=False)))
    stage.people = dict.fromkeys(range(1, 4), ADA)
    stage.play()
    check_costs_nothing(stage, engine)


def test_a_frame_costs_next_to_nothing_between_two_looks(
    stage: Stage, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes_module, "LOOK_SECONDS", 60.0)
    stage.people = dict.fromkeys(range(1, 4), ADA)
    stage.play()
    wait_until(lambda: engine.faces.calls == 1)
    check_costs_nothing(stage, engine)


def test_a_change_of_the_area_counts_at_once(stage: Stage, heard: list[SightingNews]) -> None:
    enrol("Ada", ADA)
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(heard))
    area = stage.camera.area
    assert area is not None
    area.recognise = False
    area.save()
    stage.setup_again()
    wait_until(lambda: heard[-1].ended)
    before = Sighting.objects.get().end
    play_for(stage, 0.3)
    assert Sighting.objects.get().end == before
    area.recognise = True
    area.save()
    stage.setup_again()
    play_until(stage, lambda: Sighting.objects.count() == 2)


def test_who_has_not_agreed_is_nobody_where_consent_is_needed(
    watcher: FaceWatcher, heard: list[SightingNews]
) -> None:
    ada, ben = enrol("Ada", ADA), enrol("Ben", BEN)
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=ada)
    stage = Stage(watcher, make_camera(make_area(consent_required=True)))
    stage.people = {1: ADA, 2: BEN}
    play_until(stage, lambda: bool(known()))
    play_for(stage, 0.3)
    assert [row.profile_id for row in known()] == [ada.pk]
    withdraw_consent(actor=None, profile=ada)
    play_until(stage, lambda: heard[-1].ended)
    play_for(stage, 0.3)
    assert Sighting.objects.count() == 1
    record_consent(actor=None, profile=ben)
    play_until(stage, lambda: Sighting.objects.filter(profile=ben).exists())


def test_numbers_that_swap_take_the_decision_with_them(
    stage: Stage, heard: list[SightingNews]
) -> None:
    ada, ben = enrol("Ada", ADA), enrol("Ben", BEN)
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(known()))
    stage.people = {1: BEN}
    play_until(stage, lambda: Sighting.objects.filter(profile=ben).exists())
    assert Sighting.objects.filter(profile=ada).count() == 1
    assert any(told.ended and told.profile_id == ada.pk for told in heard)
    # The row of the track stays with whom it was first.
    assert Sighting.objects.get(profile=ada).track == stage.rows[1]
    assert Sighting.objects.get(profile=ben).track is None


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param("yes", "known", id="yes"),
        pytest.param("no", "rejected", id="no"),
        pytest.param("other", "known", id="somebody else"),
    ],
)
def test_a_doubt_is_for_a_person(
    answer: str, state: str, stage: Stage, engine: FakeEngine, heard: list[SightingNews]
) -> None:
    ada, ben = enrol("Ada", ADA), enrol("Ben", BEN)
    user = make_user("eva")
    engine.faces.who = {NOBODY: embedding_of(ADA, towards=BEN)}
    stage.people = {1: NOBODY}
    play_until(stage, FaceReview.objects.exists)
    row, review = Sighting.objects.get(), FaceReview.objects.get()
    assert (row.state, row.profile_id) == ("uncertain", None)
    assert (review.origin, review.origin_id, review.place) == ("camera", str(row.pk), "Door")
    assert review.crop.size > 500
    play_for(stage, 0.5)
    assert (FaceReview.objects.count(), Sighting.objects.count(), heard) == (1, 1, [])
    other = ben if review.candidate_id == ada.pk else ada
    answer_review(
        actor=user, review=review, answer=answer, profile=other if answer == "other" else None
    )
    row.refresh_from_db()
    said = {"yes": review.candidate_id, "no": None, "other": other.pk}[answer]
    assert (row.state, row.profile_id) == (state, said)
    assert {told.profile_id for told in heard} == ({said} if said else set())


def test_faces_that_are_not_good_enough_decide_nothing(stage: Stage, engine: FakeEngine) -> None:
    enrol("Ada", ADA)
    engine.faces.flaw = "blurred"
    stage.people = {1: ADA}
    play_until(stage, lambda: engine.faces.calls > 3)
    assert not Sighting.objects.exists()


def test_only_the_newest_frame_waits(stage: Stage, engine: FakeEngine) -> None:
    name = stage.camera.name
    before = metrics.looks.labels(name, "dropped")._value.get()
    hold = threading.Event()
    engine.faces.before = lambda: hold.wait(5) and None
    stage.people = {1: ADA}
    for _ in range(20):
        stage.play()
    time.sleep(0.2)
    stage.play()
    hold.set()
    assert metrics.looks.labels(name, "dropped")._value.get() - before >= 15
    assert engine.faces.calls <= 3


def test_an_empty_scene_and_a_scene_without_a_gallery_do_no_harm(
    stage: Stage, engine: FakeEngine
) -> None:
    play_for(stage, 0.1)
    stage.people = {1: ADA}
    play_until(stage, lambda: engine.faces.calls > 5)
    assert not Sighting.objects.exists()


def test_an_engine_that_fails_is_asked_again(stage: Stage, engine: FakeEngine) -> None:
    enrol("Ada", ADA)
    broken = [True]

    def fail() -> None:
        if broken[0]:
            broken[0] = False
            raise ValueError("broken")

    engine.faces.before = fail
    stage.people = {1: ADA}
    play_until(stage, lambda: bool(known()))


def test_moods_are_those_of_customers_only(
    watcher: FaceWatcher, engine: FakeEngine, heard: list[SightingNews]
) -> None:
    enrol("Ada", ADA)
    enrol("Ben", BEN, kind="staff")
    seen: list[int] = []

    class Happy:
        names = FACE_CARDS["mini-xception-fer2013"].classes

        def classify(self, crops: list[Any]) -> Any:
            seen.extend(int(crop[0, 0, 0]) for crop in crops)
            return np.tile(np.array([[0, 0, 0, 0.75, 0, 0, 0.25]], np.float32), (len(crops), 1))

    engine.moods = Happy()  # type: ignore[attr-defined]
    stage = Stage(watcher, make_camera(make_area(mood=True)))
    stage.people = {1: ADA, 2: BEN}
    play_until(stage, lambda: any(told.mood for told in heard))
    stage.people = {}
    play_until(stage, lambda: sum(told.ended for told in heard) == 2)
    assert set(seen) == {ADA}
    assert {told.staff for told in heard if told.mood} == {False}
    assert {told.staff for told in heard} == {False, True}
    customer = Sighting.objects.get(profile__kind="customer")
    assert (customer.mood["happy"], customer.mood["neutral"]) == (0.75, 0.25)
    assert Sighting.objects.get(profile__kind="staff").mood == {}


def test_the_distance_of_two_people_is_as_the_fakes_promise() -> None:
    between = np.linalg.norm(embedding_of(ADA) - embedding_of(BEN))
    assert between == pytest.approx(0.9, abs=0.01)

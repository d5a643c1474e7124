"""People before cameras: one decision per track, and what becomes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import DataError, OperationalError, ProgrammingError, transaction
from django.utils import timezone

from recognition.index import Match
from recognition.models import FaceReview
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.erasing import erase_person
from recognition.services.reviews import answer_review
from tests.integration.conftest import make_user, wait_until
from tests.integration.recognition.known_people import add_event
from tests.integration.video_analysis.face_fakes import (
    FakeEngine,
    Stage,
    embedding_of,
    enrol,
    make_area,
)
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent, Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit
from video_analysis.services.recognising import cleared_tracks, metrics, news, worker, writer
from video_analysis.services.recognising import scenes as scenes_module
from video_analysis.services.recognising import tracks as tracks_module
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.storing import store_sighting
from video_analysis.services.recognising.visitors import find_visitor, name_visitor, read_faces
from video_analysis.services.recognising.watcher import FaceWatcher
from vision.faces import FaceQuality
from vision.faces.voting import KeptFace
from vision.weights.cards import FACE_CARDS

pytestmark = pytest.mark.django_db(transaction=True)
ADA, BEN, NOBODY, STRANGER = 21, 22, 77, 78


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look several times a second."""
    for module in (scenes_module, tracks_module):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    for name in ("AGAIN_SECONDS", "UNKNOWN_SECONDS", "TICK_SECONDS", "CLEARED_SECONDS"):
        monkeypatch.setattr(worker, name, 0.05)
    monkeypatch.setattr(worker, "REST", 0.0)
    monkeypatch.setattr(worker, "NEWS_SECONDS", 0.3)
    monkeypatch.setattr(scenes_module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(scenes_module, "GONE_SECONDS", -1.5)  # of two of the tracker's


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def watcher(engine: FakeEngine) -> Iterator[FaceWatcher]:
    made = FaceWatcher(engine=lambda: engine)  # type: ignore[arg-type,return-value]
    yield made
    assert made.on_stop(10.0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("face-")]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[SightingNews]:
    told: list[SightingNews] = []
    monkeypatch.setattr(news, "_listeners", [told.append])
    return told


@pytest.fixture
def stage(watcher: FaceWatcher) -> Stage:
    """A camera of an area where anybody may be recognised."""
    return Stage(watcher, make_camera(make_area()))


def make_camera(area: Any, **fields: Any) -> Camera:
    return Camera.objects.create(name="Door", address="loop:door.mp4", area=area, **fields)


def play_until(stage: Stage, condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Show frames until something has come about."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        stage.play()
        time.sleep(0.02)


def play_for(stage: Stage, seconds: float = 1.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        stage.play()
        time.sleep(0.02)


def known() -> list[Sighting]:
    return list(Sighting.objects.filter(state="known"))


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


def test_a_frame_costs_next_to_nothing_where_nobody_is_recognised(watcher: FaceWatcher) -> None:
    stage = Stage(watcher, make_camera(make_area(recognise=False)))
    stage.people = dict.fromkeys(range(1, 4), 0)
    result = stage.frame()
    began = time.perf_counter()
    for _ in range(1000):
        watcher.on_result(stage.camera.pk, result, ())
    assert (time.perf_counter() - began) / 1000 < 0.0002


def test_a_frame_costs_next_to_nothing_between_two_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes_module, "LOOK_SECONDS", 60.0)
    stage.people = dict.fromkeys(range(1, 4), ADA)
    stage.play()
    result = stage.frame()
    began = time.perf_counter()
    for _ in range(1000):
        stage.watcher.on_result(stage.camera.pk, result, ())
    assert (time.perf_counter() - began) / 1000 < 0.0002


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


def test_the_distance_of_two_people_is_as_the_fakes_promise() -> None:
    between = np.linalg.norm(embedding_of(ADA) - embedding_of(BEN))
    assert between == pytest.approx(0.9, abs=0.01)


# ---------------------------------------------------------------- shown without a name
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


# ---------------------------------------------------------------- no visitor against their will
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


# ---------------------------------------------------------------- faces of visitors
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


# ---------------------------------------------------------------- on the way into the database
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

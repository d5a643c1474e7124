"""What is known of people goes in time: by their last visit, by the hour, by what is configured."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.utils import timezone

from common.errors import ServiceError
from common.jobs.presence import SWEEP_KEY
from common.models import AuditEntry
from detection_project.embedded import Sweeper
from integration.conftest import make_user
from recognition.index import match_faces
from recognition.models import ErasureReport, FaceReview, PrivacySettings, Profile
from recognition.services import retaining
from recognition.services.consent import (
    publish_consent_text,
    record_consent,
    withdraw_consent,
)
from recognition.services.erasing import erase_person
from recognition.services.privacy import change_privacy, current_privacy
from recognition.services.retaining import forget_in_time, forget_in_time_if_due
from tests.integration.recognition.known_people import (
    MODEL,
    add_event,
    make_doubt,
    make_face,
    make_known,
    make_person,
    see,
)
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import CameraEvent, Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit
from video_analysis.retail.services import note_sighting
from video_analysis.services.recognising.news import SightingNews

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> None:
    """A data folder of this test's own."""
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def chief(db: None) -> Any:
    return make_user("grace", "administrator")


@pytest.fixture
def area(db: None) -> Area:
    return Area.objects.create(name="Shop", recognise=True, group_unknown=True)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


# ---------------------------------------------------------------- settings
def test_a_new_installation_keeps_people_and_forgets_what_it_need_not_know(chief: Any) -> None:
    row = current_privacy()
    assert (row.customer_days, row.staff_days) == (None, None)
    assert (row.sighting_days, row.review_days, row.visitor_hours) == (30, 7, 24)
    assert not PrivacySettings.objects.exists()  # reading writes nothing
    assert forget_in_time(now=NOW + timedelta(days=10_000)) == {}


def test_a_change_is_written_down_once(chief: Any) -> None:
    for _ in range(2):
        row = change_privacy(actor=chief, customer_days=90, recognise_uploads=False)
    assert (row.pk, row.customer_days, current_privacy().customer_days) == (1, 90, 90)
    line = AuditEntry.objects.get(action=AuditEntry.Action.SETTINGS)
    assert line.details["before"]["customer_days"] is None
    assert line.details["after"]["customer_days"] == 90
    assert (line.actor_name, line.object_name) == ("grace", "Privacy settings")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_days", 0),
        ("customer_days", -3),
        ("staff_days", 10**9),
        ("sighting_days", 0),
        ("sighting_days", None),
        ("review_days", 91),
        ("visitor_hours", 25),
        ("visitor_hours", 0),
        ("visitor_hours", "soon"),
        ("changed_at", NOW),
        ("weather", 1),
    ],
    ids=lambda value: "now" if value is NOW else str(value),
)
def test_settings_that_make_no_sense_are_refused(chief: Any, name: str, value: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        change_privacy(actor=chief, **{name: value})
    assert (refused.value.code, list(refused.value.fields)) == ("invalid", [name])
    assert current_privacy().visitor_hours == 24
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.SETTINGS).exists()


# ---------------------------------------------------------------- people
@pytest.mark.parametrize(
    ("kind", "enrolled", "visited", "goes"),
    [
        ("customer", 29, None, False),
        ("customer", 31, None, True),
        ("customer", 400, 29, False),
        ("customer", 400, 31, True),
        ("staff", 31, None, False),
        ("staff", 400, 364, False),
        ("staff", 400, 366, True),
    ],
)
def test_people_go_after_their_last_visit(
    chief: Any, kind: str, enrolled: int, visited: int | None, goes: bool
) -> None:
    change_privacy(actor=chief, customer_days=30, staff_days=365)
    person = make_person(chief, 1, name="Erika", kind=kind)
    last = ago(days=visited) if visited is not None else None
    Profile.objects.update(created_at=ago(days=enrolled), last_visit_at=last)
    assert forget_in_time(now=NOW) == ({"people": 1} if goes else {})
    assert Profile.objects.exists() is not goes
    if not goes:
        return
    report = ErasureReport.objects.get()
    assert (report.subject, report.reason, report.erased_by_name) == (person.pk, "retention", "")
    assert report.finished_at is not None
    assert not default_storage.exists(person.photo.name)
    line = AuditEntry.objects.get(action=AuditEntry.Action.MAINTENANCE)
    assert line.details == {"what": "forgetting people in time", "people": 1}


def test_staff_who_are_at_work_every_day_are_not_forgotten(chief: Any, area: Area) -> None:
    change_privacy(actor=chief, staff_days=90)
    person = make_person(chief, 1, name="Sam", kind="staff")
    Profile.objects.update(created_at=ago(days=400))
    camera = Camera.objects.create(name="Door", address="loop:door.mp4", area=area)
    sighting = see(camera, person, ago(days=1))
    note_sighting(
        SightingNews(
            sighting_id=sighting.pk,
            camera_id=camera.pk,
            area_id=area.pk,
            profile_id=person.pk,
            visitor_id=None,
            staff=True,
            at=sighting.end,
            ended=True,
        )
    )
    assert forget_in_time(now=NOW) == {}
    assert forget_in_time(now=NOW + timedelta(days=91)) == {"people": 1, "sightings": 1}


def test_people_stay_while_nothing_is_said(chief: Any) -> None:
    make_person(chief, 1, name="Erika")
    Profile.objects.update(created_at=ago(days=9_999))
    assert forget_in_time(now=NOW) == {}
    assert Profile.objects.count() == 1


def test_a_run_without_time_leaves_the_rest_to_the_next(chief: Any) -> None:
    for seed in range(3):
        make_person(chief, 10 + seed, name=f"Person {seed}", samples=1)
    change_privacy(actor=chief, customer_days=1)
    Profile.objects.update(created_at=ago(days=2))
    assert forget_in_time(now=NOW, seconds=0) == {}
    assert forget_in_time(now=NOW) == {"people": 3}


def test_one_that_cannot_be_erased_does_not_hold_up_the_others(
    chief: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (make_person(chief, 20 + n, name=f"Person {n}", samples=1) for n in range(2))
    change_privacy(actor=chief, customer_days=1)
    Profile.objects.update(created_at=ago(days=2))

    def erase(*, actor: Any, profile_id: Any, reason: str) -> Any:
        if profile_id == first.pk:
            raise OSError("the disk is full")
        return erase_person(actor=actor, profile_id=profile_id, reason=reason)

    with monkeypatch.context() as patched:
        patched.setattr(retaining, "erase_person", erase)
        assert forget_in_time(now=NOW) == {"people": 1}
    assert Profile.objects.get() == first
    assert forget_in_time(now=NOW) == {"people": 1}
    assert not Profile.objects.filter(pk=second.pk).exists()


def test_one_thing_that_fails_does_not_hold_up_the_others(
    chief: Any, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(chief, 1, name="Erika")
    change_privacy(actor=chief, customer_days=1)
    Profile.objects.update(created_at=ago(days=2))
    add_face(area, 1, expires=ago(hours=1))

    def fail(*args: Any) -> Any:
        raise OSError("the folder cannot be read")

    monkeypatch.setattr(retaining, "finish_erasures", fail)
    monkeypatch.setattr(retaining, "forget_old_imports", fail)
    monkeypatch.setitem(retaining._expiries, "broken", fail)
    cache.delete(retaining.IMPORTS_DUE)
    assert forget_in_time(now=NOW) == {"faces of visitors": 1, "people": 1}


def test_the_sweeper_forgets_whatever_else_fails(
    area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_face(area, 1, expires=ago(hours=1))

    def fail() -> Any:
        raise OSError("the storage is away")

    monkeypatch.setattr("detection_project.embedded.cleanup_if_due", fail)
    swept = cache.get(SWEEP_KEY)
    Sweeper()._look_after()
    assert not VisitorFace.objects.exists()
    assert cache.get(SWEEP_KEY) == swept  # not all of it was done


# ---------------------------------------------------------------- reviews
def test_reviews_go_open_ones_too(chief: Any) -> None:
    person = make_person(chief, 1, name="Erika")
    doubts = [make_doubt(person, 40 + number) for number in range(3)]
    FaceReview.objects.filter(pk=doubts[0].pk).update(created_at=ago(days=8))
    FaceReview.objects.filter(pk=doubts[1].pk).update(
        created_at=ago(days=8), state=FaceReview.State.REJECTED
    )
    assert forget_in_time(now=NOW) == {"reviews": 2}
    assert FaceReview.objects.get() == doubts[2]
    assert [default_storage.exists(doubt.crop.name) for doubt in doubts] == [False, False, True]


# ---------------------------------------------------------------- sightings and visitors
def test_sightings_go_and_those_that_nobody_has_judged_sooner(chief: Any, area: Area) -> None:
    person = make_person(chief, 1, name="Erika")
    camera = Camera.objects.create(name="Door", address="loop:door.mp4", area=area)
    see(camera, person, ago(days=31))
    see(camera, None, ago(days=8), state=Sighting.State.UNCERTAIN)
    young = [
        see(camera, person, ago(days=29)),
        see(camera, person, ago(days=8)),
        see(camera, None, ago(days=6), state=Sighting.State.UNCERTAIN),
    ]
    assert forget_in_time(now=NOW) == {"sightings": 2}
    assert set(Sighting.objects.all()) == set(young)


def test_sightings_in_videos_stay_with_the_video(chief: Any, user: Any) -> None:
    known = make_known(chief, user)
    in_video = Sighting.objects.filter(analysis=known.session.video)
    in_video.update(end=ago(days=400))
    forget_in_time(now=NOW)
    assert in_video.count() == 2
    erased = erase_person(actor=chief, profile_id=known.person.pk).erased
    assert erased["files of videos"] == 2
    assert not any(default_storage.exists(name) for name in known.shown)


def test_pictures_of_events_do_not_outlive_who_is_known_to_be_in_them(
    chief: Any, area: Area
) -> None:
    person = make_person(chief, 1, name="Erika")
    camera = Camera.objects.create(name="Door", address="loop:door.mp4", area=area)
    change_privacy(actor=chief, sighting_days=5)
    old, young = see(camera, person, ago(days=6)), see(camera, person, ago(days=4))
    nobody = see(camera, None, ago(days=8), state=Sighting.State.UNCERTAIN)
    gone = [add_event(camera, old.track, old.start, 1), add_event(camera, None, old.end, 2)]
    kept = [
        add_event(camera, young.track, young.start, 3),
        add_event(camera, None, ago(days=5.5), 4),
        add_event(camera, nobody.track, nobody.start, 5),  # of whom nobody knows who it is
    ]
    assert forget_in_time(now=NOW) == {"sightings": 2, "pictures of events": 2}
    assert [default_storage.exists(name) for name in gone + kept] == [False] * 2 + [True] * 3
    assert set(CameraEvent.objects.values_list("picture", flat=True)) == {"", *kept}
    assert CameraEvent.objects.count() == 5


def add_face(area: Area, number: int, *, expires: datetime, seen: datetime = NOW) -> Visitor:
    visitor = Visitor.objects.create(area=area, number=number, last_seen=seen)
    VisitorFace.objects.create(
        visitor=visitor,
        embedding=make_face(number).astype("<f4").tobytes(),
        model=MODEL,
        expires_at=expires,
    )
    return visitor


def test_faces_of_visitors_go_within_the_hours_and_visitors_with_their_visits(area: Area) -> None:
    add_face(area, 1, expires=NOW + timedelta(minutes=1))  # nobody looks again before that
    add_face(area, 2, expires=NOW + timedelta(hours=2))
    old = add_face(area, 3, expires=ago(days=30), seen=ago(days=31))
    Visit.objects.create(area=area, visitor=old, entry=ago(days=31), exit=ago(days=31))
    went = forget_in_time(now=NOW)
    assert went == {"faces of visitors": 2, "visitors": 1}
    assert VisitorFace.objects.get().visitor.number == 2
    assert set(Visitor.objects.values_list("number", flat=True)) == {1, 2}
    assert not Visit.objects.exists()


def test_fewer_hours_count_for_faces_that_are_there_already(chief: Any, area: Area) -> None:
    add_face(area, 1, expires=NOW + timedelta(hours=20))
    change_privacy(actor=chief, visitor_hours=1)
    forget_in_time(now=NOW)
    assert VisitorFace.objects.get().expires_at == NOW + timedelta(hours=1)
    forget_in_time(now=NOW + timedelta(hours=1))
    assert not VisitorFace.objects.exists()


# ---------------------------------------------------------------- when
def test_any_number_of_processes_may_ask(area: Area, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retaining, "_state", {"journal_read": True})
    add_face(area, 1, expires=ago(hours=1))
    cache.delete(retaining.DUE)
    assert [forget_in_time_if_due() for _ in range(3)] == [1, 0, 0]
    cache.delete(retaining.DUE)
    assert forget_in_time_if_due() == 0


def test_who_withdraws_is_not_recognised_from_then_on(chief: Any) -> None:
    person = make_person(chief, 1, name="Erika")
    publish_consent_text(actor=chief, text="I agree.")

    def recognised(*, consented_only: bool) -> bool:
        [match] = match_faces([make_face(1)], model=MODEL, consented_only=consented_only)
        return match.profile_id == person.pk

    assert not recognised(consented_only=True)
    record_consent(actor=chief, profile=person)
    assert recognised(consented_only=True)
    withdraw_consent(actor=chief, profile=person)
    assert not recognised(consented_only=True)
    assert recognised(consented_only=False)

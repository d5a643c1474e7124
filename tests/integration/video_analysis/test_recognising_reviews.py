"""Faces of which nobody is certain: who may see them, where they are asked about, when they go."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from common.jobs import insisting
from common.permissions import can, visible
from detector.models import DetectionSession
from detector.services.sessions import delete_session
from recognition.index import Match
from recognition.models import FaceReview, PrivacySettings, Profile
from recognition.selectors import open_reviews, profile_details
from recognition.services.consent import publish_consent_text, record_consent, withdraw_consent
from recognition.services.erasing import erase_person
from recognition.services.reviews import answer_review, open_review
from tests.integration.conftest import make_user
from tests.integration.video_analysis.face_fakes import (
    MODEL,
    FakeEngine,
    Stage,
    embedding_of,
    enrol,
)
from tests.integration.video_analysis.live_pages import make_camera
from video_analysis.cameras.models import Camera
from video_analysis.cameras.services.cameras import delete_camera
from video_analysis.models import Sighting
from video_analysis.services import running
from video_analysis.services.people_data import expire
from video_analysis.services.recognising.asking import reviews_of
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.storing import RefusedError, store_sighting
from video_analysis.services.recognising.videos import VideoFaces, make_video_faces
from video_analysis.services.storing import ResultWriter
from vision.faces import FaceQuality
from vision.faces.voting import KeptFace

pytestmark = pytest.mark.django_db

ADA, BEN, SOMEBODY = 21, 22, 77


@pytest.fixture
def shop(db: None) -> Group:
    return Group.objects.create(name="shop")


@pytest.fixture
def camera(shop: Group) -> Camera:
    return make_camera(shop, name="Door")


@pytest.fixture
def ada(db: None) -> Profile:
    return enrol("Ada", ADA)


@pytest.fixture
def film(make_video_session: Callable[..., DetectionSession]) -> DetectionSession:
    """A video of ``user``, who is an operator; shared with nobody."""
    return make_video_session()


def ask(candidate: Profile, sighting: Sighting, **changes: Any) -> FaceReview:
    """Open a review of somebody who was seen, and may be the candidate."""
    origin = "camera" if sighting.camera_id else "video"
    return open_review(
        **{
            "origin": origin,
            "origin_id": str(sighting.pk),
            "place": "Door",
            "embedding": embedding_of(ADA, towards=BEN),
            "model": MODEL,
            "crop": b"a face",
            "quality": {},
            "match": Match("uncertain", candidate.pk, 0.55, 0.4, None, None),
            **changes,
        }
    )


def see(**fields: Any) -> Sighting:
    return Sighting.objects.create(state="uncertain", **fields)


def member(name: str, role: str, *groups: Group) -> Any:
    user = make_user(name, role)
    user.groups.add(*groups)
    return user


def sees(user: Any, review: FaceReview) -> bool:
    """Tell whether somebody sees a review, in every way in which it can be seen."""
    api = APIClient()
    api.force_authenticate(user)
    addresses = [
        reverse(f"people-api:{name}", args=[review.pk]) for name in ("review", "review-crop")
    ]
    codes = {api.get(address).status_code for address in addresses}
    found = {
        review in open_reviews(user),
        can(user, "view", review),
        can(user, "change", review),
        codes == {200},
    }
    assert len(found) == 1, codes
    (answer,) = found
    return answer


# ---------------------------------------------------------------- who may see them
def test_a_face_before_a_camera_is_for_those_who_may_watch_it(
    camera: Camera, shop: Group, ada: Profile
) -> None:
    review = ask(ada, see(camera=camera))
    other = Group.objects.create(name="office")
    people = {
        "ours": member("olga", "operator", shop),
        "theirs": member("oskar", "operator", other),
        "nobody's": member("otto", "operator"),
        "viewer": member("vera", "viewer", shop),
        "administrator": member("root", "administrator"),
    }
    assert {name for name, user in people.items() if sees(user, review)} == {
        "ours",
        "administrator",
    }
    assert profile_details(people["ours"], ada.pk).reviews == 1
    assert profile_details(people["theirs"], ada.pk).reviews == 0


@pytest.mark.parametrize(
    "hidden",
    [{"faces": "hidden"}, {"faces": "consented"}, {"hide_people": True}],
    ids=["faces hidden", "only consented", "people hidden"],
)
def test_a_camera_that_hides_faces_since_shows_none(
    camera: Camera, shop: Group, ada: Profile, hidden: dict[str, Any]
) -> None:
    review = ask(ada, see(camera=camera))
    Camera.objects.filter(pk=camera.pk).update(**hidden)
    assert not sees(member("olga", "operator", shop), review)
    assert not sees(member("root", "administrator"), review)


def test_a_face_in_a_video_is_for_those_who_may_see_the_video(
    film: DetectionSession, shop: Group, ada: Profile, user: Any
) -> None:
    review = ask(ada, see(analysis=film.video, track_number=1))
    colleague, chief = member("olga", "operator", shop), member("root", "administrator")
    assert [sees(one, review) for one in (user, colleague, chief)] == [True, False, False]
    DetectionSession.objects.filter(pk=film.pk).update(shared_with=shop)
    assert [sees(one, review) for one in (user, colleague, chief)] == [True, True, False]


def test_a_face_on_a_picture_is_for_who_asked_and_their_colleagues(
    ada: Profile, shop: Group
) -> None:
    asker = member("olga", "operator", shop)
    review = ask(ada, Sighting(), origin="picture", origin_id="2f0a:0", asked_by=asker)
    colleagues = [member("otto", "operator", shop), member("cora", "administrator", shop)]
    assert all(sees(one, review) for one in (asker, *colleagues))
    others = [member("vera", "viewer", shop), member("root", "administrator")]
    assert not any(sees(one, review) for one in others)


def test_a_face_on_a_picture_of_nobody_is_seen_by_nobody(ada: Profile) -> None:
    review = ask(ada, Sighting(), origin="picture", origin_id="2f0a:0")
    assert not sees(member("root", "administrator"), review)
    assert not visible(AnonymousUser(), FaceReview.objects.all()).exists()


@pytest.mark.parametrize("origin_id", ["", "7", str(uuid.uuid4())], ids=["none", "odd", "gone"])
def test_a_face_of_nothing_is_seen_by_nobody(origin_id: str, ada: Profile) -> None:
    review = ask(ada, Sighting(), origin="camera", origin_id=origin_id)
    assert not sees(member("root", "administrator"), review)
    assert not reviews_of(Sighting.objects.all()).exists()


# ---------------------------------------------------------------- where they are asked about
def test_what_others_are_asked_is_asked_again(camera: Camera, ada: Profile, shop: Group) -> None:
    """Or a private video would keep a doubt from those who see the camera."""
    elsewhere = make_camera(shop, name="Till")
    first = ask(ada, see(camera=elsewhere))
    change = uncertain(camera, ada)
    store_sighting(change, is_new=True)
    assert FaceReview.objects.exclude(pk=first.pk).get().origin_id == str(change.id)
    again = uncertain(camera, ada)
    with pytest.raises(RefusedError):  # the same doubt before the same camera
        store_sighting(again, is_new=True)
    assert (FaceReview.objects.count(), Sighting.objects.count()) == (2, 2)


def test_all_whom_a_doubt_names_are_held_at_once(camera: Camera, ada: Profile) -> None:
    """One after the other, two who do it could wait for each other."""
    ben = enrol("Ben", BEN)
    with CaptureQueriesContext(connection) as queries:
        store_sighting(uncertain(camera, ada, runner_up=ben), is_new=True)
    table = Profile._meta.db_table
    read = [one["sql"] for one in queries if f'FROM "{table}"' in one["sql"]]
    assert ada.pk.hex in read[0].replace("-", "")
    assert ben.pk.hex in read[0].replace("-", "")


def uncertain(camera: Camera, candidate: Profile, *, runner_up: Profile | None = None) -> Any:
    """Return news of somebody who may be one of two."""
    now = timezone.now()
    second = runner_up.pk if runner_up is not None else None
    face = KeptFace(embedding_of(ADA, towards=BEN), FaceQuality(60.0, 0.8, 0, 0, 0), 1.0, 1.0, None)
    return SightingChange(
        id=uuid.uuid4(),
        camera_id=camera.pk,
        area_id=None,
        place=camera.name,
        track=uuid.uuid4(),
        track_number=1,
        state="uncertain",
        match=Match("uncertain", candidate.pk, 0.55, 0.4, second, 0.56 if second else None),
        start=now,
        end=now,
        consented_only=False,
        model=MODEL,
        faces=5,
        kept=(face,),
    )


# ---------------------------------------------------------------- when they go
@pytest.mark.parametrize("answered", [False, True], ids=["open", "answered"])
def test_questions_go_with_the_camera(camera: Camera, ada: Profile, answered: bool) -> None:
    review = ask(ada, see(camera=camera))
    kept = ask(ada, Sighting(), origin="picture", origin_id="2f0a:0")
    if answered:
        answer_review(actor=None, review=review, answer="no")
    delete_camera(actor=make_user("root", "administrator"), camera=camera)
    assert FaceReview.objects.get() == kept


@pytest.mark.parametrize("how", ["session", "owner"])
def test_questions_go_with_the_video(
    how: str,
    film: DetectionSession,
    ada: Profile,
    user: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    review = ask(ada, see(analysis=film.video, track_number=1))
    storage, name = review.crop.storage, review.crop.name
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        if how == "session":
            delete_session(session=film, user=user)
        else:
            user.delete()
    assert not FaceReview.objects.exists()
    assert not storage.exists(name)


def test_questions_go_with_sightings_that_are_old(camera: Camera, ada: Profile) -> None:
    settings = PrivacySettings(sighting_days=1, review_days=90)
    settings.save()
    ask(ada, see(camera=camera, end=timezone.now() - timedelta(days=2)))
    expire(settings, timezone.now(), time.monotonic() + 60)
    assert not Sighting.objects.exists()
    assert not FaceReview.objects.exists()


# ---------------------------------------------------------------- videos
class Context:
    """A job that is still ours."""

    job = "job"

    def still_mine(self) -> bool:
        return True

    def checkpoint(self, *_: Any) -> None:
        return None


def look(faces: VideoFaces, people: dict[int, int], seconds: float = 6.0) -> None:
    """Show people to what looks at a video, by the numbers of their tracks."""
    stage = Stage(SimpleNamespace(on_scene=lambda *_: None), make_camera(name=str(uuid.uuid4())))  # type: ignore[arg-type]
    stage.people = people
    while stage.seconds < seconds:
        faces.see(stage.frame())


def store(session: DetectionSession, faces: VideoFaces, folder: Path) -> DetectionSession:
    """Store a result as the job does."""
    faces.decide()
    writer = ResultWriter(folder / running.SNAPSHOTS)
    with writer:
        pass
    for name in (running.ANNOTATED, running.HEAT):
        (folder / name).write_bytes(b"made of it")
    figures = {"duration": 2.0, "frames": 20, "frames_per_second": 10.0, "seconds_worked": 1.0}
    summary = SimpleNamespace(statistics=figures, model={})
    running._store(Context(), session, running.Result(summary, writer, faces), folder)  # type: ignore[arg-type]
    return DetectionSession.objects.get(pk=session.pk)


def doubtful() -> FakeEngine:
    """An engine that sees somebody who may be Ada or Ben."""
    engine = FakeEngine()
    engine.faces.who = {SOMEBODY: embedding_of(ADA, towards=BEN)}
    return engine


def test_who_waits_for_an_answer_waits_again_after_another_attempt(
    film: DetectionSession, ada: Profile, tmp_path: Path
) -> None:
    enrol("Ben", BEN)
    for _ in range(2):
        faces = make_video_faces(doubtful(), recognise=True, hiding="")  # type: ignore[arg-type]
        look(faces, {1: SOMEBODY})
        store(film, faces, tmp_path)
        row = Sighting.objects.get(analysis=film.video)
        assert row.state == "uncertain"
        assert FaceReview.objects.get().origin_id == str(row.pk)


def test_questions_do_not_hold_up_the_rows_of_a_video(
    film: DetectionSession, ada: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a transaction of its own, after the rows, and one that goes wrong stops no other."""
    enrol("Ben", BEN)
    rows: list[int] = []
    ask = VideoFaces.ask

    def fail_first(self: VideoFaces, analysis: Any, doubt: Any) -> None:
        rows.append(Sighting.objects.filter(state="known").count())
        if len(rows) == 1:
            raise OperationalError("away")
        if len(rows) == 2:
            raise IntegrityError("the video is gone")
        ask(self, analysis, doubt)

    monkeypatch.setattr(VideoFaces, "ask", fail_first)
    monkeypatch.setattr(insisting, "RETRY_SECONDS", 0.0)
    kept = SimpleNamespace(in_atomic_block=False, close=list)
    monkeypatch.setattr(insisting, "connection", kept)
    engine = doubtful()
    engine.faces.who[SOMEBODY + 1] = embedding_of(BEN, towards=ADA)
    faces = make_video_faces(engine, recognise=True, hiding="")  # type: ignore[arg-type]
    look(faces, {1: ADA, 2: SOMEBODY, 3: SOMEBODY + 1})
    store(film, faces, tmp_path)
    assert rows == [1, 1, 1]
    states = Sighting.objects.filter(analysis=film.video).values_list("state", flat=True)
    assert sorted(states) == ["known", "uncertain"]
    assert FaceReview.objects.count() == 1


def test_a_second_analysis_asks_for_itself(
    make_video_session: Callable[..., DetectionSession], ada: Profile, tmp_path: Path
) -> None:
    enrol("Ben", BEN)
    for session in (make_video_session(), make_video_session()):
        faces = make_video_faces(doubtful(), recognise=True, hiding="")  # type: ignore[arg-type]
        look(faces, {1: SOMEBODY})
        store(session, faces, tmp_path)
        assert Sighting.objects.filter(analysis=session.video).count() == 1
    assert FaceReview.objects.count() == 2


@pytest.mark.parametrize("hiding", ["blur", "faces", "faces-consented"])
def test_nobody_is_asked_about_faces_that_a_video_hides(
    hiding: str, film: DetectionSession, ada: Profile, tmp_path: Path
) -> None:
    enrol("Ben", BEN)
    publish_consent_text(actor=None, text="You agree.")
    for person in Profile.objects.all():
        record_consent(actor=None, profile=person)
    faces = make_video_faces(doubtful(), recognise=True, hiding=hiding)  # type: ignore[arg-type]
    look(faces, {1: SOMEBODY, 2: ADA})
    store(film, faces, tmp_path)
    assert Sighting.objects.get(analysis=film.video).profile == ada
    assert not FaceReview.objects.exists()


def nothing(person: Profile) -> None:
    return None


def erase(person: Profile) -> None:
    erase_person(actor=make_user("root", "administrator"), profile_id=person.pk, reason="request")


def withdraw(person: Profile) -> None:
    withdraw_consent(actor=None, profile=person)


def switch_off(person: Profile) -> None:
    PrivacySettings.objects.update_or_create(pk=1, defaults={"recognise_uploads": False})


@pytest.mark.parametrize(
    ("meanwhile", "kept"),
    [(nothing, True), (erase, False), (withdraw, False), (switch_off, False)],
    ids=["nothing", "erased", "withdrawn", "switched off"],
)
@pytest.mark.parametrize("recognise", [True, False], ids=["recognised", "only shown"])
def test_no_face_stays_clear_of_who_is_forgotten_while_a_video_is_analysed(
    meanwhile: Callable[[Profile], None],
    kept: bool,
    recognise: bool,
    film: DetectionSession,
    ada: Profile,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    publish_consent_text(actor=None, text="You agree.")
    record_consent(actor=None, profile=ada)
    faces = make_video_faces(
        FakeEngine(),  # type: ignore[arg-type]
        recognise=recognise,
        hiding="faces-consented",
    )
    look(faces, {1: ADA})
    assert faces.cleared() == {1}
    meanwhile(ada)
    with django_capture_on_commit_callbacks(execute=True):
        video = store(film, faces, tmp_path).video
    assert (video.annotated is not None, video.snapshots is not None) == (kept, kept)
    assert video.heat is not None
    assert ("forgotten_at" in video.statistics) is not kept
    # Without an agreement people are recognised here all the same, only not shown.
    named = recognise and meanwhile in (nothing, withdraw)
    states = list(Sighting.objects.filter(analysis=video).values_list("state", flat=True))
    assert states == (["known"] if named else ["shown"] if kept else [])


def test_an_empty_video_is_stored(film: DetectionSession, tmp_path: Path) -> None:
    faces = make_video_faces(FakeEngine(), recognise=True, hiding="faces-consented")  # type: ignore[arg-type]
    video = store(film, faces, tmp_path).video
    assert video.annotated is not None
    assert not Sighting.objects.filter(analysis=video).exists()


def test_reviews_of_everything_are_what_the_rule_looks_through(
    camera: Camera, film: DetectionSession, ada: Profile, user: Any
) -> None:
    assert not visible(user, FaceReview.objects.all()).exists()
    asked = {ask(ada, see(camera=camera)), ask(ada, see(analysis=film.video, track_number=1))}
    ask(ada, Sighting(), origin="picture", origin_id=str(Sighting.objects.all()[0].pk))
    assert set(reviews_of(Sighting.objects.all())) == asked

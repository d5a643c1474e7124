"""Matches that a person decides: asked once, answered once, learned from."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from common.audit.models import AuditEntry
from common.inference.faces import find_faces
from recognition.errors import ConflictError, GoneError, InvalidError
from recognition.index import Match, match_faces
from recognition.models import (
    FaceReview,
    FaceSample,
    GalleryState,
    NegativeEvidence,
    Profile,
)
from recognition.selectors import get_review, open_reviews
from recognition.services import reviews
from recognition.services.holding import hold_profile
from recognition.services.merging import _pointing
from recognition.services.profiles import create_profile, merge_profiles
from recognition.services.reviews import answer_review, open_review, register_review_listener
from recognition.services.samples import enrol_picture
from tests.made_faces import EMBEDDER, face_of

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., Profile]
DOUBT = 0.5  # so far from somebody's sample that it may be them


def ask(candidate: Profile, face: int = 1, **changes: Any) -> FaceReview:
    embedding = face_of(face, distance=DOUBT)
    match = Match("uncertain", candidate.pk, 0.55, 0.4, changes.pop("runner_up", None), 0.58)
    values = {
        "origin": "picture",
        "origin_id": "",
        "asked_by": candidate.created_by,
        "place": "Door",
        "embedding": embedding,
        "model": EMBEDDER,
        "crop": b"face in doubt",
        "quality": {"size": 80.0, "sharpness": 0.5},
        "match": match,
    }
    return open_review(**{**values, **changes})


def who(face: int) -> Any:
    [match] = match_faces([face_of(face, distance=DOUBT)], model=EMBEDDER)
    return match.profile_id if match.state == "known" else match.state


@pytest.fixture(autouse=True)
def own_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listeners of a test end with it, and those of other apps hear nothing of made-up origins."""
    monkeypatch.setattr(reviews, "_listeners", defaultdict(list))


def test_a_question_keeps_what_a_person_needs_to_answer(make_person: MakePerson, user: Any) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    review = ask(ada, origin_id="7", runner_up=bob.pk, place="Door " * 100)
    found = get_review(user, review.pk)
    assert (found.candidate, found.runner_up, found.origin_id) == (ada, bob, "7")
    assert (found.distance, found.probability, found.runner_up_distance) == (0.55, 0.4, 0.58)
    assert found.crop.read() == b"face in doubt"
    assert len(found.place) == 200
    assert list(open_reviews(user)) == [review]


def test_viewers_see_no_questions(make_person: MakePerson, viewer: Any) -> None:
    review = ask(make_person("Ada", 1))
    assert not open_reviews(viewer).exists()
    with pytest.raises(Http404):
        get_review(viewer, review.pk)


def test_the_same_doubt_is_asked_once(make_person: MakePerson) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    first = ask(ada, origin_id="1")
    assert ask(bob, origin_id="1", face=2) == first  # of the same sighting
    assert ask(ada, origin_id="2") == first  # the same face again, and the same candidate
    assert ask(ada) == first
    apart = FaceReview.objects.exclude(pk=first.pk)
    mine = ask(ada, origin_id="6", among=apart)  # those who see this one do not see the other
    assert mine != first
    mine.delete()
    others = {
        ask(ada, face=3, origin_id="3"),  # another face
        ask(bob, origin_id="4"),  # another candidate
        ask(ada, origin_id="5", model="another"),
        ask(ada, face=4, origin="video", origin_id="1"),
    }
    assert len(others | {first}) == FaceReview.objects.count() == 5


@pytest.mark.parametrize(
    ("answer", "state", "known"),
    [("yes", "confirmed", "Ada"), ("no", "rejected", "unknown"), ("other", "reassigned", "Bob")],
    ids=["yes", "no", "other"],
)
def test_an_answer_teaches(
    make_person: MakePerson, user: Any, answer: str, state: str, known: str
) -> None:
    people = {"Ada": make_person("Ada", 1), "Bob": make_person("Bob", 2)}
    heard: list[tuple[str, Any]] = []
    register_review_listener(
        "picture",
        lambda review: heard.append((review.state, connection.in_atomic_block)),
    )
    review = ask(people["Ada"])
    profile = people["Bob"] if answer == "other" else None
    done = answer_review(actor=user, review=review, answer=answer, profile=profile)
    done.refresh_from_db()
    assert (done.state, done.answered_by) == (state, user)
    assert done.answer == people.get(known)
    assert done.answered_at is not None
    assert heard == [(state, True)]
    assert who(1) == (people[known].pk if known in people else known)
    learned = FaceSample.objects.filter(source="review")
    assert [sample.profile.name for sample in learned] == [known] * (known in people)
    assert all(sample.crop.read() == b"face in doubt" for sample in learned)
    negatives = NegativeEvidence.objects.values_list("profile__name", flat=True)
    assert list(negatives) == ["Ada"] * (answer != "yes")
    assert not open_reviews(user).exists()
    with pytest.raises(ConflictError) as caught:
        answer_review(actor=user, review=review, answer="yes")
    assert (caught.value.status, caught.value.code) == (409, "already_answered")


@pytest.mark.parametrize(
    ("answer", "profile", "field"),
    [
        ("perhaps", None, "answer"),
        ("", None, "answer"),
        ("other", None, "profile"),
        ("other", "Ada", "profile"),
    ],
    ids=["unknown", "empty", "nobody", "candidate"],
)
def test_an_answer_that_is_none_is_refused(
    make_person: MakePerson, user: Any, answer: str, profile: str | None, field: str
) -> None:
    ada = make_person("Ada", 1)
    review = ask(ada)
    with pytest.raises(InvalidError) as caught:
        answer_review(actor=user, review=review, answer=answer, profile=ada if profile else None)
    assert set(caught.value.fields) == {field}
    assert open_reviews(user).count() == 1


def test_a_listener_that_fails_takes_the_answer_back(make_person: MakePerson, user: Any) -> None:
    def fail(review: FaceReview) -> None:
        raise RuntimeError("no")

    register_review_listener("picture", fail)
    review = ask(make_person("Ada", 1))
    with pytest.raises(RuntimeError):
        answer_review(actor=user, review=review, answer="yes")
    review.refresh_from_db()
    assert review.state == "open"
    assert not FaceSample.objects.filter(source="review").exists()
    assert who(1) == "uncertain"


def test_a_question_about_somebody_who_was_merged_is_about_the_other(
    make_person: MakePerson, user: Any
) -> None:
    ada, augusta = make_person("Ada", 1), make_person("Augusta", 2)
    review = ask(augusta, face=2)
    merge_profiles(actor=user, target=ada, source=augusta)
    assert review.candidate_id == augusta.pk  # as the page was loaded
    assert answer_review(actor=user, review=review, answer="yes").answer == ada
    assert who(2) == ada.pk


def test_who_is_erased_takes_their_questions_along(make_person: MakePerson, user: Any) -> None:
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    review, other = ask(ada), ask(bob, face=2)
    bob_id = bob.pk
    ada.delete()
    assert not FaceReview.objects.filter(pk=review.pk).exists()
    with pytest.raises(GoneError):
        answer_review(actor=user, review=review, answer="yes")
    gone = Profile(pk=bob_id)
    Profile.objects.filter(pk=bob_id).delete()
    with pytest.raises(GoneError):
        ask(gone, face=2)
    with pytest.raises(GoneError):
        answer_review(actor=user, review=other, answer="no")


def test_nothing_in_the_log_says_who_it_was(make_person: MakePerson, user: Any) -> None:
    ada, bob = make_person("Ada Lovelace", 1), make_person("Bob Marley", 2)
    answer_review(actor=user, review=ask(ada), answer="other", profile=bob)
    told = str(list(AuditEntry.objects.values_list("object_name", "details")))
    assert "Lovelace" not in told
    assert "Marley" not in told
    assert "match answered" in told


@pytest.mark.parametrize("answer", ["yes", "no", "other"])
def test_whoever_answers_holds_people_then_the_gallery_then_the_question(
    make_person: MakePerson, user: Any, answer: str
) -> None:
    """As whoever erases or merges: two who did it in two orders would wait for each other."""
    ada, bob = make_person("Ada", 1), make_person("Bob", 2)
    review = ask(ada)
    with CaptureQueriesContext(connection) as queries:
        answer_review(
            actor=user, review=review, answer=answer, profile=bob if answer == "other" else None
        )
    told = [one["sql"] for one in queries]

    def first(verb: str, model: Any, column: str) -> int:
        start = f'{verb} "{model._meta.db_table}"'
        return next(at for at, sql in enumerate(told) if start in sql and column in sql)

    people = first("FROM", Profile, "name")
    gallery = first("UPDATE", GalleryState, "version")
    assert people < gallery < first("FROM", FaceReview, "crop")


def test_a_merge_takes_questions_before_what_waits_for_them() -> None:
    """As whoever answers does."""
    assert next(_pointing())[0] is FaceReview


@pytest.mark.django_db(transaction=True)
def test_two_who_answer_at_once_answer_once(make_person: MakePerson, user: Any) -> None:
    ada = make_person("Ada", 1)
    review = ask(ada)
    start, outcomes = threading.Barrier(3), []

    def answer(text: str) -> None:
        try:
            start.wait(5)
            answer_review(actor=user, review=review, answer=text)
            outcomes.append("answered")
        except ConflictError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=(text,)) for text in ("yes", "no", "yes")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["already_answered", "already_answered", "answered"]
    learned = FaceSample.objects.filter(source="review").count()
    assert learned + NegativeEvidence.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_person_who_is_erased_while_somebody_answers_leaves_nothing(
    make_person: MakePerson, user: Any
) -> None:
    ada = make_person("Ada", 1)
    review = ask(ada)
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def answer() -> None:
        try:
            start.wait(5)
            with suppress(GoneError):
                answer_review(actor=user, review=review, answer="yes")
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    start.wait(5)
    with transaction.atomic():
        hold_profile(ada.pk).delete()
    thread.join(30)
    assert not failures
    assert not FaceSample.objects.exists()
    assert not FaceReview.objects.exists()
    assert who(1) == "unknown"


@pytest.mark.data
@pytest.mark.weights
def test_a_mistake_is_not_made_twice(
    real_faces: Any, photo: Callable[[str], bytes], user: Any
) -> None:
    """Somebody is taken for another one; a person says no; it does not happen again."""
    ada = create_profile(actor=user, kind="customer", name="Amy", threshold=0.8)
    enrol_picture(actor=user, profile=ada, data=photo("bbt/amy/amy1.png"), source="upload")

    def match(name: str) -> Match:
        found = find_faces(photo(name))
        [one] = match_faces(found.faces.data["embedding"], model=found.embedder)
        return one

    strangers = [f"bbt/{who}/{who}{n}.png" for who in ("bernadette", "penny") for n in range(1, 6)]
    mistaken = [name for name in strangers if match(name).state != "unknown"]
    assert mistaken  # with so generous a threshold
    found = find_faces(photo(mistaken[0]))
    review = open_review(
        origin="picture",
        origin_id="",
        place="a photo",
        embedding=found.faces.data["embedding"][0],
        model=found.embedder,
        crop=b"",
        quality={},
        match=match(mistaken[0]),
        asked_by=user,
    )
    answer_review(actor=user, review=review, answer="no")
    assert match(mistaken[0]).state == "unknown"
    right = [name for n in range(2, 6) if match(name := f"bbt/amy/amy{n}.png").state == "known"]
    assert right  # who she is, is still known

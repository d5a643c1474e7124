"""The page of faces in doubt: one after the other, each answered once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from recognition.models import FaceReview, NegativeEvidence, Profile
from tests.integration.conftest import make_user
from tests.integration.recognition.conftest import ask_about

pytestmark = pytest.mark.django_db


def test_a_face_in_doubt_is_answered_and_the_next_comes(
    signed_in: Client, review: FaceReview
) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    text = signed_in.get("/people/reviews/").content.decode()
    assert "2 faces to decide on" in text
    assert "70%" in text
    following = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "yes"})
    assert f"/people/reviews/{second.pk}/" in following.content.decode()
    review.refresh_from_db()
    assert review.state == FaceReview.State.CONFIRMED
    assert review.candidate.samples.count() == 3
    last = signed_in.post(f"/people/reviews/{second.pk}/", {"answer": "no"}).content.decode()
    assert "That was the last one" in last
    assert NegativeEvidence.objects.filter(profile=review.candidate).count() == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_a_face_in_doubt_is_somebody_else(
    signed_in: Client, review: FaceReview, make_person: Callable[..., Profile], known: bool
) -> None:
    answer = {"person": str(make_person("Eve", 9).pk)} if known else {"name": "Eve"}
    signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "other", **answer})
    review.refresh_from_db()
    assert review.state == FaceReview.State.REASSIGNED
    assert review.answer is not None
    assert review.answer.name == "Eve"
    assert review.answer.samples.count() == (2 if known else 1)


@pytest.mark.parametrize(
    "answer",
    [
        {"answer": "maybe"},
        {"answer": "other"},
        {"answer": "other", "person": "x"},
        {"answer": "other", "person": "{candidate}"},
        {},
    ],
    ids=json.dumps,
)
def test_an_answer_that_is_none_changes_nothing(
    signed_in: Client, review: FaceReview, answer: dict[str, str]
) -> None:
    sent = {key: text.format(candidate=review.candidate_id) for key, text in answer.items()}
    text = signed_in.post(f"/people/reviews/{review.pk}/", sent).content.decode()
    assert 'role="alert"' in text
    review.refresh_from_db()
    assert review.state == FaceReview.State.OPEN
    assert Profile.objects.count() == 1


def test_two_people_who_review_at_once_see_different_faces(
    signed_in: Client, review: FaceReview, user: Any
) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    colleague, grace = Client(), make_user("grace")
    team = Group.objects.create(name="Front desk")
    team.user_set.add(user, grace)
    colleague.force_login(grace)
    mine = signed_in.get("/people/reviews/").content.decode()
    theirs = colleague.get("/people/reviews/").content.decode()
    assert f"/people/reviews/{review.pk}/" in mine
    assert f"/people/reviews/{second.pk}/" in theirs
    assert f"/people/reviews/{review.pk}/" in signed_in.get("/people/reviews/").content.decode()


def test_the_second_answer_is_told_that_there_was_a_first(
    signed_in: Client, review: FaceReview
) -> None:
    signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "no"})
    text = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "yes"}).content.decode()
    assert "Somebody else has answered this already" in text
    review.refresh_from_db()
    assert review.state == FaceReview.State.REJECTED


def test_a_face_that_is_put_off_comes_last(signed_in: Client, review: FaceReview) -> None:
    second = ask_about(review.candidate, 5, origin_id="2")
    text = signed_in.post(f"/people/reviews/{review.pk}/", {"answer": "skip"}).content.decode()
    assert f"/people/reviews/{second.pk}/" in text
    text = signed_in.post(f"/people/reviews/{second.pk}/", {"answer": "no"}).content.decode()
    assert f"/people/reviews/{review.pk}/" in text


def test_an_empty_queue_says_what_it_is_for(signed_in: Client) -> None:
    assert "Nothing to decide" in signed_in.get("/people/reviews/").content.decode()

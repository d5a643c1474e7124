"""Uncertain faces over REST: a person decides, once."""
# ruff: noqa: F811 - fixtures are imported, and named again where they are used

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from common.audit.models import AuditEntry
from recognition.models import FaceReview, FaceSample, NegativeEvidence
from tests.integration.recognition.made_people import (  # noqa: F401
    check_refused,
    faces,
    lines,
    made,
    make_person,
    operator,
    post_picture,
    viewer,
)
from tests.made_faces import FakeFaces

pytestmark = [pytest.mark.django_db]
REVIEWS = "/api/reviews/"


@pytest.fixture
def asked(operator: Any, faces: FakeFaces) -> FaceReview:
    """A face that may be Ada's."""
    make_person("Ada", 1)
    make_person("Grace", 2)
    faces.scene = [made(1, distance=0.55)]
    post_picture(operator, "/api/recognize/")
    return FaceReview.objects.get()


def test_an_empty_queue_is_a_list(operator: Any) -> None:
    assert operator.get(REVIEWS).json() == {"next": None, "previous": None, "results": []}


def test_a_question_says_whom_the_face_may_show(operator: Any, asked: FaceReview) -> None:
    (row,) = operator.get(REVIEWS).json()["results"]
    assert row == operator.get(f"{REVIEWS}{asked.pk}/").json()
    assert (row["state"], row["origin"], row["place"]) == ("open", "picture", "lobby.jpg")
    assert row["candidate"]["name"] == "Ada"
    assert row["answer"] is None
    crop = operator.get(row["crop"])
    assert crop["Cache-Control"] == "private, no-store"
    assert Image.open(io.BytesIO(b"".join(crop))).size == (150, 150)


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 1), ("state=open", 1), ("state=confirmed", 0), ("origin=camera", 0)],
)
def test_the_queue_is_filtered(operator: Any, asked: FaceReview, query: str, count: int) -> None:
    assert len(operator.get(f"{REVIEWS}?{query}").json()["results"]) == count


@pytest.mark.parametrize("query", ["state=x", "origin=x"])
def test_a_filter_that_makes_no_sense_is_refused(operator: Any, query: str) -> None:
    check_refused(operator.get(f"{REVIEWS}?{query}"), 400, "invalid")


@pytest.mark.parametrize(
    ("answer", "state", "named"),
    [("yes", "confirmed", "Ada"), ("no", "rejected", None), ("other", "reassigned", "Grace")],
)
def test_an_answer_is_learned_from(
    operator: Any, asked: FaceReview, faces: FakeFaces, answer: str, state: str, named: Any
) -> None:
    people = {profile.name: profile for profile in (asked.candidate, other_than(asked))}
    body: dict[str, Any] = {"answer": answer}
    if answer == "other":
        body["person"] = str(people["Grace"].pk)
    given = operator.post(f"{REVIEWS}{asked.pk}/answer/", body)
    assert given.status_code == 200, given.content
    assert given.json()["state"] == state
    assert given.json()["answer"] == (str(people[named].pk) if named else None)
    assert FaceSample.objects.filter(source="review").exists() == (named is not None)
    assert NegativeEvidence.objects.exists() == (answer != "yes")
    (face,) = post_picture(operator, "/api/recognize/").json()["faces"]
    assert face["name"] == (named or "Unknown")


def other_than(review: FaceReview) -> Any:
    profiles = type(review.candidate).objects.exclude(pk=review.candidate_id)
    return profiles.get()


def test_the_first_answer_counts(operator: Any, asked: FaceReview) -> None:
    path = f"{REVIEWS}{asked.pk}/answer/"
    assert operator.post(path, {"answer": "no"}).status_code == 200
    check_refused(operator.post(path, {"answer": "yes"}), 409, "already_answered")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"answer": "perhaps"}, "invalid"),
        ({"answer": "other"}, "invalid"),
        ({"answer": "other", "person": "x"}, "invalid"),
        ({"answer": "other", "person": str(uuid.UUID(int=7))}, "unknown_person"),
        ({"answer": "yes", "person": str(uuid.UUID(int=7))}, "invalid"),
    ],
    ids=["nothing", "perhaps", "nobody", "no id", "a stranger", "yes and somebody"],
)
def test_what_is_no_answer_is_refused(
    operator: Any, asked: FaceReview, body: Any, code: str
) -> None:
    check_refused(operator.post(f"{REVIEWS}{asked.pk}/answer/", body), 400, code)
    asked.refresh_from_db()
    assert asked.state == "open"


def test_the_candidate_is_not_somebody_else(operator: Any, asked: FaceReview) -> None:
    body = {"answer": "other", "person": str(asked.candidate_id)}
    check_refused(operator.post(f"{REVIEWS}{asked.pk}/answer/", body), 400, "invalid")


def test_a_question_that_is_unknown_is_not_found(operator: Any) -> None:
    gone = f"{REVIEWS}{uuid.UUID(int=7)}/"
    for method, path in [("get", gone), ("get", f"{gone}crop.jpg"), ("post", f"{gone}answer/")]:
        check_refused(getattr(operator, method)(path), 404, "not_found")


def test_viewers_see_no_faces(viewer: Any, asked: FaceReview) -> None:
    path = f"{REVIEWS}{asked.pk}/"
    for tried in (REVIEWS, path, f"{path}crop.jpg"):
        check_refused(viewer.get(tried), 403, "not_allowed_to_create")
    check_refused(viewer.post(f"{path}answer/", {"answer": "no"}), 403, "not_allowed_to_create")


def test_whoever_looks_is_written_down(operator: Any, asked: FaceReview) -> None:
    before = AuditEntry.objects.count()
    operator.get(REVIEWS)
    operator.get(f"{REVIEWS}{asked.pk}/")
    listed, looked = lines()[before:]
    assert listed.details == {"what": "reviews", "count": 1}
    assert (looked.object_id, looked.details) == (str(asked.candidate_id), {"what": "review"})

"""The pages of people: who may, the gallery, and what they refuse."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from common.models import AuditEntry, Job
from recognition.models import ErasureReport, FaceReview, Profile
from recognition.services.importing import JOB_KIND
from tests.integration.recognition.conftest import JSON, SOMEBODY

pytestmark = pytest.mark.django_db

PAGES = [
    ("get", "/people/"),
    ("get", "/people/new/"),
    ("post", "/people/new/"),
    ("post", "/people/judge/"),
    ("get", "/people/suggest/"),
    ("get", "/people/recognise/"),
    ("post", "/people/recognise/"),
    ("post", "/people/recognise/not/"),
    ("post", "/people/recognise/name/"),
    ("get", "/people/reviews/"),
    ("post", "/people/reviews/{review}/"),
    ("get", "/people/import/"),
    ("post", "/people/import/"),
    ("get", "/people/import/{job}/"),
    ("post", "/people/import/{job}/cancel/"),
    ("get", "/people/{person}/"),
    ("get", "/people/{person}/edit/"),
    ("post", "/people/{person}/edit/"),
    ("post", "/people/{person}/consent/"),
    ("post", "/people/{person}/merge/"),
    ("post", f"/people/{{person}}/merges/{SOMEBODY}/undo/"),
    ("get", "/people/{person}/photos/"),
    ("post", "/people/{person}/samples/"),
    ("post", "/people/{person}/samples/delete/"),
    ("post", "/people/{person}/samples/move/"),
    ("post", "/people/{person}/samples/split/"),
]
ADMINISTRATORS = [
    ("get", "/people/{person}/export/"),
    ("get", "/people/{person}/erase/"),
    ("post", "/people/{person}/erase/"),
    ("get", "/people/privacy/"),
    ("post", "/people/privacy/"),
    ("post", "/people/privacy/text/"),
    ("get", "/people/erasures/{report}/"),
]
PICTURES = [
    "/people/{person}/photo.jpg",
    "/people/samples/{sample}/face.jpg",
    "/people/reviews/{review}/face.jpg",
]


def addresses(review: FaceReview, owner: Any) -> dict[str, Any]:
    report = ErasureReport.objects.create(subject=uuid.uuid4(), reason="request")
    job = Job.objects.create(kind=JOB_KIND, owner=owner, state="done")
    person = review.candidate
    sample = person.samples.get(crop__contains=str(person.samples.first().pk.hex))
    return {
        "review": review.pk,
        "person": person.pk,
        "sample": sample.pk,
        "report": report.pk,
        "job": job.pk,
    }


@pytest.mark.parametrize(("method", "address"), [*PAGES, *ADMINISTRATORS])
def test_viewers_see_nobody(
    review: FaceReview, user: Any, viewer: Any, method: str, address: str
) -> None:
    place = address.format(**addresses(review, user))
    client = Client()
    asked = getattr(client, method)(place)
    assert asked.status_code == 302
    assert asked["Location"].startswith("/accounts/login/")
    client.force_login(viewer)
    assert getattr(client, method)(place).status_code == 403
    assert getattr(client, method)(place, **JSON).json()["error"]["code"]
    assert Profile.objects.get().name == "Ada"


@pytest.mark.parametrize(("method", "address"), ADMINISTRATORS)
def test_what_only_administrators_may(
    review: FaceReview, user: Any, signed_in: Client, method: str, address: str
) -> None:
    place = address.format(**addresses(review, user))
    assert getattr(signed_in, method)(place).status_code == 403
    assert Profile.objects.exists()


@pytest.mark.parametrize("address", PICTURES)
def test_pictures_of_faces_are_shown_to_who_may_see_the_person(
    review: FaceReview, user: Any, viewer: Any, signed_in: Client, address: str
) -> None:
    place = address.format(**addresses(review, user))
    shown = signed_in.get(place)
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/jpeg"
    assert shown["Cache-Control"] == "private, no-cache"
    assert shown["X-Content-Type-Options"] == "nosniff"
    client = Client()
    assert client.get(place).status_code == 302
    client.force_login(viewer)
    assert client.get(place).status_code == 404


def test_an_empty_gallery_says_what_to_do_next(signed_in: Client) -> None:
    text = signed_in.get("/people/").content.decode()
    assert "Nobody is known yet" in text
    assert "/people/new/" in text
    assert "/people/import/" in text


def test_the_gallery_searches_filters_and_sorts(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    make_person("Ada Lovelace", 1, kind="staff")
    make_person("Alan Turing", 2)
    grace = make_person("Grace <Hopper>", 3)
    Profile.objects.filter(pk=grace.pk).update(visit_count=4)
    every = signed_in.get("/people/").content.decode()
    assert every.index("Ada Lovelace") < every.index("Alan Turing") < every.index("Grace &lt;")
    found = signed_in.get("/people/?q=turing", HTTP_HX_TARGET="people-list").content.decode()
    assert "Alan Turing" in found
    assert "Ada" not in found
    assert "<h1>" not in found
    assert "Alan" not in signed_in.get("/people/?kind=staff").content.decode()
    ordered = signed_in.get("/people/?order=visits").content.decode()
    assert ordered.index("Grace") < ordered.index("Ada")
    assert "Nobody matches" in signed_in.get("/people/?q=zz").content.decode()
    odd = signed_in.get("/people/?kind=robot&order=odd&page=x&q=%00")
    assert odd.status_code == 200


def test_a_list_and_a_person_that_were_looked_at_are_written_down_without_names(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada = make_person("Ada", 1)
    signed_in.get("/people/")
    signed_in.get(f"/people/{ada.pk}/")
    lines = AuditEntry.objects.filter(action=AuditEntry.Action.VIEWED)
    assert [line.details["what"] for line in lines.order_by("id")] == ["people", "profile"]
    assert not any("Ada" in f"{line.object_name}{line.details}" for line in lines)


def test_people_are_suggested_by_a_few_letters(
    signed_in: Client, make_person: Callable[..., Profile]
) -> None:
    ada, alan = make_person("Ada", 1), make_person("Alan", 2)
    found = signed_in.get("/people/suggest/", {"q": "a", "but": str(ada.pk)}).json()["people"]
    assert [card["name"] for card in found] == ["Alan"]
    assert found[0]["url"] == f"/people/{alan.pk}/"


def test_the_navigation_leads_to_people_and_privacy(
    admin: Client, signed_in: Client, viewer: Any
) -> None:
    looking = Client()
    looking.force_login(viewer)
    shown = [client.get("/").content.decode() for client in (admin, signed_in, looking)]
    assert ['href="/people/"' in text for text in shown] == [True, True, False]
    assert ['href="/people/privacy/"' in text for text in shown] == [True, False, False]

"""Visitors without a name are given one, over REST and on the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from common.models import AuditEntry
from recognition.models import FaceSample, Profile, ProfileMerge
from recognition.services.consent import has_consent, publish_consent_text
from recognition.services.profiles import undo_merge
from tests.integration.conftest import make_user
from tests.integration.retail.conftest import Shop
from tests.made_faces import EMBEDDER, face_of
from video_analysis.models import Sighting, Visitor, VisitorFace
from video_analysis.retail.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(shop: Shop) -> Visitor:
    """Somebody who is in the shop now, whose face was seen twice."""
    visitor = Visitor.objects.create(area=shop.area, number=3)
    for distance in (0.0, 0.1):
        VisitorFace.objects.create(
            visitor=visitor,
            embedding=np.asarray(face_of(1, distance=distance), "<f4").tobytes(),
            model=EMBEDDER,
            expires_at=timezone.now() + timedelta(hours=1),
        )
    Sighting.objects.create(
        camera=shop.door, area=shop.area, track=uuid4(), state="visitor", visitor=visitor
    )
    Visit.objects.create(area=shop.area, visitor=visitor)
    return visitor


def client_of(role: str, *, watches: Shop | None = None) -> Client:
    user = make_user(f"{role}-{watches is not None}", role)
    if watches is not None:
        group = Group.objects.create(name=f"Sellers {role}")
        watches.door.groups.add(group)
        user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def seller(shop: Shop) -> Client:
    """An operator who watches the door of the shop."""
    return client_of("operator", watches=shop)


def api(visitor: Visitor) -> str:
    return f"/api/visitors/{visitor.pk}/name/"


def page(visitor: Visitor) -> str:
    return f"/visits/visitors/{visitor.pk}/name/"


def send(client: Client, address: str, **body: Any) -> Any:
    kind = "application/json" if address.startswith("/api/") else None
    more = {"content_type": kind} if kind else {}
    return client.post(address, body, headers={"Accept": "application/json"}, **more)


# ---------------------------------------------------------------- somebody new
@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
@pytest.mark.parametrize("kind", ["customer", "staff"])
def test_a_named_visitor_is_a_person_with_faces_sightings_and_visits(
    way: Any, kind: str, seller: Client, visitor: Visitor
) -> None:
    answer = send(seller, way(visitor), name=" Nora ", kind=kind)
    assert answer.status_code == 200, answer.content
    nora = Profile.objects.get(name="Nora")
    assert (nora.kind, nora.samples.count()) == (kind, 2)
    assert {sample.source for sample in nora.samples.all()} == {FaceSample.Source.VISITOR}
    assert Sighting.objects.get().profile == nora
    assert Visit.objects.get().profile == nora
    assert nora.visit_count == (kind == "customer")
    assert not Visitor.objects.exists()
    told = answer.json()
    assert (told if way is api else told["person"])["id"] == str(nora.pk)


def test_naming_is_a_line_of_the_log_without_the_name(seller: Client, visitor: Visitor) -> None:
    send(seller, api(visitor), name="Nora")
    nora = Profile.objects.get(name="Nora")
    found = AuditEntry.objects.filter(object_id=str(nora.pk))
    (line,) = [one for one in found if one.details.get("change") == "visitor named"]
    assert line.details == {"change": "visitor named", "area": visitor.area_id, "faces": 2}
    assert line.actor_name
    assert not [one for one in found if "Nora" in f"{one.object_name} {one.details}"]


@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
def test_an_agreement_is_recorded_with_the_name(way: Any, seller: Client, visitor: Visitor) -> None:
    refused = send(seller, way(visitor), name="Nora", kind="customer", consent="true")
    assert refused.status_code == 409
    assert Visitor.objects.exists()
    assert not Profile.objects.filter(name="Nora").exists()
    publish_consent_text(actor=None, text="I agree.")
    assert send(seller, way(visitor), name="Nora", kind="customer", consent="true")
    assert has_consent(Profile.objects.get(name="Nora").pk)


# ---------------------------------------------------------------- somebody known
@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
def test_a_visitor_who_is_known_becomes_part_of_that_person(
    way: Any, seller: Client, visitor: Visitor, shop: Shop
) -> None:
    Visit.objects.create(area=shop.area, profile=shop.ada)
    assert send(seller, way(visitor), person=str(shop.ada.pk)).status_code == 200
    shop.ada.refresh_from_db()
    assert (shop.ada.name, shop.ada.samples.count(), shop.ada.visit_count) == ("Ada", 2, 1)
    assert Visit.objects.get().profile == shop.ada
    assert Sighting.objects.get().profile == shop.ada
    assert Profile.objects.filter(name="Ada").count() == 1
    back = undo_merge(actor=None, merge=ProfileMerge.objects.get())
    assert back.samples.count() == 2


# ---------------------------------------------------------------- refused
@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
def test_visitors_are_named_by_those_who_work_with_people_and_watch_the_area(
    way: Any, shop: Shop, visitor: Visitor
) -> None:
    cases = [
        (client_of("viewer", watches=shop), 403),
        (client_of("operator"), 404),
        (client_of("administrator"), 200),
    ]
    for client, status in cases:
        answer = send(client, way(visitor), name="Nora", kind="customer")
        assert answer.status_code == status
        assert Visitor.objects.exists() == (status != 200)


@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
def test_a_visitor_who_is_gone_is_not_found(way: Any, seller: Client, visitor: Visitor) -> None:
    send(seller, way(visitor), name="Nora", kind="customer")
    answer = send(seller, way(visitor), name="Vera", kind="customer")
    assert answer.status_code == 404
    assert not Profile.objects.filter(name="Vera").exists()


@pytest.mark.parametrize("way", [api, page], ids=["rest", "page"])
def test_whose_faces_are_forgotten_cannot_be_named(
    way: Any, seller: Client, visitor: Visitor
) -> None:
    VisitorFace.objects.update(expires_at=timezone.now())
    answer = send(seller, way(visitor), name="Nora", kind="customer")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "faces_forgotten")
    assert not Profile.objects.filter(name="Nora").exists()
    assert Visit.objects.get().visitor == visitor


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "\u200b"},
        {"name": "x" * 201},
        {"name": "Nora", "kind": "cat"},
        {"name": "Nora", "person": "{ada}"},
        {"person": "1"},
        {"person": "00000000-0000-0000-0000-000000000000"},
    ],
    ids=["nothing", "empty", "blank", "unseen", "long", "kind", "both", "no id", "nobody"],
)
def test_what_makes_no_sense_is_named(
    body: dict[str, str], seller: Client, visitor: Visitor, shop: Shop
) -> None:
    filled = {key: value.format(ada=shop.ada.pk) for key, value in body.items()}
    answer = send(seller, api(visitor), **filled)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["fields"]
    assert Visitor.objects.filter(pk=visitor.pk).exists()


# ---------------------------------------------------------------- the pages
def test_pages_ask_for_a_name_where_there_is_none(
    seller: Client, visitor: Visitor, shop: Shop
) -> None:
    Visit.objects.create(area=shop.area, profile=shop.ada)
    unnamed = Visit.objects.get(visitor=visitor)
    known = Visit.objects.get(profile=shop.ada)

    def asks(address: str) -> int:
        return seller.get(address).content.decode().count(page(visitor))

    assert asks("/visits/") == asks(f"/visits/{unnamed.pk}/") == 1
    assert asks(f"/visits/{known.pk}/") == 0
    VisitorFace.objects.all().delete()
    assert asks(f"/visits/{unnamed.pk}/") == 0

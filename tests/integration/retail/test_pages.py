"""Pages and REST of visits: who may see whose, what they say, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.models import AuditEntry
from recognition.models import Profile
from tests.integration.conftest import make_user
from tests.integration.retail.conftest import Shop
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Visitor
from video_analysis.retail.models import Visit

pytestmark = pytest.mark.django_db

MOOD = [
    {"at": "2026-03-02T12:00:00+00:00", "shares": {"happy": 0.25, "neutral": 0.75}},
    {"at": "2026-03-02T12:00:30+00:00", "shares": {"happy": 0.75, "neutral": 0.25}},
]
PAGES = ["/visits/", "/visits/history/", "/visits/days/", "/visits/visits.csv", "/visits/{visit}/"]
ADDRESSES = [
    "/api/visits/",
    "/api/visits/now/",
    "/api/visits/days/",
    "/api/visits/{visit}/",
]


def client_of(role: str, *, group: Group | None = None) -> Client:
    user = make_user(f"{role}-of-{group}", role)
    if group is not None:
        user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def here(shop: Shop) -> Shop:
    """Ada waits, Sam is at work, a visitor was served and left; Grace is in another area."""
    now = timezone.now()
    visitor = Visitor.objects.create(area=shop.area, number=7)
    cellar = Area.objects.create(name="Cellar", recognise=True)
    Camera.objects.create(name="Stairs", area=cellar, address="loop:gone.mp4", enabled=False)
    group = Group.objects.create(name="Sellers")
    shop.door.groups.add(group)

    def add(area: Area, minutes: float, **values: Any) -> Visit:
        entry = now - timedelta(minutes=minutes)
        return Visit.objects.create(area=area, entry=entry, **{"last_seen": now, **values})

    add(shop.area, 4, profile=shop.ada, mood=MOOD, sightings=2)
    add(shop.area, 5, profile=shop.sam)
    gone = now - timedelta(minutes=1)
    add(
        *(shop.area, 2),
        visitor=visitor,
        last_seen=gone,
        exit=gone,
        waiting_seconds=15,
        interactions=1,
    )
    add(cellar, 3, profile=shop.grace)
    return shop


@pytest.fixture
def seller(here: Shop) -> Client:
    """An operator who watches the door of the shop, and nothing of the cellar."""
    return client_of("operator", group=Group.objects.get())


@pytest.fixture
def admin(here: Shop) -> Client:
    return client_of("administrator")


def visit_of(person: Profile) -> Visit:
    return Visit.objects.get(profile=person)


# ---------------------------------------------------------------- who may
@pytest.mark.parametrize("address", [*PAGES, *ADDRESSES])
@pytest.mark.parametrize("role", ["viewer", "stranger", "seller", "administrator"])
def test_visits_are_for_those_who_work_with_people_and_watch_the_area(
    role: str, address: str, here: Shop
) -> None:
    group = Group.objects.get()
    clients = {
        "viewer": ("viewer", group),
        "stranger": ("operator", None),
        "seller": ("operator", group),
        "administrator": ("administrator", None),
    }
    name, member = clients[role]
    client = client_of(name, group=member)
    answer = client.get(address.format(visit=visit_of(here.ada).pk))
    wanted = {"viewer": 403, "stranger": 404 if "{visit}" in address else 200}.get(role, 200)
    assert answer.status_code == wanted
    body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    if role == "stranger":
        assert b"Ada" not in body
    if role == "seller":
        assert b"Grace" not in body
    if role in ("seller", "administrator") and "days" not in address:
        assert b"Ada" in body


@pytest.mark.parametrize("address", [*PAGES[:4], *ADDRESSES[:3]])
def test_without_any_visit_pages_and_answers_are_empty(address: str, db: None) -> None:
    client = client_of("administrator")
    assert client.get(address).status_code == 200


# ---------------------------------------------------------------- now
def test_who_is_here_says_who_waits_and_who_works(seller: Client) -> None:
    page = seller.get("/visits/").content.decode()
    assert "waits 4 min" in page
    assert page.count("here-person") == 2
    assert "Visitor 7" not in page
    part = seller.get("/visits/", headers={"HX-Request": "true", "HX-Target": "here-now"})
    assert part.content.decode().lstrip().startswith('<div id="here-now"')


def test_looking_is_one_line_of_the_log_and_refreshing_is_none(seller: Client) -> None:
    before = AuditEntry.objects.count()
    seller.get("/visits/")
    for _ in range(3):
        seller.get("/visits/", headers={"HX-Target": "here-now"})
    assert AuditEntry.objects.count() == before + 1


def test_the_api_says_the_same(seller: Client, here: Shop) -> None:
    areas = seller.get("/api/visits/now/").json()["areas"]
    assert [area["area"]["name"] for area in areas] == ["Shop"]
    sam, ada = areas[0]["visits"]
    assert (sam["person"]["name"], sam["staff"]) == ("Sam", True)
    assert (ada["person"]["name"], ada["staff"], ada["exit"]) == ("Ada", False, None)
    assert ada["mood"] == {"happy": 0.5, "neutral": 0.5}


# ---------------------------------------------------------------- history
FILTERS = [
    ("", {"Ada", "Sam", "Grace", "Visitor 7"}),
    ("area={shop}", {"Ada", "Sam", "Visitor 7"}),
    ("person={ada}", {"Ada"}),
    ("q=gra", {"Grace"}),
    ("kind=staff", {"Sam"}),
    ("kind=customer", {"Ada", "Grace", "Visitor 7"}),
    ("open=false", {"Visitor 7"}),
    ("to=2026-01-01", set()),
    ("from=2026-01-01", {"Ada", "Sam", "Grace", "Visitor 7"}),
    ("area=2147483647", set()),
]


@pytest.mark.parametrize(("query", "names"), FILTERS, ids=[query for query, _ in FILTERS])
def test_filters_narrow_the_page_the_file_and_the_api(
    query: str, names: set[str], admin: Client, here: Shop
) -> None:
    query = query.format(shop=here.area.pk, ada=here.ada.pk)
    page = admin.get(f"/visits/history/?{query}", headers={"HX-Target": "visit-list"})
    shown = {shown.name for shown in page.context["visits"]}
    file = b"".join(admin.get(f"/visits/visits.csv?{query}")).decode()  # type: ignore[arg-type]
    listed = {row["person"] for row in csv.DictReader(io.StringIO(file))}
    answer = admin.get(f"/api/visits/?{query}").json()["results"]
    told = {
        row["person"]["name"] if row["person"] else f"Visitor {row['visitor']['number']}"
        for row in answer
    }
    assert shown == listed == told == names


@pytest.mark.parametrize(
    "query",
    ["area=x", "area=99999999999999999999", "person=1", "kind=cat", "open=2", "from=x", "to=x"],
)
def test_a_filter_that_makes_no_sense_is_named(query: str, admin: Client) -> None:
    answer = admin.get(f"/api/visits/?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["error"]["fields"]
    page = admin.get(f"/visits/history/?{query}")
    assert page.status_code == 200
    assert b"must be" in page.content


def test_pages_of_history_and_api_hold_all_visits_once(admin: Client, here: Shop) -> None:
    now = timezone.now()
    for number in range(60):
        at = now - timedelta(hours=number + 1)
        Visit.objects.create(
            area=here.area, profile=here.grace, entry=at, last_seen=at, exit=at, sightings=1
        )
    found = []
    for page in (1, 2):
        answer = admin.get(f"/visits/history/?page={page}")
        found += [shown.visit.pk for shown in answer.context["visits"]]
    assert len(found) == len(set(found)) == 64
    address, ids = "/api/visits/?page_size=25", []
    while address:
        answer = admin.get(address).json()
        ids += [row["id"] for row in answer["results"]]
        address = answer["next"]
    assert ids == [str(pk) for pk in found]


def test_a_name_that_is_a_formula_is_harmless_in_the_file(admin: Client, here: Shop) -> None:
    Profile.objects.filter(pk=here.ada.pk).update(name='=HYPERLINK("x")')
    file = b"".join(admin.get("/visits/visits.csv")).decode()  # type: ignore[arg-type]
    cells = {cell for row in csv.reader(io.StringIO(file)) for cell in row}
    assert '\'=HYPERLINK("x")' in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_an_export_is_logged_without_names(admin: Client) -> None:
    admin.get("/visits/visits.csv?q=Ada")
    line = AuditEntry.objects.filter(action=AuditEntry.Action.EXPORTED).latest("at")
    assert line.details["filters"] == ["q"]
    assert "Ada" not in json.dumps(line.details)


# ---------------------------------------------------------------- one visit
def test_a_visit_shows_moods_with_what_is_known_of_their_accuracy(
    admin: Client, here: Shop
) -> None:
    visit = visit_of(here.ada)
    page = admin.get(f"/visits/{visit.pk}/").content.decode()
    assert "66% on FER2013" in page
    assert "50%" in page
    assert "moods" not in admin.get(f"/visits/{visit_of(here.sam).pk}/").content.decode()
    answer = admin.get(f"/api/visits/{visit.pk}/").json()
    assert len(answer["moods"]) == 2
    assert answer["mood_accuracy"].startswith("66%")


# ---------------------------------------------------------------- days
def test_figures_of_a_day_leave_staff_out(admin: Client) -> None:
    days = admin.get("/api/visits/days/").json()["days"]
    assert len(days) == 14
    assert sum(day["visits"] for day in days) == 3
    (served,) = [day for day in days if day["served"]]
    assert served["median_waiting_seconds"] == 15
    assert served["median_stay_seconds"] == 60
    assert "15 s" in admin.get("/visits/days/").content.decode()


def test_figures_follow_the_area(seller: Client, here: Shop) -> None:
    cellar = Area.objects.get(name="Cellar")
    for area, visits in ((here.area, 2), (cellar, 0)):
        days = seller.get(f"/api/visits/days/?area={area.pk}").json()["days"]
        assert sum(day["visits"] for day in days) == visits


# ---------------------------------------------------------------- moods where nobody asks
@pytest.mark.parametrize("address", ["/visits/", "/visits/history/", "/visits/visits.csv"])
def test_lists_do_not_read_the_moods_of_everybody(address: str, admin: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = admin.get(address)
        assert b"Ada" in (b"".join(answer) if answer.streaming else answer.content)  # type: ignore[arg-type]
    assert not [query for query in asked if '"retail_visit"."mood"' in query["sql"]]

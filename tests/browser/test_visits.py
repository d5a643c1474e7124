"""Visits in a browser: who is here refreshes itself; history is filtered; moods are explained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server

MADE = """
from datetime import timedelta
from django.utils import timezone
from recognition.models import Profile
from video_analysis.cameras.models import Area
from video_analysis.retail.models import Visit
area = Area.objects.create(name="Visited shop", recognise=True, mood=True)
now = timezone.now()
mood = [{"at": now.isoformat(), "shares": {"happy": 0.7, "neutral": 0.3}}]
for name, kind, minutes in (("Ada", "customer", 4), ("Sam", "staff", 30)):
    who = Profile.objects.create(name=name, kind=kind)
    entry = now - timedelta(minutes=minutes)
    Visit.objects.create(area=area, profile=who, entry=entry, mood=mood if name == "Ada" else [])
"""
UNNAMED = """
from datetime import timedelta
import numpy as np
from django.utils import timezone
from video_analysis.cameras.models import Area
from video_analysis.models import Visitor, VisitorFace
from video_analysis.retail.models import Visit
area = Area.objects.get(name="Visited shop")
visitor = Visitor.objects.create(area=area, number=3)
VisitorFace.objects.create(
    visitor=visitor,
    embedding=np.full(128, 0.08, "<f4").tobytes(),
    model="made-up",
    expires_at=timezone.now() + timedelta(hours=1),
)
Visit.objects.create(area=area, visitor=visitor)
"""
COMES = """
from recognition.models import Profile
from video_analysis.cameras.models import Area
from video_analysis.retail.models import Visit
area = Area.objects.get(name="Visited shop")
Visit.objects.create(area=area, profile=Profile.objects.create(name="Grace"))
"""
CLEARED = """
from recognition.models import Profile
from video_analysis.cameras.models import Area
Profile.objects.filter(name__in=["Ada", "Sam", "Grace", "Nora"]).delete()
Area.objects.filter(name="Visited shop").delete()
"""


@pytest.fixture(autouse=True)
def visited(server: Server) -> Iterator[None]:
    """A shop in which a customer waits and one of the staff works."""
    server.shell(MADE)
    yield
    server.shell(CLEARED)


def test_who_comes_appears_by_itself(page: Any, server: Server) -> None:
    page.goto("/visits/")
    people = page.locator(".here-person")
    expect(people).to_have_count(2)
    expect(people.filter(has_text="Ada")).to_contain_text("waits 4 min")
    expect(people.filter(has_text="Sam")).to_contain_text("Staff")
    server.shell(COMES)
    expect(people.filter(has_text="Grace")).to_be_visible(timeout=15_000)


def test_a_visitor_is_given_a_name(page: Any, server: Server) -> None:
    server.shell(UNNAMED)
    page.goto("/visits/")
    people = page.locator(".here-person")
    page.get_by_role("button", name="Give Visitor 3 a name").click()
    dialog = page.get_by_role("dialog", name="Who is Visitor 3?")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_role("combobox", name="Name").fill("Nora")
    expect(dialog.get_by_text("A new person of this name is added.")).to_be_visible()
    # The list of who is here is replaced meanwhile; the question stays.
    with page.expect_response(lambda answer: answer.url.endswith("/visits/")):
        pass
    dialog.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Visitor 3 is Nora from now on.")).to_be_visible()
    expect(people.filter(has_text="Nora")).to_contain_text("waits")
    people.filter(has_text="Nora").click()
    expect(page.get_by_role("link", name="About Nora")).to_be_visible()


def test_history_narrows_while_one_types_and_leads_to_the_visit(page: Any) -> None:
    page.goto("/visits/history/")
    rows = page.locator("#visit-list tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_label("Name").fill("ad")
    expect(rows).to_have_count(1)
    page.get_by_label("Kind").select_option("staff")
    expect(page.get_by_role("heading", name="No visit matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "visits.csv"
    page.get_by_role("link", name="Ada").click()
    expect(page.get_by_role("heading", name="How they looked")).to_be_visible()
    expect(page.get_by_text("one face in three is told wrong")).to_be_visible()


def test_figures_of_the_day_are_shown_also_on_a_phone(new_page: Any) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    for address in ("/visits/days/", "/visits/", "/visits/history/"):
        page.goto(address)
        expect(page.get_by_role("navigation", name="Visits")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, address
    page.goto("/visits/days/")
    assert page.locator("tbody tr").count() == 14


def test_history_is_filtered_on_a_phone(new_page: Any) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    page.goto("/visits/history/")
    rows = page.locator("#visit-list tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Kind").select_option("staff")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Sam")

"""The audit log in a real browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Server

FILL = """
import datetime as dt
from django.utils import timezone
from common.models import AuditEntry
now = timezone.now()
AuditEntry.objects.bulk_create(
    AuditEntry(
        at=now - dt.timedelta(minutes=number), action="exported", actor_name="grace",
        object_name=f"street-{number}.jpg", owner_name="bob", address="10.0.0.3",
        via="token nightly", details={"format": "csv"},
    )
    for number in range(120)
)
"""


@pytest.fixture(scope="module")
def filled(server: Server) -> None:
    """A log of more than two pages."""
    server.shell(FILL)


def test_the_menu_leads_to_the_log(page: Any) -> None:
    page.goto("/")
    page.click("summary[aria-label='Account and theme']")
    page.click("text=Audit log")
    page.wait_for_url("**/audit/")
    assert page.locator(".audit-line", has_text="admin signed in").count() >= 1


def test_lines_are_narrowed_paged_and_taken_away(page: Any, filled: None) -> None:
    page.goto("/audit/")
    page.fill("input[name=person]", "grace")
    page.press("input[name=person]", "Enter")
    page.wait_for_url("**person=grace**")
    first = page.locator(".audit-line").first
    first.get_by_text("grace exported “street-0.jpg” of bob as CSV").wait_for()
    assert first.locator(".audit-from").inner_text() == "from 10.0.0.3 · token nightly"
    assert page.locator(".audit-line").count() == 50

    page.click("a[rel=next]")
    page.get_by_text("“street-50.jpg”").wait_for()
    assert "person=grace" in page.url
    page.click("a[rel=first]")
    page.get_by_text("“street-0.jpg”").wait_for()

    with page.expect_download() as download:
        page.click("a[download]")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    streets = [row for row in rows if row["object"].startswith("street-")]
    assert [row["person"] for row in streets] == ["grace"] * 120


def test_nothing_found_says_how_to_go_on(page: Any) -> None:
    page.goto("/audit/?q=zebra-without-stripes")
    page.get_by_text("No line matches").wait_for()
    page.click("text=Clear the filters")
    page.locator(".audit-line").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits(new_page: Callable[..., Any], filled: None, scheme: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 760}, color_scheme=scheme)
    page.goto("/audit/")
    page.locator(".audit-line").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

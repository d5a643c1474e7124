"""The storage page: weights, days with a preview, a run; and a session whose picture went."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

AGE = """
from datetime import timedelta
from django.utils import timezone
from common.models import Upload
Upload.objects.filter(sessions__name__startswith={name!r}).update(
    created_at=timezone.now() - timedelta(days=40)
)
"""


@pytest.fixture(scope="module")
def aged(server: Any, make_sessions: Callable[..., list[str]]) -> list[str]:
    ids = make_sessions(name="forty days old #", sessions=2, objects=5)
    server.shell(AGE.format(name="forty days old"))
    return ids


def test_days_are_tried_saved_and_carried_out(page: Any, aged: list[str]) -> None:
    page.goto("/storage/")
    expect(page.get_by_role("heading", name="What takes the room")).to_be_visible()
    expect(page.get_by_text("Everything is kept for ever.")).to_be_visible()
    page.get_by_label("Pictures", exact=True).fill("30")
    expect(page.locator("#retention-preview")).to_contain_text("would delete 2 pictures")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved")
    expect(page.get_by_label("Pictures", exact=True)).to_have_value("30")
    page.get_by_role("button", name="Run now").click()
    run = page.locator("#storage-run")
    expect(run.get_by_text("Pictures removed")).to_be_visible()
    expect(run.locator("dl")).to_contain_text("2")
    expect(run.get_by_role("button", name="Run now")).to_be_enabled()

    page.goto(f"/sessions/{aged[0]}/")
    expect(page.get_by_text("after 40 days; what was found in it is kept.")).to_be_visible()
    expect(page.locator("#overlay.is-ready .shape-box").first).to_be_attached()
    expect(page.get_by_role("button", name="Run again")).to_have_count(0)
    page.goto("/sessions/?q=forty")
    expect(page.locator(".session-removed")).to_have_count(2)

    page.goto("/storage/")
    page.get_by_label("Pictures", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Everything is kept for ever.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_at_any_width(
    new_page: Callable[..., Any], scheme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto("/storage/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bars = page.locator(".weight-bar")
    assert bars.count() >= 7
    assert bars.first.bounding_box()["width"] > 100

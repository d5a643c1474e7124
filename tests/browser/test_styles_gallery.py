"""The gallery of styles in a browser: searched, added to, shared; and results as they come."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server

CLEARED = """
from common.models import Job
from styletransfer.models import Style, Restyling
from styletransfer.services.deleting import delete_restyling
for row in Restyling.objects.all():
    delete_restyling(restyling=row)
Style.objects.filter(key="").delete()
"""
# Results in every state; nobody works on the two that are not finished.
MADE = """
import datetime as dt, json
from pathlib import Path
from django.contrib.auth import get_user_model
from django.utils import timezone
from tests.integration.styletransfer.made_styles import add, painted
admin = get_user_model().objects.get(username="admin")
style = add(admin, "Peeling paint", description="Flaking blue over rust.", use_count=3)
made = {"style": str(style.pk)}
for state in ("failed", "cancelled", "queued", "running", "done"):
    row = painted(admin, style, name=f"Harbour {state}", state=state)
    row.job.lease_expires_at = timezone.now() + dt.timedelta(hours=1)
    row.job.save()
    made[state] = str(row.pk)
print(json.dumps(made))
"""
# What the page of the painting itself sends, with a picture that is at hand.
PAINTED = """async (style) => {
  const picture = await (await fetch(`/styles/${style}/thumbnail`)).blob();
  const body = new FormData();
  body.append("image", picture, "pattern.jpg");
  const wishes = { style, size: 64, steps: 3 };
  for (const [name, value] of Object.entries(wishes)) body.append(name, value);
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch("/styles/create/", {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token },
  });
  return answer.json();
}"""
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    {"viewport": {"width": 700, "height": 800}},
]


@pytest.fixture(scope="module", autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """What these tests have added is gone afterwards."""
    yield
    server.shell(CLEARED)


@pytest.fixture
def made(server: Server) -> dict[str, str]:
    """A style of the administrator and results of it, by state; nothing else is there."""
    ids: dict[str, str] = json.loads(server.shell(CLEARED + MADE))
    return ids


def card(page: Any, restyling_id: str) -> Any:
    return page.locator(f'.restyling-card[data-restyling="{restyling_id}"]')


def is_loaded(image: Any) -> bool:
    return bool(image.evaluate("(image) => image.decode().then(() => image.naturalWidth > 1)"))


def test_pages_fit_and_complain_of_nothing(
    new_page: Callable[..., Any], made: dict[str, str]
) -> None:
    for look in LOOKS:
        page = new_page(**look)
        for where in ("", "new/", "results/", f"{made['style']}/", "?q=nothing-of-the-kind"):
            page.goto(f"/styles/{where}")
            page.wait_for_load_state("networkidle")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= page.viewport_size["width"], f"{where} is {width} pixels wide"
            here = page.get_by_role("navigation", name="Main").get_by_role("link", name="Styles")
            expect(here).to_be_in_viewport(ratio=0.99)


def test_the_gallery_is_searched_while_one_types(page: Any, made: dict[str, str]) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Styles").click()
    tiles = page.locator(".style-card")
    expect(tiles.filter(has_text="Peeling paint")).to_contain_text("used 3 times")
    assert tiles.count() > 6
    assert is_loaded(tiles.filter(has_text="Peeling paint").locator("img"))
    page.get_by_label("Search styles").fill("peel")
    expect(tiles).to_have_count(1)
    page.wait_for_url("**/styles/?q=peel*")
    page.get_by_label("Search styles").fill("")
    page.get_by_label("Which styles").select_option("fast")
    expect(tiles.first).to_contain_text("Fast")
    expect(tiles.filter(has_text="Peeling paint")).to_have_count(0)
    page.get_by_label("Which styles").select_option("shared")
    expect(page.get_by_text("Nobody has shared a style with you yet")).to_be_visible()
    page.get_by_role("link", name="Show all styles").click()
    expect(tiles.filter(has_text="Peeling paint")).to_have_count(1)


def test_a_style_is_added_described_shared_and_deleted(
    page: Any, made: dict[str, str], bus: Path, tmp_path: Path, complaints: Any
) -> None:
    complaints.expect("status of 415")
    page.goto("/styles/")
    page.get_by_role("link", name="Add a style").click()
    # What is no picture is refused beside the picture, and what was typed stays.
    bad = tmp_path / "notes_of_mine.jpg"
    bad.write_text("no picture")
    page.set_input_files("#style-file", bad)
    expect(page.get_by_label("Name")).to_have_value("notes of mine")
    page.get_by_label("Description").fill("A street in the sun.")
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("#style-file-error")).to_contain_text("picture")
    page.set_input_files("#style-file", bus)
    expect(page.locator("#style-file-error")).to_be_hidden()
    assert is_loaded(page.get_by_alt_text("The picture that you have chosen"))
    expect(page.get_by_label("Name")).to_have_value("bus")
    page.get_by_label("Name").fill("Sunny street")
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url(re.compile(r"/styles/[0-9a-f-]{36}/$"))
    expect(page.get_by_role("heading", name="Sunny street")).to_be_visible()
    expect(page.get_by_text("A street in the sun.").first).to_be_visible()
    expect(page.locator(".style-facts")).to_contain_text("only you")
    assert is_loaded(page.locator(".style-picture img"))

    page.get_by_text("Name and description").click()
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A style needs a name.")).to_be_visible()
    page.get_by_label("Name").fill("Sunlit street")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Sunlit street")).to_be_visible()

    page.get_by_role("button", name="Share").click()
    page.get_by_text("Everybody here").click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".style-facts")).to_contain_text("everybody here")

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("What was painted with it stays")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/styles/")
    expect(page.locator("#toasts")).to_contain_text("“Sunlit street” is deleted.")


@pytest.fixture
def complaints(complaints: Any) -> Any:
    """A refusal is an answer; the browser writes each of them down."""
    complaints.expect("status of 400")
    return complaints


def test_a_style_shows_what_was_painted_with_it(page: Any, made: dict[str, str]) -> None:
    page.goto(f"/styles/{made['style']}/")
    examples = page.locator(".restyling-card")
    expect(examples).to_have_count(2)
    for picture in examples.locator("img").all():
        assert is_loaded(picture)
    expect(page.get_by_role("link", name="Paint with it")).to_have_attribute(
        "href", f"/styles/create/?style={made['style']}"
    )
    page.get_by_role("link", name="All results in this style").click()
    expect(page.get_by_role("link", name="In Peeling paint")).to_be_visible()
    expect(page.locator(".restyling-card")).to_have_count(5)


def test_results_are_looked_at_narrowed_and_deleted(page: Any, made: dict[str, str]) -> None:
    page.goto("/styles/results/")
    expect(page.locator(".list-count")).to_have_text("5 results")
    expect(card(page, made["failed"])).to_contain_text("Failed")
    expect(card(page, made["cancelled"])).to_contain_text("Stopped")
    expect(card(page, made["running"]).get_by_role("progressbar")).to_have_js_property("value", 0.4)
    # Whoever looks closer sees what it was before.
    done = card(page, made["done"])
    before = done.locator(".thumb-before")
    expect(before).to_be_hidden()
    done.hover()
    expect(before).to_be_visible()
    assert is_loaded(before)

    page.get_by_label("Status").select_option("failed")
    expect(page.locator(".restyling-card")).to_have_count(1)
    page.get_by_label("Status").select_option("")
    expect(page.locator(".restyling-card")).to_have_count(5)
    for state in ("failed", "cancelled"):
        page.get_by_label(f"Select Harbour {state}").check(force=True)
    expect(page.locator("#bulk-count")).to_have_text("2 selected")
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 2 results?")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("2 results deleted.")
    expect(page.locator(".restyling-card")).to_have_count(3)


def test_what_is_painted_appears_and_is_finished_by_itself(page: Any, server: Server) -> None:
    server.shell(CLEARED)
    style = server.shell(
        "from styletransfer.models import Style;"
        "print(Style.objects.filter(network='').exclude(key='').first().pk)"
    )
    page.goto("/styles/results/")
    expect(page.get_by_role("heading", name="Nothing painted yet")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.evaluate("window.untouched = true")
    begun = page.evaluate(PAINTED, style)
    shown = card(page, begun["id"])
    expect(shown).to_be_visible()
    expect(shown).to_have_attribute("data-status", "done")
    assert is_loaded(shown.locator(".thumb-after"))
    assert page.evaluate("window.untouched") is True
    # And it goes by itself, when it is deleted elsewhere.
    page.evaluate(
        """(id) => fetch(`/styles/results/${id}/delete/`, { method: "POST", headers: {
          Accept: "application/json",
          "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content } })""",
        begun["id"],
    )
    expect(shown).to_have_count(0)

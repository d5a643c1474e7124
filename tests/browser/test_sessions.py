"""The list of sessions: search, filters, pages, selection, live state."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def crowd(make_sessions: Callable[..., list[str]]) -> list[str]:
    return make_sessions(name="zebra crossing #", sessions=30, objects=3)


@pytest.mark.usefixtures("crowd")
def test_search_and_pages_change_the_list_and_the_address(page: Any) -> None:
    page.goto("/sessions/")
    page.get_by_label("Search names").fill("zebra")
    page.wait_for_url(re.compile("q=zebra"))
    expect(page.locator(".list-count")).to_contain_text("24 of 30 sessions")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url(re.compile("page=2"))
    expect(page.locator(".session-card")).to_have_count(6)
    page.reload()
    expect(page.locator(".session-card")).to_have_count(6)
    expect(page.get_by_label("Search names")).to_have_value("zebra")
    page.go_back()
    expect(page.locator(".list-count")).to_contain_text("24 of 30 sessions")


@pytest.mark.usefixtures("crowd")
def test_filters_narrow_the_list(page: Any) -> None:
    page.goto("/sessions/?q=zebra")
    page.get_by_label("Class", exact=True).select_option("kite")
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    page.get_by_label("Class", exact=True).select_option("dog")
    expect(page.locator(".session-card")).to_have_count(24)
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator(".session-card").first).to_be_visible()


def test_many_sessions_are_selected_and_deleted(page: Any, crowd: list[str]) -> None:
    page.goto("/sessions/?q=zebra&order=oldest")
    cards = page.locator(".session-card")
    cards.nth(0).hover()
    cards.nth(0).locator(".session-check").check()
    cards.nth(2).locator(".session-check").click(modifiers=["Shift"])
    expect(page.locator("#bulk-count")).to_have_text("3 selected")
    page.locator("#bulk").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete 3 sessions?")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".toast")).to_contain_text("3 sessions deleted")
    assert page.request.get(f"/sessions/{crowd[0]}/").status == 404
    assert page.request.get(f"/sessions/{crowd[3]}/").status == 200


def test_a_session_is_renamed_from_the_list(page: Any, crowd: list[str]) -> None:
    page.goto("/sessions/?q=zebra crossing 29")
    card = page.locator(".session-card")
    expect(card).to_have_count(1)
    card.hover()
    card.get_by_title("Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("zebra crossing renamed")
    with page.expect_response("**/rename/"):
        dialog.get_by_role("button", name="Save").click()
    expect(card.locator("[data-name]")).to_have_text("zebra crossing renamed")


def test_the_list_follows_sessions_that_change_elsewhere(
    page: Any, new_page: Callable[..., Any], bus: Path
) -> None:
    page.goto("/sessions/")
    other = new_page()
    other.goto("/sessions/new/")
    other.set_input_files("#upload-input", bus)
    other.wait_for_selector("#panel[data-state=done]")
    session = other.url.rstrip("/").rsplit("/", 1)[1]
    page.reload()
    card = page.locator(f".session-card[data-session='{session}']")
    expect(card).to_have_attribute("data-status", "done")
    other.get_by_label("More").click()
    other.get_by_role("button", name="Delete").click()
    other.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)

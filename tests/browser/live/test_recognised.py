"""Names of people who are recognised, on the live pages in a real Chromium."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect


def test_who_is_recognised_has_a_name_in_the_events_and_at_the_camera(
    live_page: Any, make_wall: Any, rows: Any
) -> None:
    wall = make_wall(cameras=1, events=2)
    page = live_page()
    page.goto(f"/live/{wall['cameras'][0]}/")
    row = page.locator(f'.moment[data-id="{wall["events"][0]}"]')
    expect(row).to_contain_text("Person 0 crossed Door")
    here = page.locator("[data-camera-people]")
    expect(here).to_be_hidden()
    rows("recognise", event=wall["events"][0], name="Ada <i>Lovelace</i>")
    expect(row).to_contain_text("Ada <i>Lovelace</i> crossed Door", timeout=15_000)
    expect(here.get_by_role("link", name="Ada <i>Lovelace</i>")).to_be_visible()
    expect(page.locator(f'.moment[data-id="{wall["events"][1]}"]')).to_contain_text("Person 1")
    rows("forget", name="Ada <i>Lovelace</i>")
    expect(row).to_contain_text("Person 0 crossed Door", timeout=15_000)
    expect(here).to_be_hidden()

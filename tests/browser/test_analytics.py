"""The analytics page in a real Chromium: charts, tables, themes, and where bars lead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

playwright_api = pytest.importorskip("playwright.sync_api")
expect = playwright_api.expect


@pytest.fixture
def figures(make_sessions: Callable[..., list[str]]) -> list[str]:
    """Three sessions with objects of five classes, made today."""
    return make_sessions(name="figures #", sessions=3, objects=10)


def inked(page: Any, chart: str) -> int:
    """How many pixels a chart has drawn."""
    return int(
        page.evaluate(
            """(name) => {
              const canvas = document.querySelector(`canvas[data-chart=${name}]`);
              const { width, height } = canvas;
              const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
              let drawn = 0;
              for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0 ? 1 : 0;
              return drawn;
            }""",
            chart,
        )
    )


def test_charts_are_drawn_under_the_strict_policy_in_both_themes(
    new_page: Callable[..., Any], figures: list[str]
) -> None:
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme, reduced_motion="reduce")
        page.goto("/analytics/")
        expect(page.get_by_role("img", name=re.compile("Objects by class"))).to_be_visible()
        for chart in ("timeline", "classes", "confidence", "times"):
            assert inked(page, chart) > 500, (scheme, chart)


def test_every_chart_can_be_read_as_a_table_by_keyboard(page: Any, figures: list[str]) -> None:
    page.goto("/analytics/")
    summary = page.locator("section", has=page.get_by_role("heading", name="Objects by class"))
    summary.get_by_text("Show as table").focus()
    page.keyboard.press("Enter")
    link = summary.get_by_role("link", name="person")
    expect(link).to_be_visible()
    link.click()
    page.wait_for_url("**/sessions/?*class=person*")
    expect(page.locator(".list-count")).to_contain_text("session")


def test_a_bar_leads_to_its_sessions(page: Any, figures: list[str]) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/analytics/?range=7d")
    box = page.locator("canvas[data-chart=classes]").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + 18)
    page.wait_for_url(re.compile(r"/sessions/\?.*class=\w+"))
    assert "from=" in page.url


def test_filters_change_the_charts_and_the_address(page: Any, figures: list[str]) -> None:
    page.goto("/analytics/")
    page.get_by_label("Class", exact=True).select_option("dog")
    page.wait_for_url("**class=dog**")
    expect(page.get_by_role("heading", name="Objects by class")).to_be_visible()
    page.get_by_label("From this day").fill("2001-01-01")
    page.wait_for_url("**from=2001-01-01**")
    assert "range=" not in page.url
    expect(page.get_by_role("heading", name=re.compile("Over time"))).to_contain_text("month")
    page.get_by_text("7 days").click()
    page.wait_for_url("**range=7d**")
    assert "from=2001" not in page.url


def test_nothing_is_wider_than_a_phone(new_page: Callable[..., Any], figures: list[str]) -> None:
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto("/analytics/?range=all")
    expect(page.get_by_role("heading", name="Models compared")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

"""The admin in a real browser: the overview, two lists and a form, in light, dark and small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}},
]
PAGES = ["/admin/", "/admin/common/job/", "/admin/auth/user/", "/admin/knox/authtoken/add/"]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone"])
def test_pages_fit_and_complain_of_nothing(
    new_page: Callable[..., Any], look: dict[str, Any]
) -> None:
    page = new_page(**look)
    for where in PAGES:
        page.goto(where)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], f"{where} is {width} pixels wide"


def test_the_overview_draws_what_was_looked_at(
    page: Any, make_sessions: Callable[..., list[str]]
) -> None:
    make_sessions(name="Admin #", sessions=2)
    page.goto("/admin/")
    chart = page.locator("canvas.chart")
    chart.wait_for()
    assert chart.evaluate("canvas => Boolean(Chart.getChart(canvas))")
    assert page.get_by_role("heading", name="Models").count() == 1
    page.get_by_role("link", name="Workers alive").click()
    page.wait_for_url("**/workers/")


def test_the_side_leads_everywhere_and_back(page: Any) -> None:
    page.goto("/admin/")
    for name in ("Jobs", "Sessions", "People", "API tokens", "Audit entries"):
        page.locator("#nav-sidebar-apps").get_by_role("link", name=name, exact=False).last.click()
        page.wait_for_load_state()
        assert page.url.count("/admin/") == 1
    page.get_by_role("link", name="Back to Sightline").click()
    page.wait_for_url("**/")
    assert page.get_by_role("navigation", name="Main").is_visible()


def test_somebody_is_found_while_one_types(page: Any, server: Any) -> None:
    server.shell(
        "from django.contrib.auth.models import User; User.objects.get_or_create(username='wilma')"
    )
    page.goto("/admin/knox/authtoken/add/")
    page.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").last.fill("wil")
    page.locator(".select2-results__option", has_text="wilma").click()
    page.get_by_label("Name").fill("Gate camera")
    page.get_by_role("button", name="Save", exact=True).click()
    shown = page.locator("code").first
    shown.wait_for()
    assert len(shown.inner_text()) == 64
    assert page.get_by_text("Gate camera").count() == 1

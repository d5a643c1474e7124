"""Two people at two browsers: what one shares with a group, the other sees come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server

PEOPLE = """
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from common.models import Account
from detector.models import DetectionSession
group, _ = Group.objects.get_or_create(name="Night shift")
for name, role in (("olga", "operator"), ("vera", "viewer")):
    user, new = get_user_model().objects.get_or_create(username=name)
    if new:
        user.set_password("quiet as a mouse")
        user.save()
    Account.objects.update_or_create(user=user, defaults={"role": role})
    user.groups.set([group])
    DetectionSession.objects.filter(owner=user).delete()
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    print(settings.SESSION_COOKIE_NAME, store.session_key)
"""
OUT = """
from django.contrib.auth import get_user_model
get_user_model().objects.get(username="vera").groups.clear()
"""


@pytest.fixture
def people(server: Server) -> list[tuple[str, str]]:
    """The cookies of Olga, an operator, and Vera, a viewer, of one group."""
    return [tuple(line.split()) for line in server.shell(PEOPLE).splitlines()]  # type: ignore[misc]


@pytest.fixture
def pages(
    new_page: Callable[..., Any], people: list[tuple[str, str]], server: Server
) -> tuple[Any, Any]:
    """A page of Olga's and one of Vera's."""
    made = []
    for name, value in people:
        page = new_page(anonymous=True)
        page.context.add_cookies([{"name": name, "value": value, "url": server.url}])
        made.append(page)
    return made[0], made[1]


def share(page: Any, choice: str) -> None:
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(choice, exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_be_visible()


def test_what_is_shared_appears_and_goes_again(
    pages: tuple[Any, Any], make_sessions: Callable[..., list[str]], complaints: Any
) -> None:
    complaints.expect("status of 404")  # what is private again is not there
    olga, vera = pages
    (session,) = make_sessions(name="loading bay", owner="olga")
    vera.goto("/sessions/")
    expect(vera.get_by_role("heading", name="Nothing has been shared with you yet")).to_be_visible()
    expect(vera.get_by_role("link", name="New")).to_have_count(0)
    olga.goto(f"/sessions/{session}/")
    share(olga, "Night shift")
    expect(olga.locator(".result-group")).to_have_text("Shared with Night shift")

    card = vera.locator(f".session-card[data-session='{session}']")
    expect(card).to_be_visible()
    expect(card).to_contain_text("by olga")
    expect(card).to_contain_text("Night shift")
    card.hover()
    expect(card.locator(".session-check, .session-rename")).to_have_count(0)
    card.get_by_role("link").click()
    expect(vera.locator("#overlay.is-ready")).to_be_attached()
    expect(vera.locator(".result-meta")).to_contain_text("by olga")
    for name in ("Share", "Run again", "Rename"):
        expect(vera.get_by_role("button", name=name)).to_have_count(0)
    vera.get_by_label("More").click()
    expect(vera.locator(".menu[open] .menu-item")).to_have_text(["Original picture"])

    share(olga, "Private")
    vera.wait_for_url("**/sessions/")
    expect(vera.get_by_role("heading", name="Nothing has been shared with you yet")).to_be_visible()


def test_who_leaves_the_group_stops_seeing_it(
    pages: tuple[Any, Any], make_sessions: Callable[..., list[str]], server: Server
) -> None:
    olga, vera = pages
    (session,) = make_sessions(name="back door", owner="olga")
    olga.goto(f"/sessions/{session}/")
    share(olga, "Night shift")
    vera.goto("/sessions/")
    expect(vera.locator(".session-card")).to_have_count(1)
    server.shell(OUT)
    expect(vera.locator(".session-card")).to_have_count(0, timeout=8000)


def test_many_sessions_are_shared_at_once(
    pages: tuple[Any, Any], make_sessions: Callable[..., list[str]]
) -> None:
    olga, vera = pages
    make_sessions(name="gate #", owner="olga", sessions=3)
    vera.goto("/")
    expect(vera.get_by_role("heading", name="Nothing has been shared with you yet")).to_be_visible()
    olga.goto("/sessions/")
    olga.locator(".session-card").first.hover()
    olga.locator(".session-check").first.check()
    olga.get_by_role("button", name="Select page").click()
    olga.locator("#bulk").get_by_role("button", name="Share").click()
    dialog = olga.get_by_role("dialog")
    dialog.get_by_text("Night shift", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(olga.locator(".toast")).to_contain_text("3 sessions shared")
    expect(vera.locator(".session-card")).to_have_count(3)
    vera.goto("/sessions/?owner=others")
    expect(vera.locator(".session-card")).to_have_count(3)
    olga.goto("/sessions/")
    olga.get_by_label("Whose").select_option("others")
    expect(olga.get_by_role("heading", name="No session matches")).to_be_visible()


def test_a_viewer_who_opens_the_uploader_is_told_why_not(
    pages: tuple[Any, Any], complaints: Any
) -> None:
    complaints.expect("status of 403")
    _, vera = pages
    vera.goto("/sessions/new/")
    expect(vera.get_by_text("An administrator can make you an operator.")).to_be_visible()

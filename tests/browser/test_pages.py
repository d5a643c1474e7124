"""What holds for every page: width, keyboard, content policy, error pages, others' things."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

PAGES = ("/", "/sessions/", "/sessions/new/", "{session}", "/no/such/page")
SIZES = ((390, 844), (768, 1024), (1920, 1080))


@pytest.fixture(scope="module")
def session_path(make_sessions: Callable[..., list[str]]) -> str:
    (session,) = make_sessions(
        name="a very long name that does not fit into the width of any telephone whatsoever.jpg",
        objects=40,
    )
    return f"/sessions/{session}/"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}px")
def test_no_page_scrolls_sideways(
    new_page: Callable[..., Any],
    session_path: str,
    size: tuple[int, int],
    complaints: Any,
) -> None:
    complaints.expect("status of 404")
    phone = size[0] < 500
    page = new_page(
        viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
    )
    for path in (*PAGES, "/accounts/login/"):
        page.goto(path.format(session=session_path))
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], path


def test_a_phone_offers_its_camera(new_page: Callable[..., Any]) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/sessions/new/")
    expect(page.get_by_text("Take a photo")).to_be_visible()
    assert page.locator("#upload-camera").get_attribute("capture") == "environment"


def test_the_keyboard_reaches_everything_of_a_result(page: Any, session_path: str) -> None:
    page.goto(session_path)
    page.wait_for_selector("#overlay.is-ready")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    for name in ("skip", "stage", "minimum", "class-toggle", "row-button", "link"):
        assert name in reached, f"{name} is not reached: {reached}"
    assert any("button" in str(name) for name in reached)


def test_the_skip_link_leads_to_the_content(page: Any) -> None:
    page.goto("/sessions/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_menus_close_on_escape_and_give_the_focus_back(page: Any, session_path: str) -> None:
    page.goto(session_path)
    summary = page.locator("summary", has_text="Download")
    summary.click()
    expect(page.get_by_role("link", name="Table")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Table")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_policy_allows_no_inline_code(page: Any, session_path: str) -> None:
    for path in ("/", session_path, "/accounts/login/"):
        policy = page.request.get(path).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


def test_the_api_pages_open_without_a_complaint(page: Any) -> None:
    page.goto("/api/docs/")
    page.locator(".opblock-tag", has_text="detection").click()
    expect(page.get_by_text("/api/detect/", exact=True).first).to_be_visible()


def test_an_unknown_address_gets_a_page_in_style(page: Any, complaints: Any) -> None:
    complaints.expect("status of 404")
    response = page.goto("/no/such/page")
    assert response.status == 404
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_a_form_without_its_token_gets_a_page_in_style(page: Any) -> None:
    page.goto("/")
    answer = page.request.post("/sessions/example/", headers={"Referer": page.url})
    assert answer.status == 403
    assert "This form has expired" in answer.text()


@pytest.mark.parametrize(
    "part", ["", "picture", "thumbnail", "card/", "export/json", "export/png", "export/nonsense"]
)
def test_other_peoples_sessions_do_not_exist(
    page: Any, make_sessions: Callable[..., list[str]], foreign: str, part: str
) -> None:
    assert page.request.get(f"/sessions/{foreign}/{part}").status == 404


@pytest.fixture(scope="module")
def foreign(make_sessions: Callable[..., list[str]]) -> str:
    return make_sessions(name="private", owner="stranger")[0]


@pytest.mark.parametrize("verb", ["rename", "delete", "rerun", "cancel", "retry"])
def test_nobody_changes_other_peoples_sessions(page: Any, foreign: str, verb: str) -> None:
    page.goto("/")
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    answer = page.request.post(
        f"/sessions/{foreign}/{verb}/",
        headers={"X-CSRFToken": token, "Referer": page.url},
        form={"name": "mine now", "id": foreign},
    )
    assert answer.status == 404
    assert page.request.get(f"/sessions/{foreign}/{verb}/").status == 405


def test_a_script_that_is_not_signed_in_is_told_so(new_page: Callable[..., Any]) -> None:
    page = new_page(anonymous=True)
    answer = page.request.get("/sessions/", headers={"Accept": "application/json"})
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "not_authenticated"

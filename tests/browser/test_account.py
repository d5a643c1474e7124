"""Signing in and out, and the theme."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect


def test_a_wrong_password_is_answered_with_a_sentence(
    new_page: Callable[..., Any], sign_in: Callable[..., None]
) -> None:
    page = new_page(anonymous=True)
    sign_in(page, "admin", "certainly wrong")
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    expect(page.get_by_label("User name")).to_have_value("admin")


def test_too_many_wrong_passwords_are_told_to_wait(
    new_page: Callable[..., Any], sign_in: Callable[..., None], complaints: Any
) -> None:
    complaints.expect("status of 429")
    page = new_page(anonymous=True)
    for _ in range(6):
        sign_in(page, "somebody-else", "certainly wrong")
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong passwords")


def test_a_page_behind_the_door_opens_after_signing_in(
    new_page: Callable[..., Any], sign_in: Callable[..., None]
) -> None:
    page = new_page(anonymous=True)
    page.goto("/sessions/")
    sign_in(page, address=page.url)
    expect(page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()
    page.get_by_label("Account and theme").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Sightline")).to_be_visible()


def test_the_chosen_theme_is_there_before_the_first_paint_and_stays(page: Any) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    page.goto("/")
    light = page.evaluate(background)
    page.get_by_label("Account and theme").click()
    page.get_by_role("radiogroup", name="Theme").get_by_text("Dark").click()
    assert page.evaluate(background) != light
    dark = page.evaluate(background)
    page.goto("/sessions/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(background) == dark


def test_without_a_choice_the_theme_is_the_systems(new_page: Callable[..., Any]) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    colors = set()
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto("/")
        colors.add(page.evaluate(background))
    assert len(colors) == 2

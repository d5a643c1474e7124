"""Signing in and out, the account page and its tokens, and the theme."""

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import expect


def test_a_wrong_password_is_answered_with_a_sentence(
    new_page: Callable[..., Any], sign_in: Callable[..., None]
) -> None:
    page = new_page(anonymous=True)
    sign_in(page, "admin", "certainly wrong")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
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


def test_a_token_is_made_copied_used_and_revoked(page: Any, server: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account/")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What is it for?").fill("Night shift script")
    page.get_by_role("radiogroup", name="It may").get_by_text("Read and write").click()
    page.get_by_label("It expires after").select_option("30 days")
    page.get_by_role("button", name="Make token").click()
    token = page.get_by_role("textbox", name="New token").input_value()
    assert re.fullmatch("[0-9a-f]{64}", token)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token

    headers = {"Authorization": f"Token {token}"}
    me = httpx.get(f"{server.url}/api/me/", headers=headers).json()
    assert (me["name"], me["token"]["scope"]) == ("admin", "write")

    page.reload()
    row = page.get_by_role("listitem").filter(has_text="Night shift script")
    expect(row).to_have_count(1)  # reloading the answer has made no second one
    expect(row).to_contain_text("last used")
    assert token not in page.content()
    row.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog", name="Revoke this token?")
    expect(dialog).to_contain_text("Night shift script")
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    expect(row).to_have_count(0)
    assert httpx.get(f"{server.url}/api/me/", headers=headers).status_code == 401


def test_a_token_without_a_name_is_asked_for_one(page: Any, complaints: Any) -> None:
    complaints.expect("status of 400")
    page.goto("/account/")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What is it for?").fill(" ")
    page.get_by_role("button", name="Make token").click()
    dialog = page.get_by_role("dialog", name="New token")
    expect(dialog).to_contain_text("This field is required")
    assert page.evaluate("location.pathname") == "/account/"


def test_a_changed_password_lets_in_and_the_old_one_does_not(
    new_page: Callable[..., Any], sign_in: Callable[..., None], server: Any
) -> None:
    server.shell(
        "from django.contrib.auth import get_user_model as m;"
        "m().objects.create_user('grace', password='first of all 1')"
    )
    page, elsewhere = new_page(anonymous=True), new_page(anonymous=True)
    for browser in (page, elsewhere):
        sign_in(browser, "grace", "first of all 1")
        expect(browser.get_by_role("navigation", name="Main")).to_be_visible()
    page.get_by_label("Account and theme").click()
    page.get_by_role("link", name="Account and tokens").click()
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill("first of all 1")
    page.get_by_label("New password", exact=True).fill("second to none 2")
    page.get_by_label("New password, once more").fill("second to none 2")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Sign in to Sightline")).to_be_visible()
    sign_in(elsewhere, "grace", "first of all 1")
    expect(elsewhere.get_by_role("alert")).to_be_visible()
    sign_in(elsewhere, "grace", "second to none 2")
    expect(elsewhere.get_by_role("navigation", name="Main")).to_be_visible()


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

"""The account page, its API, and what programs may do with a token."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from common.accounts import services
from common.accounts.models import TokenDetails
from common.errors import ServiceError
from common.models import Account, AuditEntry
from integration.conftest import make_user, wait_until

PAGE = "/account/"
TOKENS = "/account/tokens/"
API = "/api/tokens/"
ME = "/api/me/"
NEW = "battery staple 9"
FORM = {"name": "Night shift", "scope": "read", "days": "30"}


def program(token: str) -> Client:
    return Client(headers={"Authorization": f"Token {token}"})


def make_token(owner: Any, scope: str = "write", **options: Any) -> tuple[Any, str]:
    return services.create_token(
        **{"owner": owner, "name": "Script", "scope": scope, "days": 30, **options}
    )


def shown_token(response: Any) -> str:
    found = re.search(r'id="new-token" value="([0-9a-f]{64})"', response.content.decode())
    assert found is not None
    return found.group(1)


# ---------------------------------------------------------------- the page
def test_the_page_says_who_i_am(user: Any, signed_in: Client) -> None:
    user.groups.add(Group.objects.create(name="Gate keepers"))
    user.email = "ada@example.org"
    user.save()
    page = signed_in.get(PAGE).content.decode()
    for word in ("ada@example.org", "Operator", "Gate keepers", "No tokens yet"):
        assert word in page


def test_strangers_are_led_to_sign_in(client: Client, db: None) -> None:
    for address in (PAGE, f"{PAGE}password/", f"{PAGE}email/"):
        assert client.get(address)["Location"] == f"/accounts/login/?next={address}"
    assert client.post(TOKENS, FORM).status_code == 302
    assert not AuthToken.objects.exists()


def test_the_page_costs_the_same_for_one_token_and_for_many(
    user: Any, signed_in: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        make_token(user)
    with django_assert_max_num_queries(7):
        assert signed_in.get(PAGE).content.decode().count("data-revoke=") == 12


def test_a_token_is_shown_once_and_works(signed_in: Client) -> None:
    made = signed_in.post(TOKENS, FORM)
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    token = shown_token(made)
    assert program(token).get(ME).json()["token"]["name"] == "Night shift"
    page = signed_in.get(PAGE).content.decode()
    assert token not in page
    assert token[:8] in page
    assert not TokenDetails.objects.filter(name__contains=token).exists()


BAD_TOKENS = [
    {"name": ""},
    {"name": "n" * 101},
    {"name": "a\0b"},
    {"scope": "admin"},
    {"days": "0"},
    {"days": "366"},
    {"days": ""},
    {"days": "never"},
]


@pytest.mark.parametrize("change", BAD_TOKENS)
def test_a_token_with_a_mistake_is_not_made(signed_in: Client, change: dict[str, str]) -> None:
    response = signed_in.post(TOKENS, {**FORM, **change})
    assert response.status_code == 400
    assert "data-open-now" in response.content.decode()
    assert not AuthToken.objects.exists()


def test_revoking_a_token_takes_it_away_at_once(user: Any, signed_in: Client) -> None:
    row, token = make_token(user)
    assert program(token).get(ME).status_code == 200
    response = signed_in.post(f"{TOKENS}{row.token_key}/revoke/")
    assert response["Location"] == PAGE
    assert program(token).get(ME).status_code == 401


def test_nobody_sees_or_revokes_the_tokens_of_others(other_user: Any, signed_in: Client) -> None:
    row, _ = make_token(other_user)
    assert row.token_key not in signed_in.get(PAGE).content.decode()
    assert signed_in.get(API).json()["results"] == []
    assert signed_in.post(f"{TOKENS}{row.token_key}/revoke/").status_code == 404
    assert signed_in.delete(f"{API}{row.token_key}/").status_code == 404
    assert AuthToken.objects.count() == 1


# ---------------------------------------------------------------- password and e-mail
def test_changing_the_password_signs_out_other_browsers_and_keeps_this_one(
    user: Any, signed_in: Client
) -> None:
    elsewhere = Client()
    elsewhere.force_login(user)
    _, token = make_token(user)
    form = {"current": "correct horse", "new": NEW, "again": NEW}
    assert signed_in.post(f"{PAGE}password/", form)["Location"] == PAGE
    assert signed_in.get(PAGE).status_code == 200
    assert elsewhere.get(PAGE).status_code == 302
    assert program(token).get(ME).status_code == 200
    assert (
        Client().post("/accounts/login/", {"username": "ada", "password": NEW}).status_code == 302
    )
    assert AuditEntry.objects.filter(action="password", actor_name="ada").count() == 1


BAD_PASSWORDS = [
    ({"current": "guess"}, "not your current password"),
    ({"current": ""}, "required"),
    ({"new": "12345678", "again": "12345678"}, "too common"),
    ({"again": "another"}, "not the same password"),
    ({"new": "", "again": ""}, "required"),
]


@pytest.mark.parametrize(("change", "complaint"), BAD_PASSWORDS)
def test_a_mistake_changes_no_password(
    user: Any, signed_in: Client, change: dict[str, str], complaint: str
) -> None:
    form = {"current": "correct horse", "new": NEW, "again": NEW, **change}
    response = signed_in.post(f"{PAGE}password/", form)
    assert response.status_code == 200
    assert complaint in response.content.decode()
    user.refresh_from_db()
    assert user.check_password("correct horse")


def test_an_open_browser_does_not_help_to_guess_the_password(user: Any, signed_in: Client) -> None:
    form = {"current": "guess", "new": NEW, "again": NEW}
    statuses = [signed_in.post(f"{PAGE}password/", form).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    late = signed_in.post(f"{PAGE}email/", {"email": "", "current": "correct horse"})
    assert (late.status_code, late["Retry-After"]) == (429, "300")


def test_without_mail_an_address_counts_at_once_unless_it_is_taken(
    user: Any, other_user: Any, signed_in: Client
) -> None:
    form = {"email": "Ada@Example.org", "current": "correct horse"}
    assert signed_in.post(f"{PAGE}email/", form).status_code == 302
    user.refresh_from_db()
    assert user.email == "ada@example.org"
    other_user.email = "bob@example.org"
    other_user.save()
    taken = signed_in.post(f"{PAGE}email/", {**form, "email": "BOB@example.org"})
    assert "cannot be used" in taken.content.decode()
    assert signed_in.post(f"{PAGE}email/", {**form, "email": "x"}).status_code == 200
    assert signed_in.post(f"{PAGE}email/", {**form, "current": "guess"}).status_code == 200
    user.refresh_from_db()
    assert user.email == "ada@example.org"
    assert signed_in.post(f"{PAGE}email/", {**form, "email": ""}).status_code == 302
    user.refresh_from_db()
    assert user.email == ""


def test_with_mail_an_address_counts_when_its_link_was_opened(
    user: Any, signed_in: Client, settings: Any
) -> None:
    settings.SIGHTLINE_MAIL = True
    settings.DEFAULT_FROM_EMAIL = "sightline@example.org"
    user.email = "old@example.org"
    user.save()
    for address in ("typo@example.org", "new@example.org"):
        signed_in.post(f"{PAGE}email/", {"email": address, "current": "correct horse"})
    wait_until(lambda: len(mail.outbox) == 2)
    user.refresh_from_db()
    assert user.email == "old@example.org"
    links = {m.to[0]: re.search(r"http://testserver(\S+)", m.body)[1] for m in mail.outbox}  # type: ignore[index]
    assert "no longer works" in signed_in.get(links["typo@example.org"]).content.decode()
    assert "is confirmed" in signed_in.post(links["new@example.org"]).content.decode()
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("new@example.org", True, True)
    ]


# ---------------------------------------------------------------- who I am, by REST
@pytest.mark.parametrize("role", Account.Role.values)
def test_a_program_learns_whom_it_acts_for(role: str, db: None) -> None:
    eve = make_user("eve", role)
    group = Group.objects.create(name="Yard")
    eve.groups.add(group)
    row, token = make_token(eve, "read")
    me = program(token).get(ME).json()
    assert me["token"].pop("last_used_at") is not None
    assert me == {
        "name": "eve",
        "email": "",
        "role": role,
        "groups": [{"id": group.pk, "name": "Yard"}],
        "token": {
            "id": row.token_key,
            "name": "Script",
            "scope": "read",
            "created_at": row.created.isoformat().replace("+00:00", "Z"),
            "expires_at": row.expiry.isoformat().replace("+00:00", "Z"),
        },
    }


def test_a_browser_has_no_token(signed_in: Client) -> None:
    assert signed_in.get(ME).json()["token"] is None
    assert Client().get(ME).status_code == 401


# ---------------------------------------------------------------- tokens, by REST
def test_a_session_makes_lists_and_revokes_tokens(signed_in: Client) -> None:
    made = signed_in.post(API, {"name": "Script", "scope": "write"}, "application/json")
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    token = made.json()
    assert program(token["token"]).get(ME).json()["token"]["scope"] == "write"
    listed = signed_in.get(API).json()["results"]
    assert [row["id"] for row in listed] == [token["id"]]
    assert "token" not in listed[0]
    assert signed_in.delete(f"{API}{token['id']}/").status_code == 204
    assert signed_in.delete(f"{API}{token['id']}/").status_code == 404
    assert signed_in.get(API).json()["results"] == []
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert [a for a in actions if "token" in a] == ["token_created", "token_revoked"]


BAD_BODIES: list[tuple[Any, str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "x", "scope": "admin"}, "scope"),
    ({"name": "x", "expires_in_days": 0}, "expires_in_days"),
    ({"name": "x", "expires_in_days": 366}, "expires_in_days"),
    ({"name": "x", "expires_in_days": None}, "expires_in_days"),
    ([], "request"),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
def test_a_wrong_body_names_its_field(signed_in: Client, body: Any, field: str) -> None:
    response = signed_in.post(API, body, "application/json")
    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]


def test_a_session_needs_its_csrf_token(user: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.post(API, {"name": "x"}, "application/json").status_code == 403
    assert browser.post(TOKENS, FORM).status_code == 403
    assert not AuthToken.objects.exists()


def test_a_token_makes_no_token_and_revokes_itself_alone(user: Any) -> None:
    own, text = make_token(user)
    other, _ = make_token(user)
    script = program(text)
    refused = script.post(API, {"name": "x", "scope": "write"}, "application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "session_required")
    refused = script.delete(f"{API}{other.token_key}/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "session_required")
    assert script.delete(f"{API}{own.token_key}/").status_code == 204
    assert script.get(ME).status_code == 401
    assert list(AuthToken.objects.all()) == [other]


def test_a_person_has_fifty_tokens_at_most_and_expired_ones_do_not_count(
    user: Any, signed_in: Client, settings: Any
) -> None:
    settings.SIGHTLINE_TOKENS_PER_PERSON = 3
    settings.SIGHTLINE_NEW_TOKEN_LIMIT = (100, 60)
    for _ in range(3):
        make_token(user)
    body = {"name": "x"}
    full = signed_in.post(API, body, "application/json")
    assert (full.status_code, full.json()["error"]["code"]) == (409, "too_many_tokens")
    assert "You have 3 tokens" in signed_in.post(TOKENS, FORM).content.decode()
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert signed_in.post(API, body, "application/json").status_code == 201
    assert AuthToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_do_not_pass_the_limit(settings: Any) -> None:
    settings.SIGHTLINE_TOKENS_PER_PERSON = 2
    eve = make_user("eve")

    def make(_: int) -> bool:
        try:
            make_token(eve)
        except ServiceError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, range(6)))
    assert sum(made) == 2
    assert AuthToken.objects.count() == 2


def test_making_tokens_all_day_is_refused(signed_in: Client, settings: Any) -> None:
    settings.SIGHTLINE_NEW_TOKEN_LIMIT = (2, 60)
    statuses = [signed_in.post(API, {"name": "x"}, "application/json") for _ in range(3)]
    assert [response.status_code for response in statuses] == [201, 201, 429]
    assert statuses[-1]["Retry-After"] == "60"


@pytest.mark.parametrize("days", [0, 366, -1])
def test_no_token_lives_for_ever(user: Any, days: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 365 days"):
        make_token(user, days=days)


def test_the_log_knows_tokens_by_name_and_holds_no_secret(user: Any) -> None:
    row, text = make_token(user, "read")
    digest = row.digest
    services.revoke_token(actor=user, token=row)
    entries = AuditEntry.objects.filter(action__startswith="token_").order_by("id")
    assert [entry.details["token"] for entry in entries] == ["Script", "Script"]
    for entry in entries:
        assert text not in str(entry.details)
        assert digest not in f"{entry.object_id}{entry.object_name}{entry.details}"

"""API tokens, and the memory that spares the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from common.accounts.services import describe_token
from common.api import authentication
from common.models import Account, TokenDetails
from detection_project import setup

ADDRESS = "/api/models/"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    authentication.memory.forget()


@pytest.fixture
def program(user: Any) -> Client:
    _, token = AuthToken.objects.create(user=user)
    return Client(headers={"Authorization": f"Token {token}"})


def status(program: Client) -> int:
    return program.get(ADDRESS).status_code


def test_the_second_request_needs_no_database(
    program: Client, django_assert_num_queries: Any
) -> None:
    assert status(program) == 200
    with django_assert_num_queries(0):
        assert status(program) == 200


def test_a_deleted_token_is_refused_at_once(program: Client) -> None:
    assert status(program) == 200
    AuthToken.objects.all().delete()
    assert status(program) == 401


def test_a_disabled_user_is_refused_at_once(program: Client, user: Any) -> None:
    assert status(program) == 200
    user.is_active = False
    user.save()
    assert status(program) == 401


def test_a_change_by_another_process_counts_after_some_seconds(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REMEMBER_SECONDS", -1.0)
    assert status(program) == 200
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))  # sends no signal
    assert status(program) == 401


def test_a_token_that_changed_while_it_was_read_is_not_remembered(user: Any) -> None:
    memory = authentication.TokenMemory()
    before = memory.changes
    memory.forget()
    memory.put("digest", user, None, changes=before)
    assert memory.get("digest") is None


def test_the_memory_has_a_limit(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "REMEMBER_TOKENS", 2)
    memory = authentication.TokenMemory()
    for digest in "abc":
        memory.put(digest, user, None, changes=0)
    assert memory.get("a") is None
    assert memory.get("c") is not None


def test_requests_do_not_share_a_user(user: Any) -> None:
    memory = authentication.TokenMemory()
    memory.put("digest", user, None, changes=0)
    first = memory.get("digest")
    second = memory.get("digest")
    assert first is not None
    assert second is not None
    assert first[0] is not second[0]


# ---------------------------------------------------------------- scopes
METHODS = [
    ("get", "read", 200),
    ("head", "read", 200),
    ("options", "read", 200),
    ("post", "read", 403),
    ("put", "read", 403),
    ("patch", "read", 403),
    ("delete", "read", 403),
    ("post", None, 403),
    ("get", None, 200),
    ("post", "write", 405),
    ("delete", "write", 405),
]


@pytest.mark.parametrize(("method", "scope", "expected"), METHODS)
def test_a_token_does_what_its_scope_says(
    user: Any, method: str, scope: str | None, expected: int
) -> None:
    row, token = AuthToken.objects.create(user=user)
    if scope is not None:
        describe_token(token=row, name="Script", scope=scope)
    client = Client(headers={"Authorization": f"Token {token}"})
    for _ in range(2):  # from the database, and from memory
        response = getattr(client, method)(ADDRESS)
        assert response.status_code == expected
        if expected == 403:
            assert response.json()["error"]["code"] == "scope_read_only"


def test_a_scope_that_is_taken_away_counts_at_once(user: Any) -> None:
    row, token = AuthToken.objects.create(user=user)
    describe_token(token=row, name="Script", scope="write")
    client = Client(headers={"Authorization": f"Token {token}"})
    assert client.post(ADDRESS).status_code == 405
    describe_token(token=row, name="Script", scope="read")
    assert client.post(ADDRESS).status_code == 403


WRONG_HEADERS = [
    "Token",
    "Token x",
    "Token " + "0" * 64,
    "Token a b",
    "Token \xff",
    "token " + "f" * 10_000,
]


@pytest.mark.parametrize("header", WRONG_HEADERS)
def test_a_wrong_token_is_401(db: None, header: str) -> None:
    client = Client(headers={"Authorization": header})
    assert client.get(ADDRESS).status_code == 401


def test_an_expired_token_is_refused_also_when_it_was_good_a_moment_ago(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = AuthToken.objects.create(user=user, expiry=timedelta(seconds=60))
    client = Client(headers={"Authorization": f"Token {token}"})
    assert status(client) == 200
    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(authentication.timezone, "now", lambda: later)
    assert status(client) == 401


def test_a_role_that_changes_counts_at_once(user: Any) -> None:
    _, token = AuthToken.objects.create(user=user)
    client = Client(headers={"Authorization": f"Token {token}"})
    assert client.get("/api/me/").json()["role"] == "operator"
    user.account.role = "viewer"
    user.account.save()
    assert client.get("/api/me/").json()["role"] == "viewer"


def test_no_process_remembers_a_token_for_five_seconds() -> None:
    assert authentication.REMEMBER_SECONDS < 5


# ---------------------------------------------------------------- last use
def last_use(row: Any) -> Any:
    return TokenDetails.objects.get(pk=row.pk).last_used_at


def test_the_last_use_is_noted_once_a_minute(
    user: Any, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, token = AuthToken.objects.create(user=user)
    describe_token(token=row, name="Script", scope="read")
    client = Client(headers={"Authorization": f"Token {token}"})
    assert last_use(row) is None
    assert status(client) == 200
    first = last_use(row)
    assert first is not None
    authentication.memory.forget()
    with django_assert_num_queries(1):  # the token; nothing is written
        status(client)
    with django_assert_num_queries(0):
        status(client)
    later = timezone.now() + timedelta(seconds=61)
    monkeypatch.setattr(authentication.timezone, "now", lambda: later)
    authentication.memory.forget()
    status(client)
    assert last_use(row) == later


def test_a_last_use_that_cannot_be_written_refuses_nobody(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    row, token = AuthToken.objects.create(user=user)
    describe_token(token=row, name="Script", scope="read")

    def full(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", full)
    assert status(Client(headers={"Authorization": f"Token {token}"})) == 200
    assert "could not be noted" in caplog.text


def test_the_first_start_makes_a_token_that_may_write(
    user: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGHTLINE_API_TOKEN", raising=False)
    settings.DATA_DIR = tmp_path
    setup.ensure_api_token("ada")
    details = TokenDetails.objects.get()
    assert (details.name, details.scope) == ("First start", "write")


def test_the_first_account_is_an_administrator(
    db: None, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGHTLINE_ADMIN_PASSWORD", raising=False)
    setup.ensure_administrator()
    assert Account.objects.get(user__username="admin").role == Account.Role.ADMINISTRATOR

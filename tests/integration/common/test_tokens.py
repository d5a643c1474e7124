"""API tokens, and the memory that spares the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from common.api import authentication

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

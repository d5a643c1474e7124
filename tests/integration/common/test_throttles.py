"""Who shares a rate with whom, and what an answer says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken

from common.api import throttles

pytestmark = pytest.mark.django_db

RATES = {"user": "2/hour", "token": "3/hour", "anon": "1/hour"}
WHERE = "/api/models/"


@pytest.fixture(autouse=True)
def low_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles.CallerThrottle, "THROTTLE_RATES", RATES)
    monkeypatch.setattr(throttles.time, "time", lambda: 3600.0 * 1000 + 600)


def caller(owner: Any) -> Callable[[], Any]:
    """A program with a token of its own."""
    _, token = AuthToken.objects.create(owner)
    return lambda: Client().get(WHERE, headers={"Authorization": f"Token {token}"})


def test_two_tokens_of_one_person_do_not_share(user: Any) -> None:
    first, second = caller(user), caller(user)
    assert [first().status_code for _ in range(4)] == [200, 200, 200, 429]
    assert second().status_code == 200


def test_a_browser_shares_with_no_token(user: Any, signed_in: Client) -> None:
    program = caller(user)
    assert [signed_in.get(WHERE).status_code for _ in range(3)] == [200, 200, 429]
    assert program().status_code == 200


def test_strangers_are_counted_by_address() -> None:
    assert Client().get(WHERE).status_code == 401
    assert Client().get(WHERE, REMOTE_ADDR="192.0.2.7").status_code == 401


def test_an_answer_tells_what_is_left(user: Any) -> None:
    program = caller(user)
    told = [program() for _ in range(4)]
    assert [answer["X-RateLimit-Remaining"] for answer in told] == ["2", "1", "0", "0"]
    assert {answer["X-RateLimit-Limit"] for answer in told} == {"3"}
    assert {answer["X-RateLimit-Reset"] for answer in told} == {"3000"}
    assert "Retry-After" not in told[2]
    assert told[3]["Retry-After"] == "3000"
    assert told[3].json()["error"]["code"] == "throttled"


def test_pages_carry_no_rate(signed_in: Client) -> None:
    assert "X-RateLimit-Limit" not in signed_in.get("/")

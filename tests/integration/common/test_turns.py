"""Whose turn it is: everybody's, whoever has how many jobs."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE, STYLES_QUEUE
from common.jobs.turns import Waiting, fair_order, jobs_in_turn
from tests.integration.conftest import make_user

State = Job.State
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def waiting(name: str, number: int, *, priority: int = 0, minute: int | None = None) -> Waiting:
    """Return a job like ``a1``; without a minute, the number says when it came."""
    came = NOON + timedelta(minutes=number if minute is None else minute)
    return Waiting(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}{number}"), ord(name), priority, came)


def jobs(names: str) -> list[Waiting]:
    """Return jobs that came in this order: ``a0 b1 a2 …``, or ``a0! …`` for urgent ones."""
    return [
        waiting(name[0], int(name[1:].rstrip("!")), priority=name.count("!"))
        for name in names.split()
    ]


def served(names: str) -> dict[int, datetime]:
    """Return owners, the one first who was served longest ago."""
    return {ord(name): NOON - timedelta(hours=5 - index) for index, name in enumerate(names)}


@pytest.mark.parametrize(
    ("given_jobs", "already", "wanted"),
    [
        ("", "", ""),
        ("", "ab", ""),
        ("a0", "", "a0"),
        ("a0 a1 a2", "a", "a0 a1 a2"),
        ("a0 a1 a2 b3", "", "a0 b3 a1 a2"),  # ten of one do not keep one of another waiting
        ("a0 a1 a2 b3", "a", "b3 a0 a1 a2"),
        ("a0 a1 b2 b3", "ba", "b2 a0 b3 a1"),  # who was served longer ago goes first
        ("a0 b1 c2", "ab", "c2 a0 b1"),  # who was never served goes first
        ("a0 b1 c2 a3 b4 c5", "c", "a0 b1 c2 a3 b4 c5"),
        ("a0 a1 a2 b3 c4", "cb", "a0 c4 b3 a1 a2"),
        ("a0 b1 a2! a3!", "", "a2! a3! b1 a0"),  # urgent ones are turns, too
        ("a0 b1!", "b", "b1! a0"),
    ],
)
def test_the_order(given_jobs: str, already: str, wanted: str) -> None:
    assert fair_order(reversed(jobs(given_jobs)), served(already)) == jobs(wanted)


ANY_JOBS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.integers(0, 9)), max_size=25
).map(
    lambda rows: [
        waiting(name, number, priority=priority, minute=minute)
        for number, (name, priority, minute) in enumerate(rows)
    ]
)
ANY_SERVED = st.lists(st.sampled_from("abcdxy"), unique=True).map("".join).map(served)


@given(ANY_JOBS, ANY_SERVED)
def test_every_job_has_one_turn_and_an_owner_the_oldest_first(
    given_jobs: list[Waiting], already: dict[int, datetime]
) -> None:
    order = fair_order(given_jobs, already)
    assert Counter(order) == Counter(given_jobs)
    assert [job.priority for job in order] == sorted((job.priority for job in order), reverse=True)
    for owner in {job.owner_id for job in order}:
        own = [job for job in order if job.owner_id == owner]
        assert own == sorted(own, key=lambda job: (-job.priority, job.queued_at, job.pk))
    assert fair_order(reversed(given_jobs), already) == order  # nothing else decides


@given(ANY_JOBS, ANY_SERVED)
def test_between_two_of_one_owner_everybody_else_has_a_turn(
    given_jobs: list[Waiting], already: dict[int, datetime]
) -> None:
    order = fair_order(given_jobs, already)
    for priority in {job.priority for job in order}:
        owners = [job.owner_id for job in order if job.priority == priority]
        for first, owner in enumerate(owners):
            later = owners[first + 1 :]
            if owner in later:
                between = Counter(later[: later.index(owner)])
                # Nobody who still has some is left out, and nobody has two.
                assert between == Counter(set(later) - {owner})


@given(ANY_JOBS, ANY_SERVED)
def test_whoever_is_served_first_the_others_keep_their_order(
    given_jobs: list[Waiting], already: dict[int, datetime]
) -> None:
    """What people are told comes true: beginning the first one changes nothing for the rest."""
    order = fair_order(given_jobs, already)
    for first, *rest in (order[index:] for index in range(len(order))):
        moment = NOON + timedelta(hours=len(given_jobs) - len(rest))
        already = {**already, first.owner_id: moment}
        assert fair_order(rest, already) == rest


def begun(owner: Any, hours_ago: float, *, queue: str = STYLES_QUEUE, state: str = "done") -> Job:
    started = timezone.now() - timedelta(hours=hours_ago)
    return Job.objects.create(kind="k", owner=owner, queue=queue, state=state, started_at=started)


def queued(owner: Any, **fields: Any) -> Job:
    return Job.objects.create(kind="k", owner=owner, **{"queue": STYLES_QUEUE, **fields})


def line() -> list[Any]:
    return [job.pk for job in jobs_in_turn(STYLES_QUEUE)]


def test_nobody_waits(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert line() == []


def test_only_what_waits_in_this_queue_has_a_turn(user: Any, other_user: Any) -> None:
    mine, theirs = queued(user), queued(other_user, priority=3)
    for state in set(State.values) - {State.QUEUED}:
        queued(user, state=state)
    queued(user, queue=LONG_QUEUE)
    queued(user, cancel_requested=True)
    assert line() == [theirs.pk, mine.pk]


@pytest.mark.parametrize(
    ("past", "goes_first"),
    [
        ([], "user"),  # the older one
        ([("user", 2.0, {})], "other"),
        ([("user", 2.0, {"state": "running"})], "other"),
        ([("user", 2.0, {"state": "failed"})], "other"),
        ([("user", 2.0, {}), ("other", 1.0, {})], "user"),
        ([("user", 2.0, {}), ("other", 3.0, {}), ("other", 1.0, {})], "user"),  # the newest counts
        ([("user", 23.0, {})], "other"),
        ([("user", 25.0, {})], "user"),  # forgotten
        ([("user", 2.0, {"queue": LONG_QUEUE})], "user"),  # another queue
    ],
)
def test_who_was_served_is_last_in_turn(
    user: Any, other_user: Any, past: list[tuple[str, float, dict[str, Any]]], goes_first: str
) -> None:
    people = {"user": user, "other": other_user}
    first = {name: queued(people[name]).pk for name in people}
    for name, hours_ago, fields in past:
        begun(people[name], hours_ago, **fields)
    assert line()[0] == first[goes_first]


def test_what_is_given_back_costs_no_turn(user: Any, other_user: Any) -> None:
    given_back = begun(user, 0.1, state=State.QUEUED)
    other = queued(other_user, queued_at=given_back.queued_at + timedelta(minutes=1))
    assert line() == [given_back.pk, other.pk]


def test_a_long_line_costs_two_queries(db: None, django_assert_num_queries: Any) -> None:
    people = [make_user(f"user{number}") for number in range(5)]
    Job.objects.bulk_create(
        Job(kind="k", owner=owner, queue=STYLES_QUEUE) for owner in people for _ in range(200)
    )
    with django_assert_num_queries(2):
        order = jobs_in_turn(STYLES_QUEUE)
    assert [job.owner_id for job in order] == [owner.pk for owner in people] * 200

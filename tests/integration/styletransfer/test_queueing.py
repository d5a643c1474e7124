"""Places in the queue, and how long they take."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.jobs.context import JobContext
from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE, STYLES_QUEUE
from common.jobs.registry import job_handler, job_observer
from common.jobs.runner import execute_job
from styletransfer.models import Restyling
from styletransfer.services import queueing
from styletransfer.services.queueing import (
    Place,
    estimate_seconds,
    publish_places,
    queue_place,
    seconds_left,
)
from tests.integration.conftest import make_user
from tests.integration.styletransfer.makers import again, restyling

State = Job.State
NOW = timezone.now()
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs has run for as long as a test says, however slow the machine is."""
    monkeypatch.setattr(queueing, "seconds_since", lambda then: (NOW - then).total_seconds())


def painted(owner: Any, seconds: float, state: str = State.DONE, **fields: Any) -> Restyling:
    """Store one that is done: ten steps over 100 x 100 pixels, a tenth of a million."""
    values = {"width": 100, "height": 100, "steps_made": fields.get("steps", 10), **fields}
    return restyling(owner, state, seconds=seconds, **values)


def running(
    owner: Any,
    *,
    share: float,
    seconds: float,
    worker: str = "here:1:a/b",
    message: str = "",
    **fields: Any,
) -> Restyling:
    """Store one that was begun some seconds ago."""
    begun = NOW - timedelta(seconds=seconds)
    job = {"progress": share, "started_at": begun, "worker": worker, "message": message}
    return restyling(owner, State.RUNNING, job=job, **fields)


def place_of(row: Restyling) -> tuple[int, float | None] | None:
    place = queue_place(again(row))
    if place is None:
        return None
    return place.place, None if place.seconds is None else round(place.seconds, 1)


# ------------------------------------------------------------------ estimates


def test_nobody_knows_before_the_first_painting(user: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert estimate_seconds(width=100, height=100, steps=10) is None


@pytest.mark.parametrize(
    ("width", "height", "steps", "seconds"),
    [
        (100, 100, 10, 2.0),
        (100, 100, 40, 8.0),
        (200, 200, 10, 8.0),
        (400, 100, 10, 8.0),
        # From 384 pixels, four steps of ten are made at half the size, for a quarter each.
        (1000, 1000, 10, 200.0 * (0.25 * 4 + 6) / 10),
    ],
)
def test_an_estimate_grows_with_steps_and_pixels(
    user: Any, width: int, height: int, steps: int, seconds: float
) -> None:
    painted(user, 2.0)
    assert estimate_seconds(width=width, height=height, steps=steps) == pytest.approx(seconds)


@pytest.mark.parametrize("size", [(100, 100), (300, 400), (512, 384), (1024, 1024)])
@pytest.mark.parametrize("steps", [5, 10, 100, 1000])
def test_the_same_again_takes_as_long(user: Any, size: tuple[int, int], steps: int) -> None:
    painted(user, 12.5, width=size[0], height=size[1], steps=steps)
    found = estimate_seconds(width=size[0], height=size[1], steps=steps)
    assert found == pytest.approx(12.5)


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [([4.0], 4.0), ([1.0, 50.0, 3.0], 3.0), ([900.0] * 5 + [2.0] * 11 + [3.0] * 9, 2.0)],
)
def test_the_newest_twenty_count_and_no_single_one(
    user: Any, seconds: list[float], wanted: float
) -> None:
    for taken in seconds:
        painted(user, taken)
    assert estimate_seconds(width=100, height=100, steps=10) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (State.DONE, {"steps_made": 4}),  # mostly loading
        (State.DONE, {"way": Restyling.Way.FAST}),
        (State.DONE, {"width": 0}),
        (State.DONE, {"seconds": 0.0}),
        (State.FAILED, {"steps_made": 0}),
        (State.QUEUED, {}),  # is painted once more
        (State.RUNNING, {}),
    ],
)
def test_what_says_nothing_of_the_pace(user: Any, state: str, fields: dict[str, Any]) -> None:
    painted(user, **{"seconds": 2.0, "state": state, **fields})
    assert estimate_seconds(width=100, height=100, steps=10) is None


def test_what_was_stopped_counts_as_far_as_it_came(user: Any) -> None:
    # Two of the four coarse steps: a fourteenth of the work of (0.25 * 4 + 6) fine ones.
    painted(user, 1.0, State.CANCELLED, width=1000, height=1000, steps=20, steps_made=8)
    found = estimate_seconds(width=1000, height=1000, steps=20)
    assert found == pytest.approx(1.0 * (0.25 * 8 + 12) / (0.25 * 8))


# ------------------------------------------------------------------ what is left


@pytest.mark.parametrize(
    ("known", "step", "begun", "left"),
    [
        (None, 0, 3.0, None),  # nothing to tell by
        (2.0, 0, 30.0, 2.0),  # as others, also when it has waited for the device
        (2.0, 5, 30.0, 30.0),  # at its own pace
        (None, 5, 30.0, 30.0),
        (None, 8, 40.0, 10.0),
        (None, 10, 40.0, 0.0),
        (None, 11, 40.0, 0.0),
    ],
)
def test_what_is_left_of_a_painting(
    user: Any, known: float | None, step: int, begun: float, left: float | None
) -> None:
    if known is not None:
        painted(user, known)
    row = running(user, share=0.0, seconds=begun)
    found = seconds_left(row, step=step)
    assert found == (left if left is None else pytest.approx(left))


def test_coarse_steps_are_cheaper(user: Any) -> None:
    row = running(user, share=0.0, seconds=2.0, picture=(4000, 4000), size=1000, steps=100)
    # 16 steps at a quarter of the size and 24 at half of it are 7 fine ones; 60 are left.
    assert seconds_left(row, step=40) == pytest.approx(2.0 * 60 / 7)


def test_what_has_not_begun_is_estimated(user: Any) -> None:
    painted(user, 2.0)
    row = restyling(user, steps=20)
    assert seconds_left(row, step=0) == pytest.approx(4.0)
    assert seconds_left(row, step=20) is None


# ------------------------------------------------------------------ places


@pytest.mark.parametrize("state", sorted(set(State.values) - {State.QUEUED}))
def test_what_does_not_wait_has_no_place(user: Any, state: str) -> None:
    assert queue_place(restyling(user, state)) is None


def test_what_is_done_at_once_has_no_place(user: Any) -> None:
    fast = restyling(user, way=Restyling.Way.FAST, steps=0, job={"queue": "inference"})
    assert queue_place(fast) is None


def test_what_has_begun_since_it_was_read_has_no_place(user: Any) -> None:
    row = restyling(user)
    Job.objects.filter(pk=row.job_id).update(state=State.RUNNING)
    assert queue_place(row) is None


def test_a_video_has_a_place_but_no_time(user: Any) -> None:
    painted(user, 2.0)
    Job.objects.create(kind="video_analysis.analyse", owner=user, queue=LONG_QUEUE)
    row = restyling(user, way=Restyling.Way.FAST, steps=0, job={"queue": LONG_QUEUE})
    assert queue_place(row) == Place(2, None)


def test_alone_in_the_queue(user: Any) -> None:
    row = restyling(user)
    assert place_of(row) == (1, 0.0)


def test_places_and_times_with_something_running(user: Any, other_user: Any) -> None:
    painted(user, 2.0)
    running(user, share=0.5, seconds=30.0)
    first, second = restyling(user), restyling(user, picture=(400, 50), size=200)
    third = restyling(user, steps=40)
    # The other one is next: the first user is served just now.
    theirs = restyling(other_user, steps=20)
    found = [place_of(row) for row in (theirs, first, second, third)]
    assert [place for place, _ in filter(None, found)] == [1, 2, 3, 4]
    begin = [seconds for _, seconds in filter(None, found)]
    # 30 s of what runs, then 4 s, 2 s, and 200 x 25 pixels: 1 s.
    assert begin == pytest.approx([30.0, 34.0, 36.0, 37.0])


def test_one_that_cannot_be_estimated_makes_all_after_it_unknown(user: Any) -> None:
    first, second = restyling(user), restyling(user)
    assert (place_of(first), place_of(second)) == ((1, 0.0), (2, None))
    running(user, share=0.0, seconds=1.0)
    assert (place_of(first), place_of(second)) == ((1, None), (2, None))


def test_one_that_waits_for_the_device_runs_after_the_other(user: Any) -> None:
    painted(user, 2.0)
    running(user, share=0.5, seconds=10.0, worker="here:1:a/b")
    running(user, share=0.0, seconds=10.0, worker="here:2:a/b")
    assert place_of(restyling(user)) == (1, 12.0)


def test_machines_paint_beside_each_other(user: Any) -> None:
    painted(user, 2.0)
    running(user, share=0.5, seconds=10.0, worker="here:1:a/b")
    running(user, share=0.5, seconds=11.0, worker="there:1:a/b")
    rows = [restyling(user) for _ in range(3)]
    found = [place_of(row) for row in rows]
    assert found == [(1, 10.0), (2, 11.0), (3, 12.0)]


def test_a_place_costs_few_queries(
    user: Any, other_user: Any, django_assert_num_queries: Any
) -> None:
    painted(user, 2.0)
    for owner in (user, other_user):
        for _ in range(10):
            restyling(owner)
    row = again(restyling(user))
    with django_assert_num_queries(4):
        assert queue_place(row) is not None


# ------------------------------------------------------------------ telling


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What open pages were told of places."""
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(queueing, "publish_place", lambda **place: said.append(place))
    return said


@pytest.mark.parametrize(
    ("job", "count"),
    [
        ({"state": State.RUNNING}, 2),  # begins
        ({"state": State.RUNNING, "progress": 0.1}, 0),
        ({"state": State.RUNNING, "message": "Reading the picture"}, 0),
        ({"state": State.DONE, "progress": 1.0}, 2),
        ({"state": State.FAILED, "progress": 0.3, "message": "Step 3 of 10"}, 2),
        ({"state": State.CANCELLED, "progress": 0.3, "message": "Step 3 of 10"}, 2),
        ({"state": State.QUEUED}, 2),  # has come, or was given back
    ],
)
def test_only_a_change_of_state_is_told(
    user: Any, other_user: Any, told: list[Any], job: dict[str, Any], count: int
) -> None:
    rows = [restyling(user), restyling(other_user)]
    publish_places(Job(kind="test", owner=user, queue=STYLES_QUEUE, **job))
    wanted = [
        {"owner_id": row.owner_id, "restyling_id": row.pk, "place": place, "seconds": seconds}
        for row, place, seconds in zip(rows, (1, 2), (0.0, None), strict=True)
    ]
    assert told == wanted[:count]


def test_progress_asks_the_database_nothing(user: Any, django_assert_num_queries: Any) -> None:
    job = Job(kind="test", owner=user, state=State.RUNNING, progress=0.5)
    with django_assert_num_queries(0):
        publish_places(job)


def test_nobody_waits(user: Any, told: list[Any], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        publish_places(Job(kind="test", owner=user, state=State.DONE))
    assert told == []


def test_the_first_fifty_are_told(user: Any, told: list[Any]) -> None:
    people = [user, make_user("eve"), make_user("mallory")]
    for number in range(60):
        restyling(people[number % 3])
    publish_places(Job(kind="test", owner=user, state=State.DONE))
    assert [place["place"] for place in told] == list(range(1, 51))
    assert {place["owner_id"] for place in told} == {person.pk for person in people}


def test_a_job_is_told_twice_however_often_it_reports(
    user: Any, kind: str, told: list[Any]
) -> None:
    def handle(context: JobContext) -> None:
        for number in range(5):
            context._last_write = 0.0  # as if time went by
            context.checkpoint(number / 5, f"Step {number}")

    job_handler(kind)(handle)
    job_observer(kind)(publish_places)
    mine, waits = restyling(user, job={"kind": kind}), restyling(user)
    execute_job(mine.job_id)
    assert [place["restyling_id"] for place in told] == [waits.pk] * 2

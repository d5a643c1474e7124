"""Who runs when, what a failing batch does to its members, and how the queue closes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from vision.engine.admission import AdmissionQueue, Outcome
from vision.errors import VisionError
from vision.structures import Priority

WAIT = 10.0


class Gate:
    """A model that notes what it is given and stays busy until it is let go."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[Any], bool]] = []
        self.entered = threading.Semaphore(0)
        self.release = threading.Semaphore(0)

    def __call__(self, payloads: Sequence[Any], alone: bool) -> list[Any]:
        self.batches.append((list(payloads), alone))
        self.entered.release()
        assert self.release.acquire(timeout=WAIT)
        return [f"{payload} done" for payload in payloads]


def echo(payloads: Sequence[Any], alone: bool) -> list[Any]:
    return list(payloads)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as executor:
        yield executor


def enter(
    pool: ThreadPoolExecutor,
    queue: AdmissionQueue,
    run: Callable[..., Any],
    payload: Any,
    priority: Priority = Priority.INTERACTIVE,
    key: str = "model",
) -> "Future[list[Outcome]]":
    """Put a payload in line from a thread of its own, and return once it stands there."""
    before = len(queue._heap) + queue._running
    future = pool.submit(queue.run, [payload], run, key=key, priority=priority)
    for _ in range(int(WAIT / 0.001)):
        if len(queue._heap) + queue._running > before or future.done():
            return future
        threading.Event().wait(0.001)
    raise AssertionError("nobody entered the queue")


def test_live_and_interactive_items_take_turns(pool: ThreadPoolExecutor) -> None:
    queue, gate = AdmissionQueue(slots=1), Gate()
    futures = [enter(pool, queue, gate, "live 1", Priority.LIVE)]
    assert gate.entered.acquire(timeout=WAIT)
    line = [
        *(("live 2", Priority.LIVE), ("live 3", Priority.LIVE), ("live 4", Priority.LIVE)),
        *(("asked 1", Priority.INTERACTIVE), ("asked 2", Priority.INTERACTIVE)),
        ("batch", Priority.BATCH),
    ]
    futures += [enter(pool, queue, gate, name, priority) for name, priority in line]
    gate.release.release(7)
    for future in futures:
        future.result(WAIT)
    assert [batch for (batch,), _ in gate.batches] == [
        *("live 1", "asked 1", "live 2", "asked 2", "live 3", "live 4", "batch")
    ]


@pytest.mark.parametrize(
    ("priority", "asked"),
    [(Priority.LIVE, True), (Priority.INTERACTIVE, True), (Priority.BATCH, False)],
    ids=["live", "interactive", "batch"],
)
def test_the_queue_knows_whether_somebody_needs_the_machine(
    priority: Priority, asked: bool
) -> None:
    queue = AdmissionQueue(slots=2)
    assert not queue.is_asked
    queue.run(["one"], echo, key="model", priority=priority)
    assert queue.is_asked is asked


def test_waiting_items_run_by_priority_then_in_order_of_arrival(pool: ThreadPoolExecutor) -> None:
    queue, gate = AdmissionQueue(slots=1), Gate()
    futures = [enter(pool, queue, gate, "first")]
    assert gate.entered.acquire(timeout=WAIT)
    line = [
        ("batch 1", Priority.BATCH),
        ("interactive 1", Priority.INTERACTIVE),
        ("batch 2", Priority.BATCH),
        ("live", Priority.LIVE),
        ("interactive 2", Priority.INTERACTIVE),
    ]
    futures += [enter(pool, queue, gate, name, priority) for name, priority in line]
    gate.release.release(6)
    results = [future.result(WAIT)[0].result for future in futures]
    assert results[0] == "first done"
    assert results[4] == "live done"
    assert [batch for batch, _ in gate.batches] == [
        ["first"],
        ["live"],
        ["interactive 1"],
        ["interactive 2"],
        ["batch 1"],
        ["batch 2"],
    ]


def test_items_of_one_key_share_a_batch_and_others_keep_their_place(
    pool: ThreadPoolExecutor,
) -> None:
    queue, gate = AdmissionQueue(slots=1, max_batch=3), Gate()
    futures = [enter(pool, queue, gate, "first")]
    assert gate.entered.acquire(timeout=WAIT)
    for payload, key in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("a3", "a"), ("a4", "a")]:
        futures.append(enter(pool, queue, gate, payload, key=key))
    gate.release.release(10)
    assert [future.result(WAIT)[0].result for future in futures] == [
        "first done",
        *("a1 done", "b1 done", "a2 done", "a3 done", "a4 done"),
    ]
    assert [batch for batch, _ in gate.batches] == [["first"], ["a1", "a2", "a3"], ["b1"], ["a4"]]


def test_one_caller_may_bring_a_whole_batch() -> None:
    queue = AdmissionQueue(slots=1, max_batch=4)
    outcomes = queue.run(list("abcd"), echo, key="k", priority=Priority.BATCH)
    assert [outcome.result for outcome in outcomes] == list("abcd")


def test_a_lone_caller_runs_alone_and_a_crowd_does_not(pool: ThreadPoolExecutor) -> None:
    queue, gate = AdmissionQueue(slots=3), Gate()
    first = enter(pool, queue, gate, "lone")
    assert gate.entered.acquire(timeout=WAIT)
    crowd = [enter(pool, queue, gate, index) for index in range(4)]
    assert not gate.entered.acquire(timeout=0.05), "something ran beside the lone caller"
    gate.release.release()
    first.result(WAIT)
    for _ in range(3):
        assert gate.entered.acquire(timeout=WAIT)
    assert not gate.entered.acquire(timeout=0.05), "more ran than there are slots"
    gate.release.release(4)
    for future in crowd:
        future.result(WAIT)
    assert [alone for _, alone in gate.batches] == [True, False, False, False, False]


def test_a_caller_just_after_a_crowd_does_not_take_all_cores(
    pool: ThreadPoolExecutor,
) -> None:
    queue, gate = AdmissionQueue(slots=2), Gate()
    crowd = [enter(pool, queue, gate, index) for index in range(2)]
    gate.release.release(4)
    for future in crowd:
        future.result(WAIT)
    queue.run(["soon after"], gate, key="model", priority=Priority.INTERACTIVE)
    queue._crowded_until = 0.0  # as if a tenth of a second had gone by
    queue.run(["later"], gate, key="model", priority=Priority.INTERACTIVE)
    assert [alone for _, alone in gate.batches][2:] == [False, True]


def test_a_leaders_exception_is_its_own(pool: ThreadPoolExecutor) -> None:
    queue, gate = AdmissionQueue(slots=1, max_batch=4), Gate()

    def fragile(payloads: Sequence[Any], alone: bool) -> list[Any]:
        if "bad" in payloads:
            raise RuntimeError("bad picture")
        return list(payloads)

    first = enter(pool, queue, gate, "first")
    assert gate.entered.acquire(timeout=WAIT)
    leader = enter(pool, queue, fragile, "bad")
    followers = [enter(pool, queue, fragile, payload) for payload in ("x", "y")]
    gate.release.release()
    first.result(WAIT)
    with pytest.raises(RuntimeError, match="bad picture"):
        leader.result(WAIT)
    assert [future.result(WAIT)[0].result for future in followers] == ["x", "y"]
    assert queue.run(["z"], echo, key="model", priority=Priority.LIVE)[0].result == "z"


def test_an_interrupted_leader_frees_its_slot_and_tells_its_followers(
    pool: ThreadPoolExecutor,
) -> None:
    queue, gate = AdmissionQueue(slots=1, max_batch=2), Gate()

    def interrupted(payloads: Sequence[Any], alone: bool) -> list[Any]:
        raise KeyboardInterrupt

    first = enter(pool, queue, gate, "first")
    assert gate.entered.acquire(timeout=WAIT)
    leader = enter(pool, queue, interrupted, "leader")
    follower = enter(pool, queue, interrupted, "follower")
    gate.release.release()
    first.result(WAIT)
    with pytest.raises(KeyboardInterrupt):
        leader.result(WAIT)
    with pytest.raises(VisionError, match="interrupted"):
        follower.result(WAIT)
    assert queue.run(["z"], echo, key="model", priority=Priority.LIVE)[0].result == "z"


def test_closing_lets_running_work_end_and_turns_waiting_work_away(
    pool: ThreadPoolExecutor,
) -> None:
    queue, gate = AdmissionQueue(slots=1), Gate()
    running = enter(pool, queue, gate, "running")
    assert gate.entered.acquire(timeout=WAIT)
    waiting = enter(pool, queue, gate, "waiting")
    closing = pool.submit(queue.close)
    with pytest.raises(VisionError) as caught:
        waiting.result(WAIT)
    assert caught.value.code == "engine_closed"
    assert not closing.done()
    gate.release.release()
    assert running.result(WAIT)[0].result == "running done"
    closing.result(WAIT)
    with pytest.raises(VisionError, match="shutting down"):
        queue.run(["late"], echo, key="k", priority=Priority.LIVE)


def test_many_threads_each_get_their_own_result(pool: ThreadPoolExecutor) -> None:
    queue = AdmissionQueue(slots=3)

    def caller(number: int) -> list[Any]:
        outcomes = [
            queue.run([(number, turn)], echo, key="k", priority=Priority(turn % 3))
            for turn in range(200)
        ]
        return [outcome[0].result for outcome in outcomes]

    for number, results in enumerate(pool.map(caller, range(8))):
        assert results == [(number, turn) for turn in range(200)]


@pytest.mark.parametrize(("slots", "max_batch"), [(0, 1), (1, 0), (2, 2)])
def test_impossible_queues_are_refused(slots: int, max_batch: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        AdmissionQueue(slots=slots, max_batch=max_batch)


def crowded_queue(*, slots: int) -> AdmissionQueue:
    """A queue in which nobody gets all slots, as if others had just been about."""
    queue = AdmissionQueue(slots=slots)
    queue._crowded_until = float("inf")
    return queue


def test_batch_work_leaves_a_slot_to_those_who_wait_for_an_answer(
    pool: ThreadPoolExecutor,
) -> None:
    queue, gate = crowded_queue(slots=3), Gate()
    futures = [enter(pool, queue, gate, f"batch {n}", Priority.BATCH) for n in range(4)]
    for _ in range(2):
        assert gate.entered.acquire(timeout=WAIT)
    assert (queue._running, len(queue._heap)) == (2, 2)
    futures.append(enter(pool, queue, gate, "answer"))
    assert gate.entered.acquire(timeout=WAIT)
    assert gate.batches[-1][0] == ["answer"]
    gate.release.release(5)
    assert len([future.result(WAIT) for future in futures]) == 5


def test_no_more_than_one_batch_item_runs_beside_an_answer(pool: ThreadPoolExecutor) -> None:
    queue, slow, gate = crowded_queue(slots=4), Gate(), Gate()
    answer = enter(pool, queue, slow, "answer")
    assert slow.entered.acquire(timeout=WAIT)
    futures = [enter(pool, queue, gate, f"batch {n}", Priority.BATCH) for n in range(4)]
    assert gate.entered.acquire(timeout=WAIT)
    assert (queue._running, queue._running_batch) == (2, 1)
    slow.release.release()
    answer.result(WAIT)
    for _ in range(2):
        assert gate.entered.acquire(timeout=WAIT)
    assert queue._running_batch == 3
    gate.release.release(4)
    assert len([future.result(WAIT) for future in futures]) == 4
    assert (queue._running, queue._running_batch) == (0, 0)


def test_batch_work_has_the_only_slot_to_itself(pool: ThreadPoolExecutor) -> None:
    queue = AdmissionQueue(slots=1)
    futures = [enter(pool, queue, echo, n, Priority.BATCH) for n in range(3)]
    assert [future.result(WAIT)[0].result for future in futures] == [0, 1, 2]


def test_who_is_alone_but_for_batch_work_still_gets_all_cores(pool: ThreadPoolExecutor) -> None:
    queue, gate, own = AdmissionQueue(slots=3), Gate(), Gate()
    queue._batch_until = float("inf")
    futures = [enter(pool, queue, gate, f"batch {n}", Priority.BATCH) for n in range(3)]
    for _ in range(2):
        assert gate.entered.acquire(timeout=WAIT)
    futures.append(enter(pool, queue, own, "answer"))
    assert own.entered.acquire(timeout=WAIT)
    assert own.batches == [(["answer"], True)]
    gate.release.release(2)  # the third stands back until the answer is there
    for future in futures[:2]:
        future.result(WAIT)
    assert (queue._running, len(queue._heap)) == (1, 1)
    own.release.release()
    gate.release.release()
    futures[3].result(WAIT)
    futures[2].result(WAIT)
    assert [alone for _, alone in gate.batches] == [False] * 3

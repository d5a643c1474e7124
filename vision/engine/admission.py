"""Who runs next: one queue with priorities and micro-batches, and no thread of its own.

Leader and followers: a caller puts its item in line and sleeps. When a slot falls free, the owner
of the best item is woken as leader; it takes whatever may share its batch, runs it, hands results
to their owners, and gives the slot to the next. The state is guarded by one lock, which is never
held while a model runs.

Live frames and pictures that somebody waits for take turns: cameras that keep every slot busy are
shown a frame less, where strict order would leave a caller waiting for ever.

Batch work never takes the last of several slots, and no more than one while somebody waits for an
answer: what runs cannot be stopped, so who comes first would otherwise wait for all of it. Who is
alone but for batch work still gets all cores.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision.errors import VisionError
from vision.structures import Priority

__all__ = ["AdmissionQueue", "Outcome", "closed_error"]

_CROWD_SECONDS = 0.1
# Several callers that take turns leave gaps of some milliseconds. A picture that got all cores in
# such a gap would hold up those that arrive while it is computed.

Run = Callable[[Sequence[Any], bool], Sequence[Any]]
"""Called with the payloads of a batch and whether nothing else runs or waits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result and where its time went, in seconds."""

    result: Any
    waited: float
    ran: float


@dataclass(slots=True, eq=False)
class _Item:
    key: Hashable
    run: Run
    payload: Any
    crowded: bool
    priority: int
    wake: threading.Event
    entered: float = field(default_factory=time.perf_counter)
    leads: bool = False
    begun: bool = False
    alone: bool = False
    outcome: Outcome | None = None
    error: BaseException | None = None

    @property
    def is_batch(self) -> bool:
        return self.priority >= Priority.BATCH

    @property
    def settled(self) -> bool:
        return self.outcome is not None or self.error is not None


class AdmissionQueue:
    """Admits calls to the models of one engine.

    Args:
        slots: Batches that may run at once.
        max_batch: Items per batch. More than one needs a single slot, since a caller that leads
            one batch cannot lead another.
    """

    def __init__(self, *, slots: int, max_batch: int = 1) -> None:
        if slots < 1 or max_batch < 1 or (slots > 1 and max_batch > 1):
            raise ValueError(f"expected one slot or batches of one, got {slots} and {max_batch}")
        self.max_batch = max_batch
        self._slots = slots
        self._heap: list[tuple[int, int, _Item]] = []
        self._order = itertools.count()
        self._running = 0
        self._running_batch = 0
        self._live_was_last = False
        self._exclusive = False
        self._asked_until = 0.0
        self._crowded_until = 0.0
        self._batch_until = 0.0
        self._closed = False
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)

    def run(
        self,
        payloads: Sequence[Any],
        run: Run,
        *,
        key: Hashable,
        priority: Priority,
        crowded: bool = False,
    ) -> list[Outcome]:
        """Run payloads when it is their turn, and return their outcomes in order.

        Args:
            payloads: At most ``max_batch``.
            run: What to do with a batch. Items of equal keys must have equivalent ones.
            key: Items of one key may share a batch.
            priority: Lower values go first, but live and interactive ones take turns; equals
                in order of arrival.
            crowded: More of the caller's work is about to follow.

        Raises:
            VisionError: ``engine_closed``.
            Exception: What ``run`` raised for one of these payloads.
        """
        wake = threading.Event()
        items = [_Item(key, run, payload, crowded, priority, wake) for payload in payloads]
        with self._lock:
            self._refuse_if_closed()
            for item in items:
                item.crowded = crowded or self._is_crowded(item)
                self._push(item)
            self._dispatch()
        try:
            while not all(item.settled for item in items):
                wake.wait()
                wake.clear()
                for item in items:
                    if item.leads and not item.begun:
                        self._lead(item)
        except BaseException:  # an interrupted caller must not keep its place or its slot
            self._withdraw(items)
            raise
        for item in items:
            if item.error is not None:
                raise item.error
        return [item.outcome for item in items if item.outcome is not None]

    @property
    def is_asked(self) -> bool:
        """Whether anything but batch work has run or waited within the last tenth of a second."""
        return time.perf_counter() < self._asked_until

    def close(self) -> None:
        """Turn away all who wait or come later, and return when nothing runs any more."""
        with self._lock:
            self._closed = True
            for _, _, item in self._heap:
                item.error = closed_error()
                item.wake.set()
            self._heap.clear()
            self._idle.wait_for(lambda: self._running == 0)

    def _is_crowded(self, item: _Item) -> bool:
        """Return whether others are about, or were a moment ago. Needs the lock.

        Batch work is no company for those who wait for an answer.
        """
        until = item.entered + _CROWD_SECONDS
        if not item.is_batch:
            self._asked_until = until
        if self._running > self._running_batch or (self._heap and not self._heap[0][2].is_batch):
            self._crowded_until = until
        if not item.is_batch:
            return item.entered < self._crowded_until
        if self._running or self._heap:
            self._batch_until = until
        return item.entered < max(self._crowded_until, self._batch_until)

    def _push(self, item: _Item) -> None:
        heapq.heappush(self._heap, (item.priority, next(self._order), item))

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise closed_error()

    def _dispatch(self) -> None:
        """Wake the owners of the best items while there are free slots. Needs the lock."""
        while self._heap and self._running < self._slots and not self._exclusive:
            if not self._may_run(self._heap[0][2]):
                return
            item = self._pop()
            # A lone caller gets all cores for its picture; where others are about, pictures are
            # computed side by side instead, which takes longer for each but less for all.
            item.alone = not item.crowded and self._is_alone(item)
            self._exclusive = item.alone
            self._running += 1
            self._running_batch += item.is_batch
            item.leads = True
            item.wake.set()

    def _pop(self) -> _Item:
        """Take the item whose turn it is. Needs the lock."""
        entry = self._heap[0]
        if self._live_was_last and entry[0] == Priority.LIVE:
            waiting = [one for one in self._heap if one[0] == Priority.INTERACTIVE]
            entry = min(waiting, default=entry)
        self._live_was_last = entry[0] == Priority.LIVE
        self._heap.remove(entry)
        heapq.heapify(self._heap)
        return entry[2]

    def _is_alone(self, item: _Item) -> bool:
        """Return whether nothing but batch work, which then stands back, is beside an item."""
        if item.is_batch:
            return self._running == 0 and not self._heap
        others = self._running > self._running_batch
        return not others and not (self._heap and not self._heap[0][2].is_batch)

    def _may_run(self, item: _Item) -> bool:
        """Return whether a free slot is one for this item. Needs the lock."""
        if not item.is_batch:
            return True
        others = self._running - self._running_batch
        return self._running_batch < (1 if others else max(1, self._slots - 1))

    def _withdraw(self, items: Sequence[_Item]) -> None:
        with self._lock:
            self._heap = [entry for entry in self._heap if entry[2] not in items]
            heapq.heapify(self._heap)
            for item in items:
                if item.leads and not item.begun:
                    item.begun = True
                    self._release(item)

    def _release(self, leader: _Item) -> None:
        """Give a slot back to whoever comes next. Needs the lock."""
        self._running -= 1
        self._running_batch -= leader.is_batch
        self._exclusive = self._exclusive and not leader.alone
        self._dispatch()
        if self._running == 0:
            self._idle.notify_all()

    def _lead(self, leader: _Item) -> None:
        batch = [leader]
        leader.begun = True
        try:
            with self._lock:
                batch += self._take_followers(leader.key)
            _run_batch(batch, leader.run, leader.alone)
        finally:
            with self._lock:
                for item in batch[1:]:
                    if not item.settled:  # the leader was interrupted
                        item.error = _interrupted_error()
                    item.wake.set()
                self._release(leader)

    def _take_followers(self, key: Hashable) -> list[_Item]:
        """Remove and return the best items that may share the leader's batch."""
        taken: list[_Item] = []
        if self.max_batch == 1 or not self._heap:
            return taken
        left = []
        while self._heap and len(taken) < self.max_batch - 1:
            entry = heapq.heappop(self._heap)
            if entry[2].key == key:
                taken.append(entry[2])
            else:
                left.append(entry)
        for entry in left:
            heapq.heappush(self._heap, entry)
        return taken


def _run_batch(batch: Sequence[_Item], run: Run, alone: bool) -> None:
    """Settle every item of a batch; one that fails alone does not fail the others."""
    started = time.perf_counter()
    try:
        results = run([item.payload for item in batch], alone)
    except Exception as error:
        if len(batch) == 1:
            batch[0].error = error
            return
        failed = True
    else:
        failed = False
    if failed:
        # Outside the handler, so that the failed batch's tensors are free for the second try.
        for item in batch:
            _run_batch([item], item.run, alone)
        return
    ran = time.perf_counter() - started
    for item, result in zip(batch, results, strict=True):
        item.outcome = Outcome(result, waited=started - item.entered, ran=ran)


def closed_error() -> VisionError:
    """Return what a caller of a closed engine gets."""
    return VisionError("engine_closed", "The engine is shutting down.")


def _interrupted_error() -> VisionError:
    return VisionError("interrupted", "The computation was interrupted; try again.")

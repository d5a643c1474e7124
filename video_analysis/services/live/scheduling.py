"""Which camera is looked at next: the one that has waited longest."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Scheduled(Protocol):
    """What takes turns."""

    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=Scheduled)


@dataclass(slots=True)
class _Turn(Generic[T]):
    owner: T
    since: float | None = None
    busy: bool = False


class Scheduler(Generic[T]):
    """Hands cameras with new frames to worker threads, each camera to one at a time.

    A camera waits from the first frame on that nobody has taken, so that one with many frames does
    not go before one with few.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._ended = threading.Condition(self._lock)
        self._turns: dict[int, _Turn[T]] = {}
        self._running: dict[int, _Turn[T]] = {}
        self._stopping = False

    def add(self, owner: T) -> None:
        """Let a camera take turns."""
        with self._changed:
            self._turns[owner.id] = _Turn(owner)

    def remove(self, owner: T, timeout: float) -> bool:
        """Give a camera no more turns, and wait for the end of the one that it has.

        Returns:
            Whether it ended in time.
        """
        with self._changed:
            turn = self._turns.get(owner.id)
            if turn is None or turn.owner is not owner:
                return True
            del self._turns[owner.id]
            return self._ended.wait_for(lambda: not turn.busy, timeout)

    def note_frame(self, camera_id: int) -> None:
        """Note that a camera has a new frame; called from the captures' threads."""
        with self._changed:
            turn = self._turns.get(camera_id)
            if turn is None or turn.since is not None:
                return
            turn.since = time.monotonic()
            if not turn.busy:
                self._changed.notify()

    def take(self, most: int) -> list[T]:
        """Wait for cameras with new frames; those that have waited longest come first.

        Args:
            most: How many at once, at least 1.

        Returns:
            They are the caller's until `give_back`; empty at the end.
        """
        with self._changed:
            while not self._stopping:
                ready = [
                    (turn.since, number)
                    for number, turn in self._turns.items()
                    if turn.since is not None and not turn.busy
                ]
                if ready:
                    return [self._begin(number) for _, number in sorted(ready)[:most]]
                self._changed.wait()
        return []

    def give_back(self, owners: list[T]) -> None:
        """End the turns of cameras."""
        with self._changed:
            for owner in owners:
                turn = self._running.pop(id(owner))
                turn.busy = False
                if turn.since is not None:
                    self._changed.notify()
            self._ended.notify_all()

    def stop(self) -> None:
        """Send everybody home who waits for a turn."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _begin(self, number: int) -> T:
        turn = self._turns[number]
        turn.since, turn.busy = None, True
        self._running[id(turn.owner)] = turn
        return turn.owner

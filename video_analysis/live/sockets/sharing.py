"""Answers that many ask for at the same moment, read once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
AnswerT = TypeVar("AnswerT")


class Shared(Generic[KeyT, AnswerT]):
    """Keeps answers for a moment; who asks while one is being read waits for the same one.

    Args:
        read: Reads an answer. What it raises, everybody who waits gets.
        seconds: How long an answer holds, from when it was asked for.
    """

    def __init__(self, read: Callable[[KeyT], Awaitable[AnswerT]], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._kept: dict[KeyT, tuple[float, asyncio.Task[AnswerT]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def get(self, key: KeyT) -> AnswerT:
        """Return the answer, at most so many seconds old."""
        self._forget_old()
        if key not in self._kept:
            task = asyncio.ensure_future(self._answer(key))
            # Somebody else may have stopped waiting; an error that nobody hears is no news.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._kept[key] = (time.monotonic(), task)
        # Shielded: one who goes away takes the answer from nobody else.
        return await asyncio.shield(self._kept[key][1])

    def forget(self) -> None:
        """Read everything anew."""
        self._kept.clear()

    async def _answer(self, key: KeyT) -> AnswerT:
        return await self._read(key)

    def _forget_old(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # tasks belong to their loop
            self._loop = loop
            self._kept.clear()
        before = time.monotonic() - self._seconds
        # One that is being read still is not read twice, however long that takes.
        old = [key for key, (at, task) in self._kept.items() if at < before and task.done()]
        for key in old:
            del self._kept[key]

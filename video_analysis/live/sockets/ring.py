"""The latest changes of events, ready to be sent, in the order of their numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

MOST_KEPT: Final = 2000
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an event.

    Attributes:
        sequence: Its number.
        camera: Id of the camera; who may not watch it does not hear of it.
        text: The event as JSON, made once for all.
    """

    sequence: int
    camera: int
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes for one person.

    Attributes:
        texts: Those that concern them.
        sequence: Up to here they have heard everything now.
        more: Whether there is more to be asked for.
    """

    texts: Sequence[str]
    sequence: int
    more: bool


class EventRing:
    """Everything between two numbers, ``base`` (exclusive) and ``top`` (inclusive)."""

    def __init__(self, start: int = 0) -> None:
        self.base = self.top = start
        self._changes: list[Change] = []
        self._numbers: list[int] = []

    def add(self, changes: Sequence[Change]) -> None:
        """Append what came next; what is older than the latest thousands is dropped."""
        if not changes:
            return
        self._changes.extend(changes)
        self._numbers.extend(change.sequence for change in changes)
        self.top = self._numbers[-1]
        excess = len(self._changes) - MOST_KEPT
        # Cut a part at once: a list is not made to lose its first one again and again.
        if excess > MOST_KEPT // 4:
            self.base = self._numbers[excess - 1]
            del self._changes[:excess], self._numbers[:excess]

    def covers(self, sequence: int) -> bool:
        """Whether everything after this number is here."""
        return sequence >= self.base

    def page(self, after: int, cameras: Collection[int]) -> Page:
        """Return the next changes after a number that concern these cameras."""
        texts: list[str] = []
        for index in range(bisect_right(self._numbers, after), len(self._changes)):
            change = self._changes[index]
            if change.camera in cameras:
                texts.append(change.text)
                if len(texts) == MOST_AT_ONCE:
                    return Page(texts, change.sequence, change.sequence < self.top)
        return Page(texts, max(after, self.top), False)

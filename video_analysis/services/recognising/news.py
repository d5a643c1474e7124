"""What is told of people who are seen: whoever keeps visits listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SightingNews:
    """Somebody is seen: told with the row, every ten seconds after it, and once at the end.

    Attributes:
        sighting_id: Of the row, which is written.
        camera_id: Who has seen them.
        area_id: Where; None for a camera without an area.
        profile_id: Who it is; None for a visitor without a name.
        visitor_id: The visitor, if it is one.
        staff: Whether they belong to the staff.
        at: When they were seen last.
        ended: Whether the sighting is over.
        mood: Shares of moods by name; None where none are estimated.
    """

    sighting_id: UUID
    camera_id: int
    area_id: int | None
    profile_id: UUID | None
    visitor_id: UUID | None
    staff: bool
    at: datetime
    ended: bool
    mood: Mapping[str, float] | None = None


SightingListener: TypeAlias = Callable[[SightingNews], None]

_listeners: list[SightingListener] = []


def register_sighting_listener(listener: SightingListener) -> None:
    """Have a function told of sightings, in the thread that writes them, after each is written.

    Registering it again changes nothing. What it raises is logged and goes no further.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def tell_sighting(news: SightingNews) -> None:
    """Tell everybody who listens."""
    for listener in tuple(_listeners):
        try:
            listener(news)
        except Exception:
            logger.exception("A sighting was not taken in by %s", listener.__module__)

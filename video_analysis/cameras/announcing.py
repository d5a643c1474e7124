"""Telling the open pages that something about cameras has changed."""

from typing import Final

from common.broadcast import publish

LIVE_GROUP: Final = "live"
"""All sockets that show cameras. Messages say only that there is something new: each socket reads
what its user may see."""


def announce_configuration() -> None:
    """Say that cameras, zones, lines or who may watch them have changed."""
    publish(LIVE_GROUP, {"type": "cameras"})


def announce_events(sequence: int) -> None:
    """Say that events have changed, up to this number."""
    publish(LIVE_GROUP, {"type": "events", "sequence": sequence})

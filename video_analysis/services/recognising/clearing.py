"""Whose faces may be shown where only people who have agreed are: known to this process alone."""

from __future__ import annotations

from collections.abc import Iterable

_cleared: dict[int, frozenset[int]] = {}


def cleared_tracks(camera_id: int) -> frozenset[int]:
    """Return the tracker ids of a camera that are people who have agreed; from any thread."""
    return _cleared.get(camera_id, frozenset())


def set_cleared(camera_id: int, tracks: Iterable[int]) -> None:
    """Replace the tracks of a camera whose faces may be shown."""
    found = frozenset(tracks)
    if found:
        _cleared[camera_id] = found
    else:
        _cleared.pop(camera_id, None)

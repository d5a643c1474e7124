"""Whose faces may be shown where only people who have agreed are: known to this process alone."""

from __future__ import annotations

import time
from collections.abc import Mapping

_cleared: dict[int, dict[int, float]] = {}


def cleared_tracks(camera_id: int) -> frozenset[int]:
    """Return the tracker ids of a camera that are people who have agreed; from any thread.

    Each is one for a while only: when nobody can say any more who agrees, nobody is shown.
    """
    now = time.monotonic()
    until = _cleared.get(camera_id, {})
    return frozenset(track for track, end in until.items() if now <= end)


def set_cleared(camera_id: int, tracks: Mapping[int, float]) -> None:
    """Replace the tracks of a camera whose faces may be shown, each until a monotonic time."""
    if tracks:
        _cleared[camera_id] = dict(tracks)
    else:
        _cleared.pop(camera_id, None)

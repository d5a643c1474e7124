"""What is deleted before a camera is: whoever records something of cameras registers how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Cleaner: TypeAlias = Callable[[int], int]
"""Deletes some of what was recorded of the camera with this id, in a short transaction of its own,
with its files; returns how many rows went, 0 when nothing is left."""

_cleaners: dict[str, Cleaner] = {}


def register_cleaner(name: str, cleaner: Cleaner) -> None:
    """Have something deleted with cameras, in the order of registration.

    Args:
        name: Of what it deletes; registered again, it takes the place of the first.
        cleaner: See `Cleaner`.
    """
    _cleaners[name] = cleaner


def clean(camera_id: int) -> int:
    """Delete all that was recorded of a camera, batch by batch; return how many rows went."""
    removed = 0
    for cleaner in _cleaners.values():
        while count := cleaner(camera_id):
            removed += count
    return removed

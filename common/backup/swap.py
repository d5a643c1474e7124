"""Putting new files and folders in the place of old ones: all of them, or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Swap:
    """What comes into whose place; both on one disk. `new` may be None: then the old one goes."""

    new: Path | None
    place: Path

    @property
    def aside(self) -> Path:
        """Where the old one waits until everything is done."""
        return self.place.with_name(f"{self.place.name}.before-restore")


def swap_all(swaps: Sequence[Swap]) -> None:
    """Rename everything into its place; if one fails, all old ones are put back.

    Raises:
        OSError: One of them could not be renamed; everything is as it was.
    """
    done: list[Swap] = []
    try:
        for swap in swaps:
            remove(swap.aside)
            done.append(swap)
            if swap.place.exists():
                swap.place.rename(swap.aside)
            if swap.new is not None:
                swap.place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                swap.new.rename(swap.place)
    except BaseException:
        for swap in reversed(done):
            _put_back(swap)
        raise
    for swap in swaps:
        sync_folder(swap.place.parent)
        remove(swap.aside)


def _put_back(swap: Swap) -> None:
    if swap.new is not None and not swap.new.exists() and swap.place.exists():
        swap.place.rename(swap.new)
    if swap.aside.exists():
        swap.aside.rename(swap.place)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    if not folder.exists():
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Folders for what is being made: on the disk of the stored files, so that results are moved."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

ABANDONED_SECONDS = 24 * 3600.0
"""A file or folder in which nothing has changed for so long is of a process that was killed."""


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a folder that goes, with all in it, at the end of the block."""
    folder = Path(tempfile.mkdtemp(dir=make_work_root()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> int:
    """Remove what killed processes have left; return how many files and folders."""
    removed = 0
    for path in _entries(work_root()):
        if time.time() - _last_change(path) > ABANDONED_SECONDS:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            logger.info("%s was abandoned and is removed", path.name)
            removed += 1
    return removed


def work_root() -> Path:
    """Return where the folders lie; uploads that are too large for memory come here, too."""
    return Path(settings.DATA_DIR) / "work"


def make_work_root() -> Path:
    """Return the same, made if it is not there."""
    root = work_root()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _last_change(path: Path) -> float:
    try:
        moments = [path.stat().st_mtime]
        if path.is_dir():
            moments += [inner.stat().st_mtime for inner in path.iterdir()]
    except FileNotFoundError:  # it is being finished at this moment
        return time.time()
    return max(moments)

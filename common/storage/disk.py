"""How much room is left on the disk that is written to."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from common.uploads.errors import UploadRejected

MIB = 1024 * 1024


@dataclass(frozen=True)
class DiskSpace:
    """Bytes of a disk; `least` is what must stay free for pictures to be taken."""

    free: int
    total: int
    least: int

    @property
    def is_low(self) -> bool:
        """Whether pictures are refused for now."""
        return self.free < self.least

    @property
    def used(self) -> int:
        """Bytes that are taken, by whomever."""
        return self.total - self.free


def disk_space() -> DiskSpace:
    """Look at the disk of the pictures; of the data folder where pictures lie elsewhere."""
    usage = shutil.disk_usage(_existing(_written_folder()))
    return DiskSpace(usage.free, usage.total, settings.SIGHTLINE_MIN_FREE_BYTES)


def require_room() -> None:
    """Refuse to store anything while the disk is nearly full; costs one call of the system.

    Raises:
        UploadRejected: `disk_full`.
    """
    space = disk_space()
    if space.is_low:
        raise UploadRejected(
            "disk_full",
            f"The disk of the server is nearly full ({space.free // MIB} MiB left); nothing was "
            "stored. An administrator must make room.",
        )


def _written_folder() -> Path:
    # The storage behind the lazy default: isinstance sees through it.
    if isinstance(default_storage, FileSystemStorage):
        return Path(default_storage.location)
    return Path(settings.DATA_DIR)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder

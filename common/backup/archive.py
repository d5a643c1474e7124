"""The file of a backup: a tar whose last members say what the others must be.

Pictures and dumps are compressed already, so the archive is not.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from common.backup.errors import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"
MEDIA = "media/"
CHUNK = 1024 * 1024
MOST_JSON = 512 * 1024 * 1024
# What may stand in an archive: nothing that leads out of the folder it is unpacked in.
_NAME = re.compile(
    r"^(manifest\.(json|sha256)|secrets\.json|database\.(sqlite3|dump)"
    r"|media(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+)$",
    re.ASCII,
)

Manifest = dict[str, Any]


class HashingReader:
    """Reads on behalf of somebody else and remembers the digest of what went through."""

    def __init__(self, source: IO[bytes] | Any) -> None:
        self.source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read as the source does."""
        piece: bytes = self.source.read(size)
        self.digest.update(piece)
        return piece


class ArchiveWriter:
    """Writes members one after the other, and the manifest last."""

    def __init__(self, target: IO[bytes]) -> None:
        self._tar = tarfile.TarFile(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)
        self.members: dict[str, str] = {}
        self.bytes = 0

    def add(self, name: str, source: IO[bytes] | Any, size: int) -> None:
        """Add a member of `size` bytes.

        Raises:
            OSError: The source ends before that.
        """
        reader = HashingReader(source)
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        self._tar.addfile(info, reader)
        self.members[name] = reader.digest.hexdigest()
        self.bytes += size

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and its seal."""
        content = json.dumps({**manifest, "members": self.members}, indent=1).encode()
        self.add(MANIFEST, io.BytesIO(content), len(content))
        seal = self.members[MANIFEST].encode()
        self.add(SEAL, io.BytesIO(seal), len(seal))
        self._tar.close()


def verify_archive(path: Path) -> Manifest:
    """Read a whole archive and hold every member against the manifest.

    Raises:
        BackupError: It is incomplete, damaged, or holds what does not belong there.
    """
    found: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    with _told(path):
        for member, source in members(path):
            if member.name in found:
                raise BackupError(f"{path} holds {member.name} twice.")
            reader = HashingReader(source)
            if member.name in (MANIFEST, SEAL):
                texts[member.name] = reader.read(MOST_JSON)
            while reader.read(CHUNK):
                pass
            found[member.name] = reader.digest.hexdigest()
        return _judge(path, found, texts)


def members(
    path: Path, *, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Yield the members of an archive in their order, each with a reader.

    Raises:
        BackupError: It is no archive, breaks off, or has a member that does not belong there.
    """
    with _told(path), tarfile.open(path, "r:") as tar:
        for member in tar:
            if not member.isreg() or not _NAME.match(member.name):
                raise BackupError(
                    f"{path} holds {member.name!r}, which does not belong into a backup."
                )
            if wanted(member.name):
                source = tar.extractfile(member)
                assert source is not None
                yield member, source


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except (tarfile.TarError, EOFError, ValueError, IsADirectoryError) as error:
        raise BackupError(f"{path} is no backup, or incomplete: {error}.") from error


def _judge(path: Path, found: dict[str, str], texts: dict[str, bytes]) -> Manifest:
    if MANIFEST not in texts or SEAL not in texts:
        raise BackupError(f"{path} is incomplete: its manifest is missing.")
    if texts[SEAL].decode("ascii", "replace") != found.pop(MANIFEST):
        raise BackupError(f"{path} is damaged: its manifest has been changed.")
    del found[SEAL]
    manifest = json.loads(texts[MANIFEST])
    expected = manifest.get("members") if isinstance(manifest, dict) else None
    if not isinstance(expected, dict) or manifest.get("format") != FORMAT:
        raise BackupError(f"{path} was written in a form that this version does not know.")
    wrong = sorted(
        name for name in {*found, *expected} - {MANIFEST} if found.get(name) != expected.get(name)
    )
    if wrong:
        raise BackupError(
            f"{path} is damaged: {wrong[0]}"
            + (f" and {len(wrong) - 1} more are" if len(wrong) > 1 else " is")
            + " not what the manifest says."
        )
    return dict(manifest)

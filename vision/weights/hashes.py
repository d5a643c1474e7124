"""Hashes of weights files: computed once, remembered while the file does not change."""

import contextlib
import hashlib
import json
import logging
import re
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGITS, _LEAST_DIGITS = 64, 8


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file must be: lower-case SHA-256 and, where known, its size in bytes.

    Some files are published with the first digits of their hash only; then the size counts, too.
    """

    sha256: str
    bytes: int | None

    def accepts(self, sha256: str, size: int) -> bool:
        """Return whether a file of this hash and size is the expected one."""
        if len(self.sha256) == _DIGITS:
            return sha256 == self.sha256
        enough = len(self.sha256) >= _LEAST_DIGITS
        return enough and sha256.startswith(self.sha256) and size == self.bytes

    def mismatch(self, name: Path | str, actual: str) -> str:
        """Return the sentence that says which hash was expected and which was found."""
        return (
            f"{name} is not the expected file: its SHA-256 begins with {actual[:12]}, "
            f"expected {self.sha256[:12]}."
        )


def read_manifest(folder: Path, file: str) -> Expected | None:
    """Return what a directory's own ``MANIFEST.json`` says about a file, if anything."""
    try:
        manifest = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read: %s", folder / "MANIFEST.json", error)
        return None
    entry = manifest.get(file) if isinstance(manifest, dict) else None
    if not isinstance(entry, dict):
        return None
    sha256 = str(entry.get("sha256", "")).lower()
    if not _SHA256.fullmatch(sha256):
        return None
    size = entry.get("bytes")
    return Expected(sha256, size if isinstance(size, int) else None)


def file_sha256(path: Path) -> str:
    """Return the lower-case hex SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class HashMemory:
    """Remembers hashes by path, size and times, so that a second start need not read the files.

    The record is a small JSON file. Losing it costs time only, so a folder that cannot be written
    is no error; entries of other processes are kept by reading again before each write.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self._lock = threading.Lock()

    def sha256(self, path: Path) -> str:
        """Return the hash of a file, reading it only if it is new or has changed."""
        stamp = _stamp(path)
        with self._lock:
            known = self._load().get(str(path.resolve()))
        if isinstance(known, list) and known[:-1] == stamp:
            return str(known[-1])
        actual = file_sha256(path)
        # Unchanged while it was read: otherwise the hash belongs to neither state.
        if _stamp(path) == stamp:
            self.remember(path, actual)
        return actual

    def remember(self, path: Path, sha256: str) -> None:
        """Record the hash of a file as it is now."""
        with self._lock, contextlib.suppress(OSError):
            entries = self._load()
            entries[str(path.resolve())] = [*_stamp(path), sha256]
            self._save(entries)

    def _load(self) -> dict[str, object]:
        try:
            entries = json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def _save(self, entries: dict[str, object]) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=self._record.parent, suffix=".tmp", delete=False, encoding="utf-8"
        ) as stream:
            json.dump(entries, stream, indent=1)
        Path(stream.name).replace(self._record)


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    # The change time cannot be set by hand, so a swapped file with an old date is noticed.
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]

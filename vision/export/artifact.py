"""The cache of exported networks: locked between processes, verified before use."""

import hashlib
import json
import logging
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from vision.export.process import export_network
from vision.weights.cards import WeightsCard

__all__ = ["EXPORTER_VERSION", "Artifact", "Exports"]

logger = logging.getLogger(__name__)

EXPORTER_VERSION = 1
"""Raised whenever the exported graph changes, so that older files are left alone."""

_RECORD = "export.json"


@dataclass(frozen=True, slots=True)
class Artifact:
    """An exported network on disk.

    Attributes:
        path: The file a runtime opens: ``network.onnx`` or ``network.xml``.
        precision: ``"fp32"`` or ``"int8"``.
    """

    path: Path
    precision: str


class Exports:
    """Exported networks below a cache directory, one folder per card, weights and precision.

    A folder is written under a temporary name and renamed when complete, and it carries the
    hashes of its files: one that is damaged or half written is made again.

    Args:
        cache_dir: Root of the cache; made when needed.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._root = Path(cache_dir) / "exports"

    def network(self, card: WeightsCard, weights: Path) -> Artifact:
        """Return the float network of a card, exporting it when needed.

        The export happens in a child process: what it imports does not stay in this one. It takes
        some seconds; other processes that want the same file wait for it.

        Args:
            card: What the weights are.
            weights: A verified ``.pt`` file.

        Raises:
            ModelError: ``export_failed``.
        """

        def build(folder: Path) -> None:
            export_network(weights, folder / "network.onnx", cache_dir=self._root.parent)

        folder = self._folder(card, weights, "fp32")
        self._ensure(folder, build)
        return Artifact(folder / "network.onnx", "fp32")

    def quantized(self, card: WeightsCard, weights: Path) -> Artifact | None:
        """Return the INT8 network of a card, or None while ``quantize`` has made none."""
        folder = self._folder(card, weights, "int8")
        if not _is_intact(folder):
            return None
        return Artifact(folder / "network.xml", "int8")

    def store_quantized(
        self, card: WeightsCard, weights: Path, build: Callable[[Path], None]
    ) -> Artifact:
        """Replace the INT8 network by what ``build`` writes into the folder it is given."""
        folder = self._folder(card, weights, "int8")
        self._root.mkdir(parents=True, exist_ok=True)
        with self._lock(folder):
            self._write(folder, build)
        return Artifact(folder / "network.xml", "int8")

    def _folder(self, card: WeightsCard, weights: Path, precision: str) -> Path:
        with weights.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._root / f"{card.name}-{digest[:16]}-v{EXPORTER_VERSION}-{precision}"

    def _ensure(self, folder: Path, build: Callable[[Path], None]) -> None:
        if _is_intact(folder):
            return
        self._root.mkdir(parents=True, exist_ok=True)
        with self._lock(folder):
            if not _is_intact(folder):  # another process may have made it meanwhile
                self._write(folder, build)

    def _lock(self, folder: Path) -> FileLock:
        return FileLock(folder.with_name(f"{folder.name}.lock"))

    def _write(self, folder: Path, build: Callable[[Path], None]) -> None:
        if folder.exists():
            logger.info("%s is replaced", folder)
        draft = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.tmp")
        draft.mkdir()
        try:
            build(draft)
            _write_record(draft)
            shutil.rmtree(folder, ignore_errors=True)
            draft.replace(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _write_record(folder: Path) -> None:
    record = {path.name: _describe(path) for path in sorted(folder.iterdir())}
    (folder / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _is_intact(folder: Path) -> bool:
    """Return whether every file of an export is as it was written."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        return bool(record) and all(
            _describe(folder / name) == described for name, described in record.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def _describe(path: Path) -> Sequence[object]:
    with path.open("rb") as stream:
        return [path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()]

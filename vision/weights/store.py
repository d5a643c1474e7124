"""Finds weights on disk, or downloads them; a file is used only when its SHA-256 is right."""

import logging
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from vision.errors import WeightsError
from vision.weights.cards import WeightsFile
from vision.weights.download import ProgressCallback, download
from vision.weights.hashes import Expected, HashMemory, read_manifest

__all__ = ["ProgressCallback", "WeightsStore"]

logger = logging.getLogger(__name__)


class WeightsStore:
    """Where weights come from: search directories, then the cache, then the card's URL.

    Safe to call from many threads and processes: a download holds a file lock, is written to a
    temporary file beside its target, verified, and renamed.

    Args:
        cache_dir: Downloads and the memory of verified hashes live here; made when needed.
        search_dirs: Looked through first, never written to. A ``MANIFEST.json`` in one may name
            its own ``sha256`` and ``bytes`` for a file of that directory, which then win over
            the card's.
        timeout: Seconds until a host that does not answer is given up.
        allow_download: Whether the network may be used at all.
        require_https: Refuse plain HTTP, also after a redirect.
    """

    def __init__(
        self,
        cache_dir: Path,
        search_dirs: Sequence[Path] = (),
        timeout: float = 5.0,
        allow_download: bool = True,
        *,
        require_https: bool = True,
    ) -> None:
        self.cache_dir = Path(cache_dir)
        self.search_dirs = tuple(Path(folder) for folder in search_dirs)
        self.timeout = timeout
        self.allow_download = allow_download
        self.require_https = require_https
        self._memory = HashMemory(self.cache_dir / "verified.json")

    def find(self, card: WeightsFile) -> Path | None:
        """Return the verified file of a card, or None; never uses the network.

        A file whose hash is wrong is passed over, with a warning in the log.
        """
        return self._look_up(card)[0]

    def fetch(self, card: WeightsFile, on_progress: ProgressCallback | None = None) -> Path:
        """Return the verified file of a card, downloading it when it is not on disk.

        Args:
            card: What to fetch.
            on_progress: Called with (bytes so far, bytes in all or None) while downloading.

        Raises:
            WeightsError: ``weights_hash_mismatch``, ``weights_unreachable``, ``weights_missing``
                (not on disk, and downloads are off or the file is published nowhere) or
                ``weights_not_stored`` (the cache cannot be written).
        """
        path, mismatch = self._look_up(card)
        if path is not None:
            return path
        if not card.url:
            raise mismatch or WeightsError(
                "weights_missing",
                f"{card.file} is not installed; put the file into the weights folder.",
            )
        if not self.allow_download:
            raise mismatch or WeightsError(
                "weights_missing",
                f"{card.file} is not installed and downloads are switched off; "
                f"put the file from {card.url} into the weights folder.",
            )
        try:
            return self._download(card, on_progress)
        except WeightsError as error:
            # A wrong file that somebody put there is the cause they can act on.
            if mismatch is not None and error.code == "weights_unreachable":
                raise mismatch from error
            raise

    def _look_up(self, card: WeightsFile) -> tuple[Path | None, WeightsError | None]:
        """Return the first file that verifies, else the first complaint about one."""
        pinned = Expected(card.sha256, card.bytes)
        places = [(folder, read_manifest(folder, card.file)) for folder in self.search_dirs]
        mismatch: WeightsError | None = None
        for folder, expected in [*places, (self.cache_dir, None)]:
            path = folder / card.file
            complaint = self._complaint(path, expected or pinned)
            if complaint is None:
                continue
            if complaint == "":
                return path, mismatch
            logger.warning("%s", complaint)
            mismatch = mismatch or WeightsError("weights_hash_mismatch", complaint)
        return None, mismatch

    def _complaint(self, path: Path, expected: Expected) -> str | None:
        """Return "" for a verified file, what is wrong with it, or None when there is none."""
        try:
            if not path.is_file():
                return None
            actual, size = self._memory.sha256(path), path.stat().st_size
        except OSError as error:
            return f"{path} cannot be read: {error.strerror or error}."
        if expected.accepts(actual, size):
            return ""
        return expected.mismatch(path, actual)

    def _download(self, card: WeightsFile, on_progress: ProgressCallback | None) -> Path:
        target = self.cache_dir / card.file
        expected = Expected(card.sha256, card.bytes)
        try:
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            with FileLock(self.cache_dir / f"{card.file}.lock"):
                # Another process may have brought it while this one waited for the lock.
                if self._complaint(target, expected) != "":
                    actual = download(
                        card.url,
                        target,
                        expected=expected,
                        timeout=self.timeout,
                        require_https=self.require_https,
                        on_progress=on_progress,
                    )
                    self._memory.remember(target, actual)
        except OSError as error:
            raise WeightsError(
                "weights_not_stored",
                f"{card.file} cannot be stored in {self.cache_dir}: {error.strerror or error}.",
            ) from error
        return target

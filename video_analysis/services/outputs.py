"""Files that all come into being, or none of them."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class Outputs:
    """Writes beside where files shall be, and puts all in their place at the end of the block.

    What goes wrong before leaves no file, and those that were there as they were.
    """

    def __init__(self) -> None:
        self._parts: dict[Path, Path] = {}
        self._made: list[Path] = []
        self._temporary: list[Path] = []

    def path(self, target: Path) -> Path:
        """Return where to write what shall be at ``target``, whose folder is made.

        Raises:
            OSError: The folder cannot be made or written.
        """
        self._make(target.parent)
        folder = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
        self._temporary.append(folder)
        self._parts[target] = folder / target.name
        return self._parts[target]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                for target, part in self._parts.items():
                    part.replace(target)
                self._made.clear()
        finally:
            for folder in self._temporary:
                shutil.rmtree(folder, ignore_errors=True)
            for folder in reversed(self._made):
                with suppress(OSError):  # somebody else has put something there
                    folder.rmdir()

    def _make(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for step in reversed(missing):
            step.mkdir()
            self._made.append(step)

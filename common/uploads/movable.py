"""A file on the disk that a storage on the same disk may move instead of copying."""

from pathlib import Path
from types import TracebackType

from django.core.files.base import File


class MovableFile(File):  # type: ignore[type-arg] # generic in its stubs alone
    """An open file that `FileSystemStorage` takes by its path; a bucket reads it.

    Args:
        path: The file; gone at the end of a block that stored it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        """Return where the file lies: the sign for the storage that it may be moved."""
        return str(self._path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if kind is None:  # otherwise it may be tried again
            self._path.unlink(missing_ok=True)

"""Pictures of many people, in a ZIP or a folder: judged by their names before one is read.

A picture belongs to the person after whom the folder is called in which it lies. A ZIP is never
unpacked to the disk: its entries are read one by one, each no larger than a picture may be.
"""

from __future__ import annotations

import contextlib
import lzma
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Final, Protocol

from django.conf import settings

from recognition.errors import ImportRefused

MIB: Final = 1024 * 1024
MAX_ENTRIES: Final = 50_000
DIRECTORY_BYTES: Final = 16 * MIB
"""Of a ZIP's list of contents, which is read at once."""
TOTAL_FACTOR: Final = 4
"""How many times as much as a ZIP may weigh may come out of it."""
BOMB_RATIO: Final = 100
BOMB_BYTES: Final = MIB
"""Pictures hardly get smaller in a ZIP: what grows to so much, and so many times, is none."""
LONGEST_NAME: Final = 200
SHOWN: Final = 200
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of the others the library unpacks as much at once as comes out, whatever the list says."""

SENTENCES: Final = {
    "outside": "Its path leads out of the ZIP.",
    "link": "It is a link, not a file.",
    "encrypted": "It is encrypted.",
    "nested": "It is a ZIP inside the ZIP; put the folders in directly.",
    "no_folder": "It lies in no folder; the folder says whose picture it is.",
    "bad_name": "Its folder's name cannot be a person's.",
    "too_large": "It is larger than a picture may be.",
    "zip_bomb": "It would grow too much when unpacked.",
    "damaged": "It is damaged.",
    "unsupported": "It is packed in a way that is not supported.",
    "double": "The ZIP has another file of this name.",
}

_BROKEN: Final = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Refusal:
    """A picture, or a whole folder, that was not imported.

    Attributes:
        name: Of the picture, or of the folder.
        code: Why.
        message: The same for a person; names nobody.
        profile: Id of the other person whom it shows, or looks like; "" where that is no reason.
    """

    name: str
    code: str
    message: str
    profile: str = ""


class EntryError(Exception):
    """One entry cannot be read.

    Args:
        code: Of `SENTENCES`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(SENTENCES[code])
        self.code = code
        self.message = SENTENCES[code]


class PictureSource(Protocol):
    """Where pictures come from.

    Attributes:
        people: The names of the pictures of each person, both in order.
        refused: What is no picture of a person, with the reason.
    """

    people: dict[str, list[str]]
    refused: list[Refusal]

    def read(self, name: str) -> bytes:
        """Return a picture.

        Raises:
            EntryError: It cannot be read.
        """
        ...


class ZipPictures:
    """The pictures in a ZIP.

    Args:
        file: Open and seekable; stays open as long as this is used.

    Raises:
        ImportRefused: ``not_a_zip``, ``too_many_entries``, ``zip_bomb`` or ``no_pictures``.
    """

    def __init__(self, file: IO[bytes]) -> None:
        bounded = _Bounded(file)
        try:
            self._zip = zipfile.ZipFile(bounded)
        except _TooMuch:
            raise _too_many() from None
        except (*_BROKEN, NotImplementedError):
            raise ImportRefused(
                "not_a_zip", "That is not a ZIP file, or a damaged one.", status=422
            ) from None
        bounded.limit = None
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise _too_many()
        self.people: dict[str, list[str]] = {}
        self.refused: list[Refusal] = []
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._sort_in(entry)
        self._judge_total()
        _put_in_order(self.people)

    def read(self, name: str) -> bytes:
        """Return a picture, no larger than one may be."""
        limit = settings.SIGHTLINE_MAX_UPLOAD_BYTES
        try:
            with self._zip.open(self._entries[name]) as entry:
                data = entry.read(limit + 1)
        except (NotImplementedError, RuntimeError):
            raise EntryError("unsupported") from None
        except _BROKEN:
            raise EntryError("damaged") from None
        if len(data) > limit:
            raise EntryError("too_large")
        if data.startswith(b"PK\x03\x04"):
            raise EntryError("nested")
        return data

    def _sort_in(self, entry: zipfile.ZipInfo) -> None:
        name = _entry_name(entry)
        if name.endswith("/") or _is_litter(name):
            return
        code = _judge_entry(entry, name)
        person = person_of(name) if not code else ""
        code = code or ("" if person else _no_person(name))
        code = code or ("double" if name in self._entries else "")
        if code:
            self.refused.append(Refusal(shown(name), code, SENTENCES[code]))
            return
        self._entries[name] = entry
        self.people.setdefault(person, []).append(name)

    def _judge_total(self) -> None:
        if not self._entries:
            raise no_pictures(self.refused)
        limit = TOTAL_FACTOR * settings.SIGHTLINE_MAX_IMPORT_BYTES
        if sum(entry.file_size for entry in self._entries.values()) > limit:
            raise ImportRefused(
                "zip_bomb",
                f"More than {limit // MIB:,} MiB would come out of this ZIP; nothing was "
                "unpacked. Split it.",
                status=413,
            )


class FolderPictures:
    """The pictures in the folders of a folder.

    Args:
        root: The folder above those of the people.

    Raises:
        ImportRefused: ``no_pictures``.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.people: dict[str, list[str]] = {}
        self.refused: list[Refusal] = []
        for name, path in self._files():
            self._sort_in(name, path)
        if not self.people:
            raise no_pictures(self.refused)
        _put_in_order(self.people)

    def read(self, name: str) -> bytes:
        """Return a picture, no larger than one may be."""
        limit = settings.SIGHTLINE_MAX_UPLOAD_BYTES
        try:
            with (self._root / name).open("rb") as file:
                data = file.read(limit + 1)
        except OSError:
            raise EntryError("damaged") from None
        if len(data) > limit:
            raise EntryError("too_large")
        return data

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in self._root.rglob("*"):  # does not follow links to folders
            name = path.relative_to(self._root).as_posix()
            if path.is_symlink() or (path.is_file() and not _is_litter(name)):
                yield name, path

    def _sort_in(self, name: str, path: Path) -> None:
        person = person_of(name)
        code = "link" if path.is_symlink() else ("" if person else _no_person(name))
        if code:
            self.refused.append(Refusal(shown(name), code, SENTENCES[code]))
        else:
            self.people.setdefault(person, []).append(name)


def person_of(name: str) -> str:
    """Return whose picture an entry is: the folder in which it lies; "" for nobody."""
    folder = PurePosixPath(name).parent.name
    printable = "".join(
        char if char.isprintable() else " " for char in unicodedata.normalize("NFC", folder)
    )
    person = " ".join(printable.split())
    return person if len(person) <= LONGEST_NAME else ""


def shown(name: str) -> str:
    """Return the name of an entry as a person may see it."""
    line = "".join(char if char.isprintable() else "?" for char in name)
    return line if len(line) <= SHOWN else f"…{line[1 - SHOWN :]}"


def no_pictures(refused: list[Refusal]) -> ImportRefused:
    """Return what is said of a file in which nothing can be imported."""
    message = "There are no pictures in it. Put those of each person in a folder with their name."
    if refused:
        first = refused[0]
        message = f"No picture in it can be imported; {first.name}: {first.message}"
    return ImportRefused("no_pictures", message, status=422)


class _TooMuch(Exception):  # noqa: N818
    """More is to be read at once than a list of contents may weigh."""


class _Bounded:
    """A file of which no more is read at once than a list of contents may weigh.

    The library reads the whole list as one, whatever size the file claims for it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.limit: int | None = DIRECTORY_BYTES

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        if self.limit is None:
            return self._file.read(size)
        data = self._file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(data) > self.limit:
            raise _TooMuch
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _too_many() -> ImportRefused:
    return ImportRefused(
        "too_many_entries",
        f"The ZIP has too many files; import up to {MAX_ENTRIES:,} at once.",
        status=413,
    )


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry; without the flag for UTF-8 it may be that all the same."""
    name = entry.orig_filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")  # as old programs write it


def _is_litter(name: str) -> bool:
    """Tell whether a file is one that systems leave behind everywhere."""
    parts = PurePosixPath(name).parts
    hidden = bool(parts) and parts[-1].startswith(".")
    return hidden or "__MACOSX" in parts or (bool(parts) and parts[-1].lower() == "thumbs.db")


def _judge_entry(entry: zipfile.ZipInfo, name: str) -> str:
    """Return why an entry is not read, by what the list of contents says; "" for no reason."""
    mode = entry.external_attr >> 16
    if _leads_outside(name):
        return "outside"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "link"
    if entry.flag_bits & 0x41:  # encrypted, or strongly so
        return "encrypted"
    if entry.compress_type not in METHODS:
        return "unsupported"
    if entry.file_size > settings.SIGHTLINE_MAX_UPLOAD_BYTES:
        return "too_large"
    if entry.file_size > BOMB_BYTES and entry.file_size > BOMB_RATIO * entry.compress_size:
        return "zip_bomb"
    return ""


def _leads_outside(name: str) -> bool:
    windows = PureWindowsPath(name)
    absolute = name.startswith(("/", "\\")) or bool(windows.drive)
    return absolute or ".." in windows.parts or "\x00" in name


def _no_person(name: str) -> str:
    return "bad_name" if PurePosixPath(name).parent.name else "no_folder"


def _put_in_order(people: dict[str, list[str]]) -> None:
    ordered = {person: sorted(people[person]) for person in sorted(people)}
    people.clear()
    people.update(ordered)

"""What people type, as one clean line."""

from __future__ import annotations

from pathlib import PurePosixPath

from common.uploads.names import clean_name


def one_line(text: str) -> str:
    """Return the printable characters of a text on one line."""
    printable = "".join(char if char.isprintable() else " " for char in str(text))
    return " ".join(printable.split())


def stem_of(file_name: str) -> str:
    """Return what a file is called without its ending, at most 80 characters."""
    return PurePosixPath(clean_name(file_name)).stem.replace("_", " ")[:80].strip() or "Picture"

"""File names as people may see them: harmless in HTML, headers, terminals and archives."""

import unicodedata
from pathlib import PurePosixPath

MAX_LENGTH = 200
FALLBACK = "picture"
# Control, format (bidirectional overrides, zero-width), surrogate, private use, line breaks.
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
UNSAFE = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def clean_name(name: str, *, extension: str = "") -> str:
    """Return a displayable file name of at most 200 characters, without folders.

    Args:
        name: What the sender called the file; may be empty, a path, or hostile.
        extension: Used when nothing of the name is left, e.g. ".jpg".
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(
        char
        for char in unicodedata.normalize("NFC", last)
        if unicodedata.category(char) not in HIDDEN
    )
    shown = " ".join(shown.translate(UNSAFE).split()).strip(". ")
    if not shown:
        return FALLBACK + extension
    if len(shown) > MAX_LENGTH:
        suffix = PurePosixPath(shown).suffix[:20]
        shown = shown[: MAX_LENGTH - len(suffix)] + suffix
    return shown

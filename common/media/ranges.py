"""Byte ranges of RFC 9110, section 14."""

import re
from dataclasses import dataclass
from typing import Literal

_ONE_RANGE = re.compile(r"^bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$", re.IGNORECASE | re.ASCII)
_DIGITS = 19  # more cannot be a position in a file


@dataclass(frozen=True)
class ByteRange:
    """A part of a file: `start` and `stop` in bytes, `stop` exclusive; never empty."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Bytes in the range."""
        return self.stop - self.start


def parse_range(header: str, size: int) -> ByteRange | Literal["unsatisfiable"] | None:
    """Read a Range header against a file of `size` bytes.

    Returns:
        The part asked for, clipped to the file; "unsatisfiable" when it lies behind the end
        (to be answered with 416); None when the whole file is the right answer: no header,
        another unit, several ranges, or a malformed one.
    """
    match = _ONE_RANGE.match(header)
    if match is None:
        return None
    first, last = match.groups()
    if max(len(first), len(last)) > _DIGITS or not (first or last):
        return None
    if not first:  # the last n bytes
        length = min(int(last), size)
        return ByteRange(size - length, size) if length else "unsatisfiable"
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        return "unsatisfiable"
    return ByteRange(start, min(int(last) + 1, size) if last else size)

"""Records as comma-separated values for spreadsheets."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from vision.encoding.records import ObjectRecord

COLUMNS: Final = ("index", "class_id", "class", "confidence", "x", "y", "width", "height")

# A spreadsheet runs a cell that begins like this as a formula.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def records_to_csv(records: Iterable[ObjectRecord], *, image: str | None = None) -> str:
    """Return a header and one row per record (RFC 4180).

    Args:
        records: Rows, numbered from 0.
        image: Name of the picture; adds a first column with it.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    prefix = [] if image is None else [escape_cell(image)]
    writer.writerow([*(["image"] if image is not None else []), *COLUMNS])
    for index, record in enumerate(records):
        box = (record.x, record.y, record.width, record.height)
        writer.writerow(
            [
                *prefix,
                index,
                record.class_id,
                escape_cell(record.class_name),
                f"{record.confidence:.4f}",
                *(f"{value:.2f}" for value in box),
            ]
        )
    return stream.getvalue()


def escape_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before it."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text

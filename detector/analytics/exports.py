"""The tables behind the charts as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from detector.analytics.summary import Document
from detector.services.exports import ExportFile
from vision.encoding.csv import escape_cell

# Tables of the document and their columns, in the words of the API.
TABLES: Mapping[str, tuple[str, ...]] = {
    "classes": ("class", "objects", "sessions", "mean_confidence"),
    "timeline": ("from", "to", "sessions", "objects"),
    "confidence": ("from", "to", "objects"),
    "models": (
        *("model", "backend", "precision", "sessions", "objects", "objects_per_picture"),
        *("mean_confidence", "median_ms", "p95_ms"),
    ),
}


def export_table(document: Document, *, table: str) -> ExportFile:
    """Write one table of the document; ``table`` is a key of ``TABLES``."""
    columns = TABLES[table]
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in document[table])
    days = document["range"]
    # Spreadsheets take UTF-8 for the local code page without the mark.
    content = stream.getvalue().encode("utf-8-sig")
    name = f"analytics-{table}-{days['from']}-{days['to']}.csv"
    return ExportFile(content, "text/csv; charset=utf-8", name)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return escape_cell(value) if isinstance(value, str) else value

"""Query plans of both databases, to look for the index in."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.db.models import QuerySet


def analyze() -> None:
    """Let the database look at its tables, as it does by itself once they have grown."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def prefer_indexes() -> None:
    """Have the database go along an index wherever there is one, until the test is over."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A few thousand rows are read faster from front to back; a million are not. What is
            # to be seen is whether there is an index to go along.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")


def explain(rows: QuerySet[Any]) -> str:
    """The plan of a query."""
    return rows.explain()


def explain_sql(sql: str) -> str:
    """The plan of a statement that was captured."""
    words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{words} {sql}")
        return "\n".join(" ".join(str(value) for value in row) for row in cursor.fetchall())


def scans(plan: str, table: str) -> bool:
    """Whether a plan reads a whole table, from front to back and not along an index."""
    return re.search(rf"Seq Scan on {table}\b|SCAN {table}(?! USING)", plan) is not None

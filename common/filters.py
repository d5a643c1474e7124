"""Reading filters of lists from an address, the same way for pages and REST."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from common.dates import parse_moment


def plain_text(value: str, length: int) -> str:
    """Return what was typed without what a database refuses, at most `length` characters."""
    # PostgreSQL refuses NUL in a text.
    return value.replace("\x00", "").strip()[:length]


def read_moment(
    name: str, query: Mapping[str, str], wrong: dict[str, str], *, end: bool = False
) -> dt.datetime | None:
    """Return a filter's moment; None without one, and with a sentence in `wrong` for nonsense.

    Args:
        name: The filter, e.g. "from".
        query: The parameters of the address.
        wrong: Sentences by filter; added to.
        end: Whether a day means its end.
    """
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        return parse_moment(text, end=end)
    except ValueError:
        wrong[name] = f"{name} must be a date such as 2026-01-31."
        return None

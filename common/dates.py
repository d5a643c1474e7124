"""Days and moments as people write them in an address."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def parse_moment(text: str, *, end: bool = False) -> dt.datetime:
    """Return the moment that a day, or a moment in ISO 8601, names, in UTC.

    Args:
        text: E.g. "2026-01-31" or "2026-01-31T08:00:00+01:00"; without an offset, of our zone.
        end: Whether a day means its end, that is the beginning of the next.

    Raises:
        ValueError: It is neither.
    """
    try:
        day = parse_date(text)
        if day is not None:
            moment = dt.datetime.combine(day + dt.timedelta(days=int(end)), dt.time.min)
        else:
            found = parse_datetime(text)
            if found is None:
                raise ValueError("neither a day nor a moment")
            moment = found
        moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        # As the database keeps it: the first and the last day of time leave the calendar here.
        return moment.astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError("a moment outside the calendar") from error

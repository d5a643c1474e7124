"""Failed sign-ins: all of them count, few of them are lines.

A line cannot be changed afterwards, so the count is kept in the cache and a line is written when
it reaches 1, 10, 100, … tries by one network at one name within an hour. Who tries many names gets
twenty lines in that hour, and from then on one line whenever the sum of its tries reaches such a
number. A thousand failures are four lines for one name, and twenty-two for a thousand names.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from common.accounts.limits import key_of, network_of
from common.audit.models import AuditEntry
from common.audit.services import printable, write
from common.counting import count

WINDOW_SECONDS = 3600
LINES_PER_NETWORK = 20
LONGEST_NAME = 150


def note_failed_sign_in(*, request: HttpRequest | None, name: str) -> None:
    """Count a failure, and write a line when the count is worth one."""
    network = network_of(request)
    shown = printable(name, LONGEST_NAME)
    tries = count(key_of("audit.failed", network), WINDOW_SECONDS)
    of_name = count(key_of("audit.failed-name", network, shown.casefold()), WINDOW_SECONDS)
    if not is_milestone(of_name):
        return
    if count(key_of("audit.failed-lines", network), WINDOW_SECONDS) <= LINES_PER_NETWORK:
        _write(shown, {"tries": of_name})
    elif is_milestone(tries):
        _write(shown, {"tries": tries, "names": "many"})


def is_milestone(number: int) -> bool:
    """Tell whether this is 1, 10, 100, …"""
    return number >= 1 and set(str(number)[1:]) <= {"0"} and str(number)[0] == "1"


def _write(name: str, details: dict[str, int | str]) -> None:
    model = get_user_model()
    write(
        action=AuditEntry.Action.SIGN_IN_FAILED,
        object_type=model._meta.label_lower,
        object_name=name,
        details=details,
    )

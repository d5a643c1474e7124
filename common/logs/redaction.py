"""Takes secrets out of texts before they are written down.

Told by their surroundings (a header, a name before "=", an address with a password in it), by
their form (tokens), and by their value, for the secrets that this process was configured with.
Where it is not sure it takes too much away rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
SHORTEST_VALUE = 8  # a shorter configured secret would blank out ordinary words

# What the names of values contain that nobody may read: "csrf_token", "AWS_SECRET_ACCESS_KEY", …
_NAME = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret(?:[_-]?key)?|token|credentials?|signature|sessionid|session_key"
    r"|sightline_session|(?:api|access|private|field)[_-]?key)\d*"
)
# A text in quotes, whose quotes may have been quoted themselves (then backslashes stand before
# them); without an end, all of the line.
_QUOTED = r"""b?(?P<quote>\\*["'])(?:.*?(?<!\\)(?P=quote)|.*)"""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Headers: "Name: value", and as they look in a printed dict or list of pairs.
    (
        re.compile(
            r"(?i)((?:authorization|cookie|x-csrftoken|x-api-key)"
            rf"""\\*['"]?\s*[:=,]\s*)(?:{_QUOTED}|[^\r\n]+)"""
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b((?:bearer|basic|token)\s+)(?=\S*[\d+/=])[\w.~+/=-]{16,}"), rf"\1{HIDDEN}"),
    # scheme://user:password@host; a camera's password may hold anything but blanks. Bounded, or a
    # text of many such beginnings would take forever.
    (re.compile(r"""(://[^\s:/@'"]*:)\S{1,500}@"""), rf"\1{HIDDEN}@"),
    # name=value, "name": "value", ('name', 'value')
    (
        re.compile(rf"""(?i)({_NAME}(?:\\*['"]\s*,|\\*['"]?\s*[=:])\s*)(?:{_QUOTED}|\S+)"""),
        rf"\1{HIDDEN}",
    ),
    # Links from mails: who has one may set a password, or confirm an address.
    (re.compile(r"""(?i)(/(?:reset/key|confirm-email)/)[^\s/'"?#]+"""), rf"\1{HIDDEN}"),
    (re.compile(r"""(?i)(/reset/)(?!key/|done/)[^\s/'"?#]+/[^\s/'"?#]+"""), rf"\1{HIDDEN}"),
    # knox: 64 hexadecimal digits. The sum of a file looks the same, and says so.
    (re.compile(r"(?i)(?<!sha256[ :=])(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"), HIDDEN),
)
_SECRET_NAME = re.compile(rf"(?i){_NAME}$|authorization|cookie")


class Redactor:
    """Replaces secrets in texts.

    Args:
        values: Secrets known by value; short ones are left to the rules.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        long = sorted({value for value in values if len(value) >= SHORTEST_VALUE}, key=len)
        self._values = re.compile("|".join(map(re.escape, reversed(long)))) if long else None

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return text

    def redact_value(self, value: Any, name: str = "") -> Any:
        """Return a value that goes into JSON without secrets, also within lists and mappings.

        Args:
            value: Anything.
            name: What it is called: the value of a "password" is never shown.
        """
        if name and _SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, Mapping):
            return {
                self.redact(str(key)): self.redact_value(item, str(key))
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact_value(item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.redact(str(value))


def configured_secrets(settings: Any) -> list[str]:
    """Return the secrets that an installation is configured with."""
    found: list[Any] = [
        getattr(settings, name, "")
        for name in dir(settings)
        if name.isupper() and name.endswith(("SECRET_KEY", "FIELD_KEY", "PASSWORD", "SECRET"))
    ]
    found += getattr(settings, "SECRET_KEY_FALLBACKS", [])
    found += [database.get("PASSWORD") for database in settings.DATABASES.values()]
    for name in ("REDIS_URL", "DATABASE_URL", "CELERY_BROKER_URL"):
        password = urlsplit(str(getattr(settings, name, "") or "")).password or ""
        found += [password, unquote(password)]
    return [value for value in found if isinstance(value, str) and value]

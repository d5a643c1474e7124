"""Typed readers of environment variables; a wrong value stops the start with a sentence."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# The variables that exist: the readers below add the names they are asked for. Here stand those
# that are read late, only beside others, in other settings only, or by the tests.
KNOWN = {
    *("SIGHTLINE_ADMIN_PASSWORD", "SIGHTLINE_API_TOKEN"),
    *("SIGHTLINE_SSL_REDIRECT", "SIGHTLINE_HSTS_SECONDS"),
    *("SIGHTLINE_HSTS_SUBDOMAINS", "SIGHTLINE_HSTS_PRELOAD"),
    *("SIGHTLINE_S3_ENDPOINT", "SIGHTLINE_S3_REGION", "SIGHTLINE_S3_PREFIX"),
    *("SIGHTLINE_S3_ACCESS_KEY", "SIGHTLINE_S3_SECRET_KEY"),
    "SIGHTLINE_REQUIRE_ALL",
    # Of the example clients, which may run in the same shell.
    *("SIGHTLINE_URL", "SIGHTLINE_TOKEN"),
}
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def read_file(path: Path) -> None:
    """Set variables from a file of NAME=value lines; what is set already stays.

    Empty lines and lines that start with "#" are skipped; a value may stand in quotes.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        name, found, value = line.strip().partition("=")
        if found and not name.startswith("#"):
            value = value.strip()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            os.environ.setdefault(name.removeprefix("export ").strip(), value)


class BadVariable(ImproperlyConfigured):
    """A variable whose value cannot be used; printed as a system check is, without a traceback."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"(sightline.E001) {message}\n\tHINT: {hint}")


def text(name: str, default: str = "") -> str:
    """Return the variable, stripped, or `default` when it is unset or empty."""
    return _read(name).strip() or default


def flag(name: str, default: bool = False) -> bool:
    """Return a yes/no variable."""
    if name not in os.environ:
        KNOWN.add(name)
        return default
    value = _read(name).strip().lower()
    if value not in TRUE | FALSE:
        raise BadVariable(f"{name} is neither 1 nor 0: {value!r}", "Set it to 1 or to 0.")
    return value in TRUE


def whole(name: str, default: int, *, minimum: int = 1) -> int:
    """Return a whole number of at least `minimum`."""
    raw = text(name)
    if not raw:
        return default
    hint = f"Set it to a whole number from {minimum} on, or leave it out for {default}."
    try:
        value = int(raw)
    except ValueError:
        raise BadVariable(f"{name} is not a whole number: {raw!r}", hint) from None
    if value < minimum:
        raise BadVariable(f"{name} is less than {minimum}: {value}", hint)
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed values."""
    value = text(name, default)
    if value not in allowed:
        raise BadVariable(
            f"{name} has an unknown value: {value!r}", f"Set it to one of {', '.join(allowed)}."
        )
    return value


def items(name: str) -> list[str]:
    """Return a comma-separated variable as a list without empty entries."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def folder(name: str, default: Path | None = None) -> Path | None:
    """Return a folder as an absolute path, or `default`."""
    raw = text(name)
    return Path(raw).expanduser().resolve() if raw else default


def address(name: str, schemes: tuple[str, ...], example: str) -> str:
    """Return the address of a server, e.g. redis://host:6379/0, or an empty text."""
    value = text(name)
    try:
        scheme = urlsplit(value).scheme
        _ = urlsplit(value).port
    except ValueError:
        scheme = ""
    if value and scheme not in schemes:
        # Not the value: it may carry a password.
        raise BadVariable(
            f"{name} is no address that begins with {' or '.join(f'{one}://' for one in schemes)}",
            f"It looks like this: {example}",
        )
    return value


def _read(name: str) -> str:
    KNOWN.add(name)
    return os.environ.get(name, "")

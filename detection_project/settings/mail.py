"""One variable that says how mail is sent."""

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TIMEOUT_SECONDS = 10
NAME = "SIGHTLINE_MAIL_URL"
EXAMPLE = "smtp://user:password@mail.example.org:587"


def read_mail_url(url: str) -> dict[str, Any]:
    """Return Django's e-mail settings for an address; an empty one sends nothing.

    `smtps://` encrypts from the first byte (465). `smtp://` (587) begins in the open and, when
    there is a password to keep, goes on encrypted; `?starttls=1` or `?starttls=0` says otherwise.

    Raises:
        ImproperlyConfigured: The address is wrong; the sentence says how, without the password.
    """
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    parts, port = _split(url)
    encrypted = parts.scheme == "smtps"
    query = parse_qs(parts.query)
    starttls = query.pop("starttls", ["1" if parts.password and not encrypted else "0"])[-1]
    if query or starttls not in ("0", "1") or (encrypted and starttls == "1"):
        raise ImproperlyConfigured(f"{NAME} may end with ?starttls=1 or ?starttls=0 after smtp://")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (465 if encrypted else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": encrypted,
        "EMAIL_USE_TLS": starttls == "1",
        "EMAIL_TIMEOUT": TIMEOUT_SECONDS,
    }


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{NAME} must look like {EXAMPLE}") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
        raise ImproperlyConfigured(f"{NAME} must look like {EXAMPLE}")
    return parts, port


def read_sender(sender: str, mail: dict[str, Any]) -> str:
    """Return whom mail comes from: what was given, or the account it is sent with.

    Raises:
        ImproperlyConfigured: There is mail, and neither names an address.
    """
    sender = sender or mail.get("EMAIL_HOST_USER", "")
    if "EMAIL_HOST" in mail and "@" not in sender:
        raise ImproperlyConfigured("SIGHTLINE_MAIL_FROM must name the address that mail comes from")
    return sender

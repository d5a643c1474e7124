"""Which pages may open a WebSocket: those of this very origin, and those that are trusted.

A browser sends its cookies with every WebSocket, whoever's page opens it; the Origin header alone
tells whose page that is. The rule is the one by which Django judges the origin of a form.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier  # type: ignore[import-untyped]
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain


class SameOriginOnly:
    """ASGI middleware: refuses WebSockets of foreign pages, a foreign port included."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Pass on, or refuse with 403 before the handshake."""
        application = self.application if is_allowed_origin(scope) else WebsocketDenier()
        return await application(scope, receive, send)


def is_allowed_origin(scope: Any) -> bool:
    """Tell whether the page that opens this connection is ours, or one that is trusted."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    origin, host = headers.get(b"origin", ""), headers.get(b"host", "")
    # A name that somebody else's DNS gave this machine is no name of ours.
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    scheme = "https" if _is_secure(scope, headers) else "http"
    return origin == f"{scheme}://{host}" or any(
        _matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS
    )


def _is_secure(scope: Any, headers: dict[bytes, str]) -> bool:
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        given = headers.get(name.removeprefix("HTTP_").replace("_", "-").lower().encode(), "")
        return bool(given.split(",")[0].strip() == value)
    return scope.get("scheme") in ("wss", "https")


def _matches(origin: str, trusted: str) -> bool:
    if "*" not in trusted:
        return origin == trusted
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    scheme, _, pattern = trusted.partition("://")
    return found.scheme == scheme and is_same_domain(found.netloc, pattern.lstrip("*"))

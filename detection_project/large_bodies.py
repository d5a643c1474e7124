"""Asks who a caller is before a large body of theirs is read.

Django reads a request's body to its end, into memory or a temporary file, before a view can look
at it. Strangers would fill the disk; so a body over some megabytes has to come from somebody.
"""

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import parse_cookie
from knox.settings import knox_settings
from rest_framework.exceptions import APIException

from common.api.authentication import TokenAuthentication
from common.api.errors import DATABASE_ERRORS, MESSAGES, error_body
from detection_project.body_limit import announced_length, answer_early

logger = logging.getLogger(__name__)

STRANGERS_BYTES = 5 * 1024 * 1024


class LargeBodies:
    """ASGI middleware: answers 401 to a stranger with a body over 5 MiB, or of unknown length."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or refuse it."""
        try:
            refusal = None if await self.may_send(scope) else (401, "not_authenticated")
        except DATABASE_ERRORS as error:
            logger.warning("Whose large body this is cannot be asked: %s", error)
            refusal = (503, "database_unavailable")
        if refusal is None:
            await self.application(scope, receive, send)
        else:
            status, code = refusal
            await answer_early(receive, send, status, error_body(code, MESSAGES[code]))

    async def may_send(self, scope: Any) -> bool:
        """Tell whether the body is small, or its sender is known."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS") or settings.SIGHTLINE_OPEN_DETECT:
            return True
        length = announced_length(scope)
        if length is not None and length <= STRANGERS_BYTES:
            return True
        headers = dict(scope["headers"])
        return bool(await sync_to_async(is_known, thread_sensitive=True)(headers))


def is_known(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a token or a session of somebody stands in the headers."""
    prefix, _, token = headers.get(b"authorization", b"").partition(b" ")
    if prefix.lower() == knox_settings.AUTH_HEADER_PREFIX.lower().encode() and token:
        try:
            TokenAuthentication().authenticate_credentials(token.strip())
        except APIException:
            return False
        return True
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    return bool(key) and SESSION_KEY in SessionStore(key)

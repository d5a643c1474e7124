"""Asks who a caller is before a large body of theirs is read.

Django reads a request's body to its end, into memory or a temporary file, before a view can look
at it. Strangers would fill the disk; so a body over some megabytes has to come from somebody, a
video from somebody who may add one, and there must be room for it.
"""

import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.http import parse_cookie
from knox.settings import knox_settings
from rest_framework.exceptions import APIException

from common.accounts.roles import may_create
from common.api.authentication import TokenAuthentication
from common.api.errors import DATABASE_ERRORS, MESSAGES, error_body
from common.storage.disk import disk_space
from detection_project.body_limit import announced_length, answer_early

logger = logging.getLogger(__name__)

STRANGERS_BYTES = 5 * 1024 * 1024
OPEN_TO_ALL = ("/api/detect", "/api/segment")
COPIES = 3  # a body as it comes, the file in it, and the file where it is judged
Refusal = tuple[int, str, str]


class LargeBodies:
    """ASGI middleware for bodies over 5 MiB, or of unknown length.

    Answers 401 to strangers, 403 to who sends a video and may not add any, and 507 when a video
    has no room.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or refuse it."""
        try:
            refusal = await self.judge(scope)
        except DATABASE_ERRORS as error:
            logger.warning("Whose large body this is cannot be asked: %s", error)
            refusal = _refusal(503, "database_unavailable")
        if refusal is None:
            await self.application(scope, receive, send)
        else:
            status, code, message = refusal
            await answer_early(receive, send, status, error_body(code, message))

    async def judge(self, scope: Any) -> Refusal | None:
        """Return why the body is not read, or None."""
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        path = scope["path"]
        if settings.SIGHTLINE_OPEN_DETECT and path.startswith(OPEN_TO_ALL):
            return None
        length = announced_length(scope)
        if length is not None and length <= STRANGERS_BYTES:
            return None
        sender = await sync_to_async(find_sender, thread_sensitive=True)(dict(scope["headers"]))
        if sender is None:
            return _refusal(401, "not_authenticated")
        if path in settings.SIGHTLINE_VIDEO_PATHS:
            return await sync_to_async(_judge_video, thread_sensitive=True)(sender, length)
        return None


def find_sender(headers: dict[bytes, bytes]) -> Any | None:
    """Return the user whose token or session stands in the headers, or None."""
    prefix, _, token = headers.get(b"authorization", b"").partition(b" ")
    if prefix.lower() == knox_settings.AUTH_HEADER_PREFIX.lower().encode() and token:
        try:
            return TokenAuthentication().authenticate_credentials(token.strip())[0]
        except APIException:
            return None
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    user_id = SessionStore(key).get(SESSION_KEY) if key else None
    if user_id is None:
        return None
    return get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()


def _judge_video(sender: Any, length: int | None) -> Refusal | None:
    if not may_create(sender):
        return _refusal(403, "permission_denied")
    space = disk_space()
    needed = COPIES * (length if length is not None else settings.SIGHTLINE_MAX_VIDEO_BYTES)
    if space.free - needed < space.least:
        return 507, "disk_full", "The server has no room for a video of this size."
    return None


def _refusal(status: int, code: str) -> Refusal:
    return status, code, MESSAGES[code]

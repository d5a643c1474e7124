"""Refuses a body that is too long before it is read."""

import asyncio
import contextlib
import json
from typing import Any

from django.conf import settings

from common.api.errors import error_body
from common.metrics.registry import uploads_refused

DRAIN_SECONDS = 10.0
DRAIN_BYTES = 64 * 1024 * 1024
TOO_LONG = 413


class BodyTooLong(Exception):  # noqa: N818
    """More bytes came than may come; `more` when some are still to come."""

    def __init__(self, more: bool) -> None:
        super().__init__()
        self.more = more


class BodyLimit:
    """ASGI middleware: answers 413 when the body is longer than its path allows.

    A length that is announced is judged before the body is read; a body without one is cut off
    while it comes. The limits are `SIGHTLINE_BODY_LIMITS`, and
    that of a video where one is taken.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or refuse it."""
        limit = body_limit(scope["path"])
        announced = announced_length(scope)
        if announced is not None and announced > limit:
            await refuse(receive, send, limit)
            return
        if announced is not None:  # servers hold callers to the length that they announced
            await self.application(scope, receive, send)
            return

        received = 0

        async def counted() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLong(bool(message.get("more_body")))
            return message

        try:
            await self.application(scope, counted, send)
        except BodyTooLong as error:
            await refuse(receive, send, limit, more=error.more)


def body_limit(path: str) -> int:
    """Return how many bytes a request to this path may carry."""
    if path in settings.SIGHTLINE_VIDEO_PATHS:
        return int(settings.SIGHTLINE_MAX_VIDEO_BYTES) + settings.MIB
    for prefix, limit in settings.SIGHTLINE_BODY_LIMITS:
        if path.startswith(prefix):
            return int(limit)
    return 0


def announced_length(scope: Any) -> int | None:
    """Return the Content-Length, or None when there is none or it is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else None
    return None


async def refuse(receive: Any, send: Any, limit: int, *, more: bool = True) -> None:
    """Answer 413."""
    megabytes = limit / 1024 / 1024
    message = f"The request is larger than the {megabytes:.0f} MiB that this address takes."
    body = error_body("file_too_large", message)
    await answer_early(receive, send, TOO_LONG, body, more=more)


async def answer_early(
    receive: Any, send: Any, status: int, answer: dict[str, Any], *, more: bool = True
) -> None:
    """Answer before the body is read, then listen on for a while.

    Most callers read an answer only when they have sent everything, and see a broken connection
    instead when nobody listens to the end.
    """
    uploads_refused.labels(answer["error"]["code"]).inc()
    body = json.dumps(answer).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if more:
        with contextlib.suppress(TimeoutError):  # a caller this slow has had its answer for long
            await asyncio.wait_for(drain(receive), DRAIN_SECONDS)
    await send({"type": "http.response.body", "body": b""})


async def drain(receive: Any) -> None:
    """Read and forget the rest of a body, up to 64 MiB."""
    total = 0
    while total < DRAIN_BYTES:
        message = await receive()
        total += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return

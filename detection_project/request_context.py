"""What surrounds every request: its id, its line in the access log, its place in the metrics."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from common.logs.context import RequestContext, choose_request_id, enter_request, leave_request
from common.metrics.requests import observe_request, route_of

access = logging.getLogger("sightline.access")
HEADER = "X-Request-ID"
CALLER_HAS_GONE = 499


class Observed:
    """One request while it is answered."""

    def __init__(self, request: HttpRequest) -> None:
        # Whoever can reach us past the proxy could choose ids; a proxy that we trust passes on
        # its own.
        trusted = settings.SECURE_PROXY_SSL_HEADER is not None
        self.request = request
        self.request_id = choose_request_id(
            request.META.get("HTTP_X_REQUEST_ID") if trusted else None
        )
        self.began = time.perf_counter()

    def answered(self, response: HttpResponseBase) -> HttpResponseBase:
        """Note the answer, and give it the request's id."""
        response[HEADER] = self.request_id
        self.note(response.status_code, response.headers.get("Content-Length"))
        return response

    def note(self, status: int, length: str | None = None) -> None:
        """Count the request and write its line."""
        seconds = time.perf_counter() - self.began
        observe_request(self.request, status, seconds)
        if settings.SIGHTLINE_ACCESS_LOG:
            self.log(status, seconds, length)

    def log(self, status: int, seconds: float, length: str | None) -> None:
        """Write the access line; without the query, which may say what is looked for."""
        method, path, ms = self.request.method, self.request.path, round(seconds * 1e3, 1)
        fields = {
            "method": method,
            "path": path,
            "route": route_of(self.request),
            "status": status,
            "ms": ms,
            "bytes": int(length) if length and length.isdigit() else None,
        }
        access.info("%s %s %d %.1f ms", method, path, status, ms, extra=fields)


@contextmanager
def observed(request: HttpRequest) -> Iterator[Observed]:
    """Make this the current request; one whose caller has gone before the answer counts, too."""
    watch = Observed(request)
    token = enter_request(RequestContext(watch.request_id, request))
    try:
        yield watch
    except asyncio.CancelledError:
        watch.note(CALLER_HAS_GONE)
        raise
    finally:
        leave_request(token)


class RequestContextMiddleware:
    """The outermost middleware: it sees every request that has a complete head."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Answer one request."""
        if self.is_async:
            return self.acall(request)
        with observed(request) as watch:
            return watch.answered(self.get_response(request))

    async def acall(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request on the event loop."""
        with observed(request) as watch:
            return watch.answered(await self.get_response(request))

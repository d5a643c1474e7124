"""Django's middlewares without the thread hops.

`MiddlewareMixin` sends every `process_request` and `process_response` of an async request to a
thread, although most of them only read or write headers: about twenty hops a request. The classes
here run these steps on the event loop, and hop only where something touches the database, a
body or a password. Under a synchronous handler (the test client) they behave as Django's own.
"""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from csp.middleware import HEADER, CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.middleware import clickjacking, common, csrf, security
from django.utils.deprecation import MiddlewareMixin

# What the decorators of django-csp leave on a response.
SPECIAL_POLICY = ("_csp_exempt", "_csp_config", "_csp_update", "_csp_replace")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class InlineMixin:
    """Runs `process_request` and `process_response` on the event loop: they must not block."""

    get_response: Any

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or await self.get_response(request)
        if hasattr(self, "process_response"):
            if self.must_hop(request):
                hop = sync_to_async(self.process_response, thread_sensitive=True)
                response = await hop(request, response)
            else:
                response = self.process_response(request, response)
        return response

    def must_hop(self, request: HttpRequest) -> bool:
        """Tell whether `process_response` would block the loop."""
        return False


class SecurityMiddleware(InlineMixin, security.SecurityMiddleware):
    """HTTPS redirect and security headers."""


class SessionMiddleware(InlineMixin, sessions.SessionMiddleware):
    """Sessions; saving one is the only step that blocks."""

    def must_hop(self, request: HttpRequest) -> bool:
        return bool(request.session.modified or settings.SESSION_SAVE_EVERY_REQUEST)


class PermanentRedirect(HttpResponsePermanentRedirect):
    """A 308: the method and the body are kept, unlike with 301."""

    status_code = HTTPStatus.PERMANENT_REDIRECT


class CommonMiddleware(InlineMixin, common.CommonMiddleware):
    """Appends a missing slash; a POST stays a POST."""

    response_redirect_class = PermanentRedirect


class CsrfViewMiddleware(InlineMixin, csrf.CsrfViewMiddleware):
    """CSRF; only the check of an unsafe request reads a body."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        if self.async_mode:
            self.process_view = self.aprocess_view  # type: ignore[method-assign]

    async def aprocess_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> Any:
        """Judge on the loop what needs no body, and the rest in a thread."""
        check = super().process_view
        if request.method in SAFE_METHODS or getattr(callback, "csrf_exempt", False):
            return check(request, callback, callback_args, callback_kwargs)
        return await sync_to_async(check, thread_sensitive=True)(
            request, callback, callback_args, callback_kwargs
        )


class AuthenticationMiddleware(InlineMixin, auth.AuthenticationMiddleware):
    """Sets a lazy `request.user`."""


class MessageMiddleware(InlineMixin, messages.MessageMiddleware):
    """Messages for the next page; the session storage may read the session."""

    def must_hop(self, request: HttpRequest) -> bool:
        storage = getattr(request, "_messages", None)
        return storage is not None and (storage.used or storage.added_new)


class XFrameOptionsMiddleware(InlineMixin, clickjacking.XFrameOptionsMiddleware):
    """No framing."""


class RateLimitMiddleware(InlineMixin, MiddlewareMixin):
    """Says how many requests the caller has left, where a throttle has counted them."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the headers."""
        limit = getattr(request, "rate_limit", None)
        if limit is not None:
            for name, value in limit.headers().items():
                response[name] = value
        return response


class PolicyMiddleware(InlineMixin, CSPMiddleware):
    """Content-Security-Policy: strict everywhere, looser for the admin alone."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.built: dict[bool, str] = {}

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the header; it is built once for the responses that ask for nothing special."""
        special = any(hasattr(response, mark) for mark in SPECIAL_POLICY)
        if special or hasattr(request, "_csp_nonce") or HEADER in response:
            return super().process_response(request, response)
        kind = request.path_info.startswith("/admin/")
        if kind not in self.built:
            self.built[kind] = build_policy(**asdict(self.get_policy_parts(request, response)))
        response[HEADER] = self.built[kind]
        return response

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy of this response."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith("/admin/"):
            parts.replace = {**settings.SIGHTLINE_ADMIN_POLICY, **(parts.replace or {})}
        return parts

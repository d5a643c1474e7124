"""What Prometheus reads."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.accounts.roles import is_administrator
from common.api.negotiation import AnyNegotiation
from common.metrics.registry import registry
from common.metrics.state import state_registry

# Whatever stands before us may add one of these; then "from this machine" means the proxy alone.
PROXY_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
    "HTTP_VIA",
)


class MayReadMetrics(BasePermission):
    """Programs on this machine, and administrators."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Say whether the request may go on."""
        return is_direct_and_local(request) or is_administrator(request.user)


def is_direct_and_local(request: HttpRequest | Request) -> bool:
    """Tell whether the request comes from this machine, and through no proxy."""
    if any(header in request.META for header in PROXY_HEADERS):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a socket without addresses
        return False


class MetricsView(APIView):
    """All numbers, in Prometheus' text format."""

    permission_classes = [MayReadMetrics]
    throttle_classes = []
    content_negotiation_class = AnyNegotiation

    def permission_denied(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Answer 403 also to those who have not signed in: no form would help a program."""
        raise PermissionDenied

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the numbers."""
        text = generate_latest(registry) + generate_latest(state_registry)
        return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)

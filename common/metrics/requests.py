"""Counting requests: cheap enough for every one of them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from prometheus_client import Counter, Histogram

from common.metrics.registry import request_seconds, requests

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNMATCHED = "unmatched"

# What `labels()` finds anew each time, found once. As many entries as there are routes and
# statuses: neither is chosen by the caller.
_counters: dict[tuple[str, str, int], Counter] = {}
_histograms: dict[tuple[str, str], Histogram] = {}


def observe_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Count an answered request."""
    method = request.method if request.method in METHODS else "other"
    route = route_of(request)
    counter = _counters.get((method, route, status))
    if counter is None:
        counter = requests.labels(method, route, str(status))
        _counters[method, route, status] = counter
    histogram = _histograms.get((method, route))
    if histogram is None:
        histogram = _histograms[method, route] = request_seconds.labels(method, route)
    counter.inc()
    histogram.observe(seconds)


def route_of(request: HttpRequest) -> str:
    """Return the name of the route: addresses themselves are without number."""
    match = request.resolver_match
    if match is not None:
        return match.view_name or match.route or UNMATCHED
    return "static" if request.path_info.startswith(settings.STATIC_URL) else UNMATCHED

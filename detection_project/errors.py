"""Answers when no view has answered: JSON under /api/, a page elsewhere."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from common.api.errors import (
    DATABASE_ERRORS,
    MESSAGES,
    RETRY_SECONDS,
    database_unavailable_json,
    error_json,
)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/") or request.path_info == "/api"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    if _is_api(request):
        return error_json("bad_request", "The request could not be understood.", status=400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    if _is_api(request):
        return error_json("permission_denied", MESSAGES["permission_denied"], status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, also for an address under /api/ that does not exist."""
    if _is_api(request):
        return error_json("not_found", MESSAGES["not_found"], status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    """500, or 503 while the database is away; the log has the traceback."""
    if isinstance(sys.exc_info()[1], DATABASE_ERRORS):
        return _database_unavailable(request)
    if _is_api(request):
        message = "Something went wrong on the server; its log has the details."
        return error_json("internal_error", message, status=500)
    return defaults.server_error(request)


def _database_unavailable(request: HttpRequest) -> HttpResponse:
    # Without the request: what it knows of its user would have to be asked of the database.
    if _is_api(request) or request.headers.get("Accept", "").startswith("application/json"):
        return database_unavailable_json()
    response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response

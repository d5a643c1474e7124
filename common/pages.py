"""Who a page is for. Scripts that are not let in read why as JSON; people are led to sign in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from common.accounts.roles import is_administrator
from common.api.errors import MESSAGES, error_json
from common.errors import ServiceError
from common.uploads.errors import UploadRejected
from vision.errors import PictureError, VisionError

View = Callable[..., HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a script asks, which reads JSON, or a browser, which shows a page."""
    return request.headers.get("Accept", "").startswith("application/json")


def signed_in(view: View) -> View:
    """Only for people who are signed in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and wants_json(request):
            return error_json("not_authenticated", MESSAGES["not_authenticated"], status=401)
        return login_required(view)(request, *args, **kwargs)

    return inner


def administrators_only(view: View) -> View:
    """Only for administrators; others who are signed in get 403."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_administrator(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(inner)


def as_service_error(error: ServiceError | UploadRejected | VisionError) -> ServiceError:
    """Return what was refused as the one kind of error that pages know."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, UploadRejected):
        return ServiceError(error.code, error.message, status=error.status)
    status = 422 if isinstance(error, PictureError) else 503
    return ServiceError(error.code, error.message, status=status)

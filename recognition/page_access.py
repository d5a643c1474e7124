"""Who the pages of people are for, and how they refuse what services refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from common.accounts.roles import is_administrator, require_may_create
from common.api.errors import MESSAGES, error_json
from common.errors import ServiceError
from common.pages import as_service_error, signed_in, wants_json
from common.uploads.errors import UploadRejected
from vision.errors import VisionError

View = Callable[..., HttpResponseBase]
ADMINISTRATORS = "Only administrators may do this. Ask one of them."


def people_page(view: View) -> View:
    """Only for those who work with people: operators and administrators.

    What a service refuses is told to scripts in the errors' shape, and to people as a message.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            require_may_create(request.user)
            response = view(request, *args, **kwargs)
        except (ServiceError, UploadRejected, VisionError) as error:
            response = _refuse(request, as_service_error(error))
        except PermissionDenied:
            response = _refuse(request, ServiceError("permission_denied", "", status=403))
        patch_vary_headers(response, ["Accept", "HX-Target"])
        return response

    return signed_in(never_cache(inner))


def administrators_page(view: View) -> View:
    """As `people_page`, only for administrators."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_administrator(request.user):
            raise ServiceError("permission_denied", ADMINISTRATORS, status=403)
        return view(request, *args, **kwargs)

    return people_page(inner)


def media_of_people(view: View) -> View:
    """For pictures: only for people who are signed in; what they may not see is not there."""
    return signed_in(view)


def _refuse(request: HttpRequest, error: ServiceError) -> HttpResponse:
    if wants_json(request):
        message = error.message or MESSAGES["permission_denied"]
        answer = error_json(error.code, message, status=error.status, fields=error.fields)
        if error.retry_after is not None:
            answer["Retry-After"] = str(round(error.retry_after))
        return answer
    if error.status == 403:
        return render(request, "403.html", {"sentence": error.message}, status=403)
    if error.status == 404:
        raise Http404(error.message)
    messages.error(request, error.message)
    known = request.resolver_match.kwargs if request.resolver_match else {}
    person_id = known.get("person_id")
    return redirect("people:person", person_id) if person_id else redirect("people:list")

"""Who the pages of styles are for, and how they refuse what services refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers

from common.accounts.roles import require_may_create
from common.api.errors import MESSAGES, error_json
from common.errors import ServiceError
from common.pages import as_service_error, signed_in, wants_json
from common.uploads.errors import PictureRemoved, UploadRejected
from vision.errors import VisionError

View = Callable[..., HttpResponseBase]
# What a person did on a page of its own is answered on that page: name of the page, its argument.
PAGES = (("style_id", "styles:style"), ("restyling_id", "styles:result"))


def styles_page(view: View) -> View:
    """Only for people who are signed in.

    What a service refuses is told to scripts in the errors' shape, and to people as a message on
    the page that they came from.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except (ServiceError, UploadRejected, VisionError) as error:
            gone = isinstance(error, PictureRemoved)
            response = refuse(request, as_service_error(error), as_json=gone)
        except PermissionDenied:
            response = refuse(request, ServiceError("permission_denied", "", status=403))
        patch_vary_headers(response, ["Accept", "HX-Request"])
        return response

    return signed_in(inner)


def makers_page(view: View) -> View:
    """As `styles_page`, for those who may add and run things; who only looks gets 403."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        require_may_create(request.user)
        return view(request, *args, **kwargs)

    return styles_page(inner)


def by_script(request: HttpRequest) -> bool:
    """Tell whether a script of ours asks, also where it asks for a picture or a part of a page."""
    return wants_json(request) or request.headers.get("X-Requested-With") == "XMLHttpRequest"


def refuse(request: HttpRequest, error: ServiceError, *, as_json: bool = False) -> HttpResponse:
    """Answer what was refused.

    Args:
        request: What was asked.
        error: Why not.
        as_json: Also for a browser: what an <img> asked for is not led to a page.

    Raises:
        Http404: It is not there, and no script asks.
    """
    if as_json or by_script(request):
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
    match = request.resolver_match
    for argument, page in PAGES if request.method == "POST" and match else ():
        if match and argument in match.kwargs:
            return redirect(page, match.kwargs[argument])
    return redirect("styles:gallery")

"""The page of the browser's own camera."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.accounts.roles import require_may_create
from detector.forms import new_preset, options_config
from detector.views import page_view


@require_safe
@page_view
def webcam(request: HttpRequest) -> HttpResponse:
    """What this browser's camera sees, with boxes."""
    require_may_create(request.user)
    context = {"options_config": options_config(), "options_preset": new_preset()}
    return render(request, "webcam/webcam.html", context)

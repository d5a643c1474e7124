"""The gallery of people, and how somebody comes into it. A view reads, acts, and renders."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import ServiceError
from recognition.forms import PersonForm
from recognition.models import Profile
from recognition.page_access import people_page
from recognition.photo_judging import judge_photo
from recognition.presenting import ORDERS, card_of, read_filters
from recognition.selectors import open_reviews, search_profiles
from recognition.services.auditing import note_people_listed
from recognition.services.consent import current_text, record_consent
from recognition.services.profiles import create_profile

PAGE_SIZE = 48
SUGGESTIONS = 8


@require_safe
@people_page
def show_list(request: HttpRequest) -> HttpResponse:
    """Everybody who is known."""
    filters = read_filters(request.GET)
    rows = search_profiles(request.user, filters.q, filters.kind, order=filters.order)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "people": [(profile, card_of(profile)) for profile in page.object_list],
        "filters": filters,
        "kinds": Profile.Kind.choices,
        "orders": ORDERS,
        "waiting": open_reviews(request.user).count(),
    }
    note_people_listed(actor=request.user, count=len(page.object_list))
    part = request.headers.get("HX-Target") == "people-list"
    template = "people/_list.html" if part else "people/list.html"
    return render(request, template, context)


@require_safe
@people_page
def suggest(request: HttpRequest) -> HttpResponse:
    """The first people whom a few letters fit, for the fields in which somebody is chosen."""
    filters = read_filters(request.GET)
    rows = search_profiles(request.user, filters.q, filters.kind)
    left_out = request.GET.get("but", "")
    found = [card_of(profile) for profile in rows[: SUGGESTIONS + 1]]
    kept = [card for card in found if card["id"] != left_out][:SUGGESTIONS]
    return JsonResponse({"people": kept})


@require_http_methods(["GET", "HEAD", "POST"])
@people_page
def create(request: HttpRequest) -> HttpResponse:
    """Add somebody; their photos follow one by one, each judged by itself."""
    if request.method != "POST":
        form = PersonForm(initial={"kind": Profile.Kind.CUSTOMER})
        return render(request, "people/new.html", {"form": form, **photo_context()})
    form = PersonForm(request.POST)
    if not form.is_valid():
        message = "Something is missing or wrong."
        raise ServiceError("invalid", message, fields=form.errors_by_field())
    with transaction.atomic():
        profile = create_profile(actor=request.user, **form.values())
        if request.POST.get("consent") == "true":
            record_consent(actor=request.user, profile=profile)
    answer = card_of(profile) | {"samples": reverse("people:samples", args=[profile.pk])}
    return JsonResponse(answer, status=201)


@require_POST
@people_page
def judge(request: HttpRequest) -> HttpResponse:
    """Tell whether a photo, or a moment before the camera, is good enough; nothing is stored."""
    moment = request.POST.get("moment") == "true"
    data = sent_file(request, "picture")
    return JsonResponse(judge_photo(actor=request.user, data=data, moment=moment).as_data())


def sent_file(request: HttpRequest, name: str) -> bytes:
    """Return the bytes of a file that was sent.

    Raises:
        ServiceError: ``no_file``.
    """
    file = request.FILES.get(name)
    if file is None:
        raise ServiceError("no_file", "Choose a file.", fields={name: "Choose a file."})
    return bytes(file.read())


def photo_context() -> dict[str, Any]:
    """Return what the part of a page needs in which photos are chosen or taken."""
    return {
        "consent_text": current_text(),
        "photo_config": {
            "judge": reverse("people:judge"),
            "max_bytes": settings.SIGHTLINE_MAX_UPLOAD_BYTES,
        },
    }


def answer_done(message: str, **more: Any) -> HttpResponseBase:
    """Return what a script reads of something that was done."""
    return JsonResponse({"message": message, **more})

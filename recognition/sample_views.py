"""The faces of a person: added, deleted, moved to somebody else, split off."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from common.api.errors import error_body
from common.errors import ServiceError
from common.permissions import visible
from recognition.errors import EnrolmentError
from recognition.models import FaceSample, Profile
from recognition.page_access import people_page
from recognition.person_views import read_id
from recognition.presenting import card_of, shown_sample
from recognition.selectors import get_profile
from recognition.services.profiles import split_profile
from recognition.services.samples import delete_sample, enrol_picture, move_samples
from recognition.views import photo_context, sent_file

SOURCES = (FaceSample.Source.UPLOAD, FaceSample.Source.WEBCAM)


@require_safe
@people_page
def show_adding(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Choose photos of somebody, or take them."""
    profile = get_profile(request.user, person_id, "change")
    context = {"person": profile, "card": card_of(profile), **photo_context()}
    return render(request, "people/photos.html", context)


@require_POST
@people_page
def add(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Enrol one photo of somebody."""
    profile = get_profile(request.user, person_id, "change")
    source = request.POST.get("source", "")
    try:
        sample = enrol_picture(
            actor=request.user,
            profile=profile,
            data=sent_file(request, "picture"),
            source=source if source in SOURCES else FaceSample.Source.UPLOAD,
            confirm=request.POST.get("confirm") == "true",
        )
    except EnrolmentError as error:
        return _not_enrolled(request, error)
    shown = shown_sample(sample)
    return JsonResponse({"id": str(sample.pk), "url": shown.url}, status=201)


def _not_enrolled(request: HttpRequest, error: EnrolmentError) -> HttpResponse:
    """Say why, and whom the face shows or looks like already."""
    people = visible(request.user, Profile.objects.all())
    other = people.filter(pk=error.profile_id).first() if error.profile_id else None
    body = error_body(error.code, error.message, error.fields)
    body["error"]["person"] = card_of(other) if other is not None else None
    return JsonResponse(body, status=error.status)


@require_POST
@people_page
def delete(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Delete the chosen faces."""
    profile = get_profile(request.user, person_id, "change")
    chosen = _chosen(request, profile)
    for sample in chosen:
        delete_sample(actor=request.user, sample=sample)
    messages.success(request, f"{_counted(chosen)} deleted.")
    return redirect("people:person", profile.pk)


@require_POST
@people_page
def move(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Give the chosen faces to somebody else."""
    profile = get_profile(request.user, person_id, "change")
    target = get_profile(request.user, read_id(request, "target"), "change")
    chosen = _chosen(request, profile)
    move_samples(actor=request.user, samples=chosen, target=target)
    messages.success(request, f"{_counted(chosen)} moved to “{target.name}”.")
    return redirect("people:person", profile.pk)


@require_POST
@people_page
def split(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Make a person of their own out of the chosen faces."""
    profile = get_profile(request.user, person_id, "change")
    chosen = _chosen(request, profile)
    name = request.POST.get("name", "").strip()
    made = split_profile(actor=request.user, profile=profile, samples=chosen, name=name)
    messages.success(request, f"{_counted(chosen)} split off from “{profile.name}”.")
    return redirect("people:person", made.pk)


def _chosen(request: HttpRequest, profile: Profile) -> list[FaceSample]:
    ids = set()
    for text in request.POST.getlist("samples"):
        try:
            ids.add(UUID(text))
        except ValueError:
            continue
    chosen = list(profile.samples.filter(pk__in=ids))
    if not chosen:
        raise ServiceError("no_samples", "Choose at least one photo.")
    return chosen


def _counted(chosen: Sequence[FaceSample]) -> str:
    return "One photo is" if len(chosen) == 1 else f"{len(chosen)} photos are"

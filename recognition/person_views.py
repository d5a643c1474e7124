"""The page of a person: who they are, what they agreed to, and all that is done with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from common.errors import ServiceError
from common.people.registry import all_person_data
from recognition.forms import PersonForm, person_values
from recognition.models import Profile, ProfileMerge
from recognition.page_access import people_page
from recognition.presenting import card_of, shown_sample
from recognition.profile_panels import panels_of
from recognition.selectors import get_profile, profile_details
from recognition.services.auditing import note_person_viewed
from recognition.services.consent import record_consent, withdraw_consent
from recognition.services.profiles import merge_profiles, undo_merge, update_profile

CONFLICT = 409


@require_safe
@people_page
def show(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Somebody."""
    details = profile_details(request.user, person_id)
    profile = details.profile
    context = {
        "person": profile,
        "card": card_of(profile),
        "details": details,
        "samples": [shown_sample(sample) for sample in details.samples],
        "merges": [(merge, str(merge.source.get("name", ""))) for merge in details.merges],
        "panels": panels_of(request.user, profile),
    }
    note_person_viewed(actor=request.user, profile_id=profile.pk)
    return render(request, "people/person.html", context)


@require_http_methods(["GET", "POST"])
@people_page
def edit(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """The details, to be read or changed in their place; a conflict keeps what was typed."""
    profile = get_profile(request.user, person_id, "change")
    if request.method == "GET":
        form = PersonForm(initial=person_values(profile))
        return _show_details(request, profile, form, opened="open" in request.GET)
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _show_details(request, profile, form, opened=True)
    revision = form.cleaned_data["revision"]
    try:
        changed = update_profile(
            actor=request.user, profile=profile, revision=revision, **form.values()
        )
    except ServiceError as error:
        profile.refresh_from_db()
        conflict = error.status == CONFLICT
        if conflict:
            again = request.POST.copy()
            again["revision"] = str(profile.revision)
            form.data = again
        else:
            form.take(error)
        return _show_details(request, profile, form, opened=True, conflict=conflict)
    response = _show_details(request, changed, PersonForm(initial=person_values(changed)))
    response["HX-Trigger"] = "person-saved"
    return response


def _show_details(
    request: HttpRequest,
    profile: Profile,
    form: PersonForm,
    *,
    opened: bool = False,
    conflict: bool = False,
) -> HttpResponse:
    # Always 200: htmx shows nothing of an answer that is an error, and this one says what is wrong.
    context = {"person": profile, "form": form, "opened": opened, "conflict": conflict}
    return render(request, "people/_details.html", context)


@require_POST
@people_page
def consent(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Note that somebody agrees, or does not agree any more."""
    profile = get_profile(request.user, person_id, "change")
    if request.POST.get("given") == "true":
        record_consent(actor=request.user, profile=profile)
        messages.success(request, "The consent is recorded.")
    else:
        withdraw_consent(actor=request.user, profile=profile)
        messages.success(request, "The consent is withdrawn.")
    return redirect("people:person", profile.pk)


@require_POST
@people_page
def merge(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Make somebody else a part of this person."""
    target = get_profile(request.user, person_id, "change")
    source = get_profile(request.user, read_id(request, "source"), "change")
    name = source.name
    merge_profiles(actor=request.user, target=target, source=source)
    messages.success(request, f"“{name}” is a part of “{target.name}” now. It can be undone here.")
    return redirect("people:person", target.pk)


@require_POST
@people_page
def unmerge(request: HttpRequest, person_id: UUID, merge_id: UUID) -> HttpResponseBase:
    """Take two people apart again."""
    target = get_profile(request.user, person_id, "change")
    row = get_merge(target, merge_id)
    restored = undo_merge(actor=request.user, merge=row)
    messages.success(request, f"“{restored.name}” is a person of their own again.")
    return redirect("people:person", restored.pk)


def get_merge(target: Profile, merge_id: UUID) -> ProfileMerge:
    """Return a merge into a person.

    Raises:
        ServiceError: ``not_found``.
    """
    row = target.merges.filter(pk=merge_id).first()
    if row is None:
        raise ServiceError("not_found", "This merge is not there any more.", status=404)
    return row


def read_id(request: HttpRequest, name: str) -> UUID:
    """Return the id that was sent under a name.

    Raises:
        ServiceError: ``no_person``.
    """
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise ServiceError("no_person", "Choose a person.") from None


def what_goes(profile: Profile) -> list[dict[str, Any]]:
    """Return how much of what is erased with a person, for the question before it."""
    counts: dict[str, int] = {}
    for data in all_person_data():
        for name, count in data.remaining(profile.pk).items():
            counts[name] = counts.get(name, 0) + count
    return [{"what": name, "count": count} for name, count in counts.items() if count]

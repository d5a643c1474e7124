"""The pages of visits: who is here now, and who was."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.audit.models import AuditEntry
from common.audit.services import record
from common.media import PieceStream
from recognition.page_access import people_page
from recognition.person_views import read_id
from recognition.presenting import card_of
from recognition.selectors import get_profile, open_reviews
from recognition.services.auditing import note_people_listed, note_person_viewed
from recognition.services.consent import current_text
from video_analysis.retail.exports import csv_pieces
from video_analysis.retail.presenting import (
    in_words,
    mood_accuracy,
    mood_points,
    shown_visit,
)
from video_analysis.retail.selectors import (
    KINDS,
    areas_of,
    day_figures,
    get_visit,
    get_visitor,
    here_now,
    may_name,
    read_filters,
    search_visits,
)
from video_analysis.services.recognising.visitors import join_visitor, name_visitor

PAGE_SIZE = 50
FILTERS = ("area", "q", "kind", "from", "to", "person")


@require_safe
@people_page
def show_now(request: HttpRequest) -> HttpResponse:
    """Who is here; the part with the people asks again every five seconds."""
    now = timezone.now()
    areas = [
        (area, [shown_visit(visit, now=now) for visit in visits])
        for area, visits in here_now(request.user, moods=False)
    ]
    context: dict[str, Any] = {"areas": areas, "now": now}
    if request.headers.get("HX-Target") == "here-now":
        return render(request, "retail/_now.html", context)
    count = sum(len(people) for _, people in areas)
    note_people_listed(actor=request.user, count=count, what="who is here")
    context["waiting"] = open_reviews(request.user).count()
    context["consent_text"] = current_text()
    return render(request, "retail/now.html", context)


@require_safe
@people_page
def show_history(request: HttpRequest) -> HttpResponse:
    """Visits that match, the newest first."""
    filters, wrong = read_filters(request.GET)
    rows = search_visits(request.user, filters).defer("mood")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "visits": [shown_visit(visit) for visit in page.object_list],
        "filters": filters,
        "given": {name: request.GET.get(name, "") for name in FILTERS},
        "wrong": list(wrong.values()),
        "areas": areas_of(request.user),
        "kinds": KINDS,
    }
    note_people_listed(actor=request.user, count=len(page.object_list), what="visits")
    if request.headers.get("HX-Target") == "visit-list":
        return render(request, "retail/_history.html", context)
    context["waiting"] = open_reviews(request.user).count()
    return render(request, "retail/history.html", context)


@require_safe
@people_page
def show_days(request: HttpRequest) -> HttpResponse:
    """The figures of customers' visits per day."""
    filters, _ = read_filters(request.GET)
    figures = day_figures(request.user, area=filters.area)
    most = max((day.visits for day in figures), default=0)
    context = {
        "days": [
            (day, in_words(day.stay), in_words(day.waiting), day.visits / max(1, most))
            for day in figures
        ],
        "total": sum(day.visits for day in figures),
        "areas": areas_of(request.user),
        "filters": filters,
        "waiting": open_reviews(request.user).count(),
    }
    return render(request, "retail/days.html", context)


@require_safe
@people_page
def show_visit(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """One visit, with the moods during it."""
    visit = get_visit(request.user, visit_id)
    if visit.profile_id is not None:
        note_person_viewed(actor=request.user, profile_id=visit.profile_id, what="visit")
    context = {
        "shown": shown_visit(visit),
        "visit": visit,
        "points": mood_points(visit),
        "accuracy": mood_accuracy(),
        "may_name": may_name(request.user, visit),
        "consent_text": current_text(),
    }
    return render(request, "retail/visit.html", context)


@require_POST
@people_page
def name(request: HttpRequest, visitor_id: UUID) -> HttpResponse:
    """Say who a visitor without a name is: somebody new, or a person who is known."""
    visitor = get_visitor(request.user, visitor_id, "change")
    if request.POST.get("person"):
        known = get_profile(request.user, read_id(request, "person"), "change")
        profile = join_visitor(actor=request.user, visitor=visitor, profile=known)
    else:
        profile = name_visitor(
            actor=request.user,
            visitor=visitor,
            name=request.POST.get("name", ""),
            kind=request.POST.get("kind", ""),
            consent=request.POST.get("consent") == "true",
        )
    messages.success(request, f"{visitor} is {profile.name} from now on.")
    return JsonResponse({"person": card_of(profile)})


@require_safe
@people_page
def export(request: HttpRequest) -> HttpResponseBase:
    """All visits that match as CSV, and a line in the audit log."""
    if request.method == "HEAD":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    filters, _ = read_filters(request.GET)
    # Names of people stay out of the log: only which filters were set.
    record(
        action=AuditEntry.Action.EXPORTED,
        actor=request.user,
        details={
            "what": "visits",
            "format": "csv",
            "filters": [name for name in FILTERS if request.GET.get(name)],
        },
    )
    return PieceStream(
        csv_pieces(search_visits(request.user, filters)),
        media_type="text/csv; charset=utf-8",
        filename="visits.csv",
    )

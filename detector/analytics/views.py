"""The page of charts and its tables as files."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from detector.analytics.exports import TABLES, export_table
from detector.analytics.filters import OWNERS, RANGES, AnalyticsFilters, parse_filters
from detector.analytics.selectors import Reading, read_figures
from detector.analytics.summary import Document, summarise
from detector.analytics.tasks import refresh_soon
from detector.services.exports import file_response
from detector.views import page_view
from vision.weights.cards import COCO_CLASSES


@require_safe
@page_view
def analytics(request: HttpRequest) -> HttpResponse:
    """Charts over everything that one may see; htmx gets the charts alone."""
    filters = parse_filters(request.GET)
    reading, document = read_document(request.user, filters)
    context: dict[str, Any] = {
        "document": document,
        "filters": filters,
        "query": request.GET,
        "links": _links(filters, document),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "analytics/_charts.html", context)
    context |= {
        "ranges": RANGES,
        "owners": OWNERS,
        "model_choices": sorted(reading.models | {filters.model} - {""}),
        "class_choices": sorted({*COCO_CLASSES, *reading.classes, filters.class_name} - {""}),
    }
    return render(request, "analytics/analytics.html", context)


@require_safe
@page_view
def export(request: HttpRequest, table: str) -> HttpResponse:
    """One table as CSV, with the filters of the page."""
    if table not in TABLES:
        raise Http404
    _, document = read_document(request.user, parse_filters(request.GET))
    return file_response(export_table(document, table=table))


def _links(filters: AnalyticsFilters, document: Document) -> dict[str, str]:
    """Where a bar leads: the list of sessions, narrowed alike; what the bar stands for is added."""
    days = {"from": document["range"]["from"], "to": document["range"]["to"]}
    narrowed = {
        "status": "done",
        "owner": filters.owner,
        "model": filters.model,
        "class": filters.class_name,
        **days,
    }

    def link(*left_out: str) -> str:
        kept = {key: value for key, value in narrowed.items() if value and key not in left_out}
        return f"{reverse('detector:sessions')}?{urlencode(kept)}"

    return {
        "sessions": link(),
        "classes": f"{link('class')}&class=",
        "timeline": link("from", "to"),
        "models": f"{link('model')}&model=",
    }


def read_document(user: Any, filters: AnalyticsFilters) -> tuple[Reading, Document]:
    """Read and sum up; have days that had to be counted for it counted for good."""
    reading = read_figures(user, filters)
    if reading.uncounted:
        refresh_soon()
    return reading, summarise(reading, filters)

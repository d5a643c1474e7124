"""The page of the log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.audit.exports import CSVStream
from common.audit.models import AuditEntry
from common.audit.selectors import list_entries, parse_filters, read_page
from common.audit.sentences import origin_of, sentence_of
from common.audit.services import record
from common.pages import administrators_only

PAGE_SIZE = 50
NAMES = 200  # offered while somebody types
FILTERS = ("action", "person", "q", "from", "to")


@require_safe
@administrators_only
def log(request: HttpRequest) -> HttpResponse:
    """Show the newest lines that match, or those after a position."""
    filters, wrong = parse_filters(request.GET)
    after = request.GET.get("after", "")
    page, following = read_page(list_entries(filters), size=PAGE_SIZE, after=after)
    people = get_user_model().objects.order_by("username").values_list("username", flat=True)
    context = {
        "rows": [_row(entry) for entry in page],
        "following": following,
        "is_first": not after,
        "filters": filters,
        "given": {name: request.GET.get(name, "") for name in FILTERS},
        "wrong": list(wrong.values()),
        "actions": AuditEntry.Action.choices,
        "people": people[:NAMES],
    }
    return render(request, "audit/log.html", context)


@require_safe
@administrators_only
def export(request: HttpRequest) -> HttpResponseBase:
    """Answer with all lines that match as CSV, and write down that somebody took them."""
    filters, _ = parse_filters(request.GET)
    if request.method == "HEAD":
        return HttpResponse(content_type="text/csv; charset=utf-8")
    chosen = {name: request.GET[name][:200] for name in FILTERS if request.GET.get(name)}
    record(
        action=AuditEntry.Action.EXPORTED,
        actor=request.user,
        details={
            "what": "the audit log",
            "format": "csv",
            **({"filters": chosen} if chosen else {}),
        },
    )
    return CSVStream(filters)


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {"entry": entry, "sentence": sentence_of(entry), "origin": origin_of(entry)}

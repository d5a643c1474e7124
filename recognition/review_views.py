"""The queue of doubts: one face after the other, answered by a person.

Whoever looks at a doubt holds it for a while, so that two people at once see different ones. That
is only a courtesy: the service takes the first answer, and tells the second person so.
"""

from __future__ import annotations

from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from common.accounts.roles import Viewer
from common.errors import ServiceError
from common.permissions import visible
from recognition.forms import PersonForm
from recognition.models import FaceReview, Profile
from recognition.page_access import people_page
from recognition.person_views import read_id
from recognition.presenting import shown_review
from recognition.selectors import get_profile, open_reviews
from recognition.services.auditing import note_people_listed
from recognition.services.profiles import create_profile
from recognition.services.reviews import answer_review

HELD_SECONDS = 90
LOOKED_AT = 50  # of the queue: more people than that do not review at once


@require_safe
@people_page
def show(request: HttpRequest) -> HttpResponse:
    """The doubt that is next."""
    return _show_next(request, "people/reviews.html")


@require_POST
@people_page
def answer(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Take the answer to one doubt, and show the next."""
    said = request.POST.get("answer", "")
    review = visible(request.user, FaceReview.objects.all()).filter(pk=review_id).first()
    trouble = ""
    if said == "skip":
        _put_back(request, review_id)
    elif review is None:
        trouble = "This face is not there any more."
    else:
        try:
            _answer(request, review, said)
        except ServiceError as error:
            # Always 200: htmx shows nothing of an answer that is an error.
            trouble = error.message
    return _show_next(request, "people/_review.html", trouble=trouble, answered=not trouble)


def _answer(request: HttpRequest, review: FaceReview, said: str) -> None:
    with transaction.atomic():
        profile = _somebody(request) if said == "other" else None
        answer_review(actor=request.user, review=review, answer=said, profile=profile)


def _somebody(request: HttpRequest) -> Profile:
    if request.POST.get("person"):
        return get_profile(request.user, read_id(request, "person"), "change")
    form = PersonForm({"kind": Profile.Kind.CUSTOMER, "name": request.POST.get("name", "")})
    if not form.is_valid():
        raise ServiceError("no_person", "Choose a person, or give a name.")
    return create_profile(actor=request.user, **form.values())


def _show_next(
    request: HttpRequest, template: str, *, trouble: str = "", answered: bool = False
) -> HttpResponse:
    rows = open_reviews(request.user)
    waiting = rows.count()
    review = _take_next(request, list(rows[:LOOKED_AT]))
    if review is not None:
        note_people_listed(actor=request.user, count=1, what="reviews")
    context = {
        "shown": shown_review(review) if review is not None else None,
        "waiting": waiting,
        "trouble": trouble,
        "answered": answered,
    }
    return render(request, template, context)


def _take_next(request: HttpRequest, rows: list[FaceReview]) -> FaceReview | None:
    """Return the oldest that nobody else looks at, and those that were put back last."""
    put_back = set(cache.get(_skipped_key(request.user), ()))
    ordered = sorted(rows, key=lambda row: str(row.pk) in put_back)
    mine = str(request.user.pk)
    for row in ordered:
        key = f"people.review.{row.pk}"
        if cache.add(key, mine, HELD_SECONDS) or cache.get(key) == mine:
            cache.set(key, mine, HELD_SECONDS)
            return row
    return ordered[0] if ordered else None


def _put_back(request: HttpRequest, review_id: UUID) -> None:
    key = _skipped_key(request.user)
    skipped = [*cache.get(key, ()), str(review_id)]
    cache.set(key, skipped[-LOOKED_AT:], 10 * HELD_SECONDS)
    cache.delete(f"people.review.{review_id}")


def _skipped_key(user: Viewer) -> str:
    return f"people.skipped.{user.pk}"

"""Reading people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from common.permissions import Verb, get_visible_or_404, visible
from common.permissions.rules import Viewer
from recognition.models import (
    Consent,
    ConsentText,
    FaceReview,
    FaceSample,
    Profile,
    ProfileMerge,
)
from recognition.services.consent import current_text

ORDERS: Final = {
    "name": ("name", "pk"),
    "newest": ("-created_at", "pk"),
    "last-visit": (F("last_visit_at").desc(nulls_last=True), "name", "pk"),
    "visits": ("-visit_count", "name", "pk"),
}
"""By what people may be sorted."""


@dataclass(frozen=True)
class ProfileDetails:
    """All that this app knows of a person.

    Attributes:
        profile: The person.
        samples: Their faces, the newest first, without embeddings.
        consents: What they have agreed to, the newest first.
        consent: The agreement that holds; None for none.
        current_text: What people agree to now; None before the first version.
        merges: Profiles that became part of this one and can be taken out again, newest first.
        negatives: How many faces were said not to be them.
        reviews: How many open questions about them the user may answer.
    """

    profile: Profile
    samples: list[FaceSample]
    consents: list[Consent]
    consent: Consent | None
    current_text: ConsentText | None
    merges: list[ProfileMerge]
    negatives: int
    reviews: int


def search_profiles(
    user: Viewer, query: str = "", kind: str = "", *, order: str = "name"
) -> QuerySet[Profile]:
    """Return the people whose name or e-mail address contains something.

    Each has ``sample_count``, and ``consented``: whether they have agreed.

    Args:
        user: Who asks.
        query: Empty for everybody.
        kind: "customer", "staff", or empty for both.
        order: Of `ORDERS`.
    """
    found = visible(user, Profile.objects.all())
    for word in query.replace("\x00", "").split():
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    if kind:
        found = found.filter(kind=kind)
    agreed = Consent.objects.filter(profile=OuterRef("pk"), withdrawn_at=None)
    return found.annotate(
        sample_count=Count("samples", distinct=True), consented=Exists(agreed)
    ).order_by(*ORDERS.get(order, ORDERS["name"]))


def get_profile(user: Viewer, profile_id: UUID, verb: Verb = "view") -> Profile:
    """Return a person to do `verb` to them.

    Raises:
        Http404: There is none, or the user may see nobody.
        PermissionDenied: They may see them, but not do that.
    """
    return get_visible_or_404(user, Profile.objects.all(), verb=verb, pk=profile_id)


def get_sample(user: Viewer, sample_id: UUID, verb: Verb = "view") -> FaceSample:
    """Return a sample with its person, to do `verb` to it.

    Raises:
        Http404: There is none, or the user may see nobody.
        PermissionDenied: They may see it, but not do that.
    """
    rows = FaceSample.objects.select_related("profile").defer("embedding")
    return get_visible_or_404(user, rows, verb=verb, pk=sample_id)


def get_review(user: Viewer, review_id: UUID, verb: Verb = "view") -> FaceReview:
    """Return a review with the people in it, to do `verb` to it.

    Raises:
        Http404: There is none, or the user may see nobody.
        PermissionDenied: They may see it, but not do that.
    """
    rows = FaceReview.objects.select_related("candidate", "runner_up", "answer")
    return get_visible_or_404(user, rows, verb=verb, pk=review_id)


def profile_details(user: Viewer, profile_id: UUID) -> ProfileDetails:
    """Return all that this app knows of a person.

    Raises:
        Http404: There is none, or the user may see nobody.
    """
    profile = get_profile(user, profile_id)
    consents = list(profile.consents.select_related("text"))
    return ProfileDetails(
        profile=profile,
        samples=list(profile.samples.defer("embedding").order_by("-created_at", "-pk")),
        consents=consents,
        consent=next((one for one in consents if one.withdrawn_at is None), None),
        current_text=current_text(),
        merges=list(profile.merges.filter(undone_at=None)),
        negatives=profile.negatives.count(),
        reviews=open_reviews(user).filter(candidate=profile).count(),
    )


def open_reviews(user: Viewer) -> QuerySet[FaceReview]:
    """Return what waits for an answer, the oldest first, with the people in question."""
    waiting = FaceReview.objects.filter(state=FaceReview.State.OPEN)
    return visible(user, waiting.select_related("candidate", "runner_up")).order_by(
        "created_at", "pk"
    )

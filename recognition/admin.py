"""People in the admin: to find and to look at. They are changed on their own pages.

Embeddings and pictures are not shown; who changes something there has it judged, noted in the audit
log and told to all processes, none of which a form of the admin would do. Looking is noted, too.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from common.admin import ReadOnlyAdmin
from common.permissions import visible
from recognition.models import (
    Consent,
    ConsentText,
    ErasureReport,
    FaceReview,
    FaceSample,
    PrivacySettings,
    Profile,
    ProfileMerge,
)
from recognition.services.auditing import note_people_listed, note_person_viewed

REVIEW_LABELS = {
    "open": "info",
    "confirmed": "success",
    "reassigned": "warning",
    "rejected": "default",
}


class PeopleAdmin(ReadOnlyAdmin):
    """Rows about people: each page of a list, and each row that is opened, is a line of the log."""

    listed = "people"
    person_column = "profile_id"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """List rows, and note how many were shown."""
        answer = super().changelist_view(request, extra_context)
        shown = _shown(answer).get("cl")
        if shown is not None:
            what = f"{self.listed} in the administration"
            note_people_listed(actor=request.user, count=len(shown.result_list), what=what)
        return answer

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show a row, and note whose it is."""
        answer = super().change_view(request, object_id, form_url, extra_context)
        row = _shown(answer).get("original")
        if row is not None:
            person: UUID = getattr(row, self.person_column)
            what = str(self.opts.verbose_name)
            note_person_viewed(actor=request.user, profile_id=person, what=what)
        return answer


def _shown(answer: Any) -> dict[str, Any]:
    """Return what a page of the admin is made of; nothing of an answer that is no page."""
    return getattr(answer, "context_data", None) or {}


@admin.register(Profile)
class ProfileAdmin(PeopleAdmin):
    """Who is known."""

    person_column = "id"
    list_display = ("name", "kind", "faces", "visit_count", "last_visit_at", "created_at", "page")
    list_filter = ("kind", ("created_at", RangeDateTimeFilter))
    search_fields = ("name", "email", "id__startswith")
    ordering = ("name", "id")
    exclude = ("photo",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of samples."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(sample_count=Count("samples"))

    @display(description="samples", ordering="sample_count")
    def faces(self, profile: Any) -> int:
        """How many faces they are known by."""
        return int(profile.sample_count)

    @display(description="page")
    def page(self, profile: Profile) -> str:
        """Where they are changed."""
        try:
            address = reverse("people:person", args=[profile.pk])
        except NoReverseMatch:
            return ""
        return format_html('<a href="{}">Open</a>', address)


@admin.register(FaceSample)
class FaceSampleAdmin(PeopleAdmin):
    """Faces that people are known by: what is known about them, never the faces themselves."""

    listed = "samples"
    list_display = ("id", "profile", "source", "model", "created_by", "created_at")
    list_filter = ("source", "model", ("created_at", RangeDateTimeFilter))
    list_select_related = ("profile", "created_by")
    search_fields = ("id__startswith", "profile__name", "picture_sha256__startswith")
    exclude = ("embedding", "crop")


@admin.register(Consent)
class ConsentAdmin(PeopleAdmin):
    """Who has agreed, and who does not any more."""

    listed = "consents"
    list_display = ("profile", "text", "given_at", "recorded_by_name", "withdrawn_at")
    list_filter = ("text", ("given_at", RangeDateTimeFilter))
    list_select_related = ("profile", "text")
    search_fields = ("profile__name", "recorded_by_name")
    ordering = ("-given_at", "-id")


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    """What people agree to, in all its versions."""

    list_display = ("version", "created_by", "created_at")
    list_select_related = ("created_by",)
    ordering = ("-version",)


@admin.register(FaceReview)
class FaceReviewAdmin(PeopleAdmin):
    """Matches that a person decides, and that the administrator may see."""

    listed = "reviews"
    person_column = "candidate_id"
    list_display = ("id", "state_label", "candidate", "origin", "place", "answered_by", "seen_at")
    list_filter = ("state", "origin", ("created_at", RangeDateTimeFilter))
    list_select_related = ("candidate", "answered_by")
    search_fields = ("candidate__name", "place", "origin_id__startswith")
    exclude = ("embedding", "crop")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceReview]:
        """List only what the administrator may see elsewhere: places name others' files."""
        return visible(request.user, super().get_queryset(request))

    @display(description="state", ordering="state", label=REVIEW_LABELS)
    def state_label(self, review: FaceReview) -> tuple[str, str]:
        """In colour."""
        return review.state, review.get_state_display()


@admin.register(ProfileMerge)
class ProfileMergeAdmin(PeopleAdmin):
    """Profiles that became part of others."""

    listed = "merges"
    person_column = "target_id"
    list_display = ("source_id", "target", "merged_by", "merged_at", "undone_at")
    list_select_related = ("target", "merged_by")
    search_fields = ("source_id__startswith", "target__name")
    ordering = ("-merged_at", "-id")
    exclude = ("source",)


@admin.register(ErasureReport)
class ErasureReportAdmin(ReadOnlyAdmin):
    """What was forgotten."""

    list_display = ("subject", "reason", "erased_by_name", "started_at", "finished_at")
    list_filter = ("reason", ("started_at", RangeDateTimeFilter))
    search_fields = ("subject__startswith", "erased_by_name")
    ordering = ("-started_at", "-id")


@admin.register(PrivacySettings)
class PrivacySettingsAdmin(ReadOnlyAdmin):
    """What may be done with faces; it is changed on the page of the privacy settings."""

    list_display = ("__str__", "recognise_uploads", "uploads_need_consent", "sighting_days")
    list_display_links = None
    ordering = ("pk",)

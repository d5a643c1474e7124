"""Videos in the admin: to find and look at. They are renamed and deleted as sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from common.admin import JOB_LABELS, ReadOnlyAdmin
from detector.models import DetectionSession
from video_analysis.models import VideoAnalysis
from video_analysis.services.options import TASKS


@admin.register(VideoAnalysis)
class VideoAnalysisAdmin(ReadOnlyAdmin):
    """Analyses of all users."""

    list_display = ("name", "owner", "state", "asked", "length", "size", "tracks", "created")
    list_filter = ("session__job__state", "tracking", "motion", "activity", "faces", "tracker")
    list_select_related = ("session__owner", "session__job")
    search_fields = ("session__name", "session__owner__username")
    search_help_text = "A name, an owner, or the id of a session"
    ordering = ("-session__created_at", "-session")
    exclude = ("annotated", "snapshots", "heat")

    @display(description="name", ordering="session__name")
    def name(self, video: VideoAnalysis) -> str:
        """The session's."""
        return video.session.name

    @display(description="owner", ordering="session__owner")
    def owner(self, video: VideoAnalysis) -> str:
        """Whose it is."""
        return str(video.session.owner)

    @display(description="status", ordering="session__job__state", label=JOB_LABELS)
    def state(self, video: VideoAnalysis) -> tuple[str, str]:
        """The job's state, in colour."""
        status = video.session.status
        return status, DetectionSession.Status(status).label

    @display(description="looks for")
    def asked(self, video: VideoAnalysis) -> str:
        """What was asked for."""
        return ", ".join(task for task in TASKS if getattr(video, task))

    @display(description="seconds", ordering="duration")
    def length(self, video: VideoAnalysis) -> str:
        """How long it is."""
        return f"{video.duration:.1f}"

    @display(description="picture")
    def size(self, video: VideoAnalysis) -> str:
        """Width and height in pixels."""
        return f"{video.width} × {video.height}"  # noqa: RUF001

    @display(description="tracks", ordering="session__object_count")
    def tracks(self, video: VideoAnalysis) -> int:
        """How many there are."""
        return video.session.object_count

    @display(description="created at", ordering="session__created_at")
    def created(self, video: VideoAnalysis) -> Any:
        """When it was asked for."""
        return video.session.created_at

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id, too: what an address in the browser shows."""
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            found: tuple[QuerySet[Any], bool] = super().get_search_results(
                request, queryset, search_term
            )
            return found

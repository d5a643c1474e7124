"""Areas and cameras in the admin: to find and to look at. They are set up on their own pages.

Credentials are not shown, not even encrypted; who changes something there has it judged, noted in
the audit log and told to the runners, none of which a form of the admin would do.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.decorators import display

from common.admin import ReadOnlyAdmin
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone

STATE_LABELS = {
    "live": "success",
    "connecting": "info",
    "waiting": "default",
    "lost": "warning",
    "refused": "danger",
}
NOTHING = "–"  # noqa: RUF001 - a dash for what there is none of


@admin.register(Area)
class AreaAdmin(ReadOnlyAdmin):
    """Parts of the premises."""

    list_display = ("name", "recognise", "consent_required", "group_unknown", "mood", "cameras")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of cameras."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(camera_count=Count("cameras"))

    @display(description="cameras", ordering="camera_count")
    def cameras(self, area: Any) -> int:
        """How many there are in it."""
        return int(area.camera_count)


@admin.register(Camera)
class CameraAdmin(ReadOnlyAdmin):
    """All cameras, with how they do."""

    list_display = ("name", "area", "address", "enabled", "state_label", "reason", "page")
    list_filter = ("enabled", "area", "people_only", "hide_people", "faces")
    list_select_related = ("area", "state")
    search_fields = ("name", "area__name", "address")
    ordering = ("name",)
    exclude = ("credentials",)

    @display(description="state", label=STATE_LABELS)
    def state_label(self, camera: Camera) -> tuple[str, str]:
        """In colour."""
        if not camera.enabled:
            return "waiting", "Off"
        state: Any = getattr(camera, "state", None)
        return (state.state, state.get_state_display()) if state else ("waiting", "Waiting")

    @display(description="why")
    def reason(self, camera: Camera) -> str:
        """What the runner says."""
        state: Any = getattr(camera, "state", None)
        return (state.reason if state and camera.enabled else "") or NOTHING

    @display(description="set up")
    def page(self, camera: Camera) -> str:
        """Where it is changed."""
        try:
            address = reverse("cameras:edit", args=[camera.pk])
        except NoReverseMatch:
            return ""
        return format_html('<a href="{}">Change</a>', address)


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin):
    """Zones of all cameras."""

    list_display = ("name", "camera", "threshold_sec", "corners")
    list_select_related = ("camera",)
    search_fields = ("name", "camera__name")
    ordering = ("camera__name", "name")

    @display(description="corners")
    def corners(self, zone: Zone) -> int:
        """How many points it has."""
        return len(zone.polygon)


@admin.register(CountingLine)
class CountingLineAdmin(ReadOnlyAdmin):
    """Counting lines of all cameras."""

    list_display = ("name", "camera", "forward", "backward")
    list_select_related = ("camera",)
    search_fields = ("name", "camera__name")
    ordering = ("camera__name", "name")

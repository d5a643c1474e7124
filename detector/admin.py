"""Sessions and objects in the admin: to find and look at, not to edit results."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from detector.models import DetectedObject, DetectionSession
from detector.services.sessions import delete_session


@admin.register(DetectionSession)
class DetectionSessionAdmin(ModelAdmin):  # type: ignore[misc]
    """Sessions of all users; deleting one deletes its objects, job and last picture too."""

    list_display = ("name", "owner", "state", "task", "model", "object_count", "created_at")
    list_filter = ("task", "source", "model", "job__state", "created_at")
    list_select_related = ("owner", "job")
    search_fields = ("name", "owner__username", "id")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="status", ordering="job__state")
    def state(self, session: DetectionSession) -> str:
        """The job's state."""
        return DetectionSession.Status(session.status).label

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything but the name."""
        return [field.name for field in DetectionSession._meta.fields if field.name != "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A session is made by a picture, not by a form."""
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Deleting a session deletes its objects, which nobody may delete one by one."""
        listed, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        forbidden.discard(DetectedObject._meta.verbose_name)
        return listed, counts, forbidden, protected

    def delete_model(self, request: HttpRequest, obj: DetectionSession) -> None:
        """Delete as the service does, files included."""
        delete_session(session=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DetectionSession]) -> None:
        """Delete as the service does, files included."""
        for session in queryset.select_related("job"):
            delete_session(session=session)


@admin.register(DetectedObject)
class DetectedObjectAdmin(ModelAdmin):  # type: ignore[misc]
    """Objects of all sessions, to look at."""

    list_display = ("class_name", "share", "session", "size", "place")
    list_filter = ("class_name",)
    list_select_related = ("session",)
    search_fields = ("class_name", "session__name")
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="confidence", ordering="confidence")
    def share(self, found: DetectedObject) -> str:
        """In whole percent, as the result page shows it."""
        return f"{found.confidence:.0%}"

    @admin.display(description="size")
    def size(self, found: DetectedObject) -> str:
        """Width and height in pixels."""
        return f"{found.width:.0f} × {found.height:.0f}"  # noqa: RUF001

    @admin.display(description="left, top")
    def place(self, found: DetectedObject) -> str:
        """Where its box begins, in pixels."""
        return f"{found.x:.0f}, {found.y:.0f}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Objects are found, not typed in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A result is not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An object goes with its session."""
        return False

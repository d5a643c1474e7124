"""Sessions and objects in the admin: to find and look at, not to edit results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from common.admin import JOB_LABELS, ListAdmin, ReadOnlyAdmin
from detector.models import DetectedObject, DetectionSession
from detector.services.sessions import delete_session
from vision.weights.cards import CARDS, COCO_CLASSES


class ModelFilter(admin.SimpleListFilter):
    """The models that there are; looking them up among all sessions would read every one."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Every card, and what stands in for them."""
        return [(name, name) for name in (*CARDS, "opencv-fallback")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that this model answered."""
        return queryset.filter(model=self.value()) if self.value() else queryset


class ClassFilter(admin.SimpleListFilter):
    """The classes that there are."""

    title = "class"
    parameter_name = "class"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Those of COCO."""
        return [(name, name) for name in sorted(COCO_CLASSES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Objects of this class."""
        return queryset.filter(class_name=self.value()) if self.value() else queryset


@admin.register(DetectionSession)
class DetectionSessionAdmin(ListAdmin):
    """Sessions of all users; deleting one deletes its objects, job and last picture too."""

    list_display = ("name", "owner", "state", "task", "model", "object_count", "created_at")
    list_filter = (
        *("job__state", "task", "source", ModelFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("owner", "job")
    search_fields = ("name", "owner__username", "id__startswith")

    @display(description="status", ordering="job__state", label=JOB_LABELS)
    def state(self, session: DetectionSession) -> tuple[str, str]:
        """The job's state, in colour."""
        return session.status, DetectionSession.Status(session.status).label

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything but the name."""
        return [field.name for field in DetectionSession._meta.fields if field.name != "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A session is made by a picture, not by a form."""
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the sessions; their objects are too many to be listed, and go along."""
        rows = list(objs)
        objects = sum(session.object_count for session in rows)
        listed = [f"{session.name} of {session.owner}" for session in rows]
        return listed, {"sessions": len(rows), "objects": objects}, set(), []

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[DetectionSession]) -> None:
        """The service writes it down, with whose it was."""

    def delete_model(self, request: HttpRequest, obj: DetectionSession) -> None:
        """Delete as the service does, files included."""
        delete_session(session=obj, user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DetectionSession]) -> None:
        """Delete as the service does, files included."""
        # In one order, so that two who delete the same ones wait for each other and not for ever.
        for session in queryset.select_related("job", "owner").order_by("upload_id", "pk"):
            delete_session(session=session, user=request.user)


@admin.register(DetectedObject)
class DetectedObjectAdmin(ReadOnlyAdmin):
    """Objects of all sessions, to look at."""

    list_display = ("class_name", "share", "session", "size", "place")
    list_filter = (ClassFilter,)
    list_select_related = ("session",)
    search_fields = ("class_name",)
    search_help_text = "A class, or the id of a session"
    ordering = ("-id",)

    @display(description="confidence", ordering="confidence")
    def share(self, found: DetectedObject) -> str:
        """In whole percent, as the result page shows it."""
        return f"{found.confidence:.0%}"

    @display(description="size")
    def size(self, found: DetectedObject) -> str:
        """Width and height in pixels."""
        return f"{found.width:.0f} × {found.height:.0f}"  # noqa: RUF001

    @display(description="left, top")
    def place(self, found: DetectedObject) -> str:
        """Where its box begins, in pixels."""
        return f"{found.x:.0f}, {found.y:.0f}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By what an index answers: among millions, nothing else ends in time."""
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        try:
            return queryset.filter(session=UUID(term)), False
        except ValueError:
            return queryset.filter(class_name=term), False

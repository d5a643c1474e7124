"""Styles and what was painted in them, in the admin: to find, to look at and to take away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from common.admin import JOB_LABELS, ListAdmin
from styletransfer.models import Restyling, Style
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.styles import delete_style

CHANGED_HERE = ("name", "description", "is_public")


class OriginFilter(admin.SimpleListFilter):
    """Whether people have added a style, or it came with Sightline, and how it paints."""

    title = "origin"
    parameter_name = "origin"
    CHOICES: dict[str, tuple[str, Q]] = {
        "added": ("Added by people", Q(key="")),
        "pattern": ("Patterns of Sightline", ~Q(key="") & Q(network="")),
        "fast": ("Fast networks", ~Q(network="")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The three of them."""
        return [(value, label) for value, (label, _) in self.CHOICES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of this origin."""
        choice = self.CHOICES.get(self.value() or "")
        return queryset.filter(choice[1]) if choice else queryset


@admin.register(Style)
class StyleAdmin(ListAdmin):
    """Styles of all users; what comes with Sightline follows the release and is left alone."""

    list_display = ("name", "origin", "audience", "use_count", "created_at")
    list_filter = (OriginFilter, "is_public", ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner", "shared_with")
    search_fields = ("name", "description", "owner__username", "id__startswith")
    exclude = ("picture", "thumbnail")

    @display(description="from", ordering="owner")
    def origin(self, style: Style) -> str:
        """Who has added it."""
        if style.owner is not None:
            return str(style.owner)
        return "Sightline, fast" if style.is_fast else "Sightline"

    @display(description="seen by")
    def audience(self, style: Style) -> str:
        """Who may use it."""
        if style.is_built_in or style.is_public:
            return "Everybody"
        return style.shared_with.name if style.shared_with is not None else "Its owner"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything but what it is called, what is said of it, and whether all may use it."""
        return [
            field.name
            for field in Style._meta.fields
            if field.name not in (*CHANGED_HERE, *self.exclude)
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A style is made of a picture, not of a form."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not of what comes with Sightline."""
        may = super().has_change_permission(request, obj)
        return bool(may and (obj is None or not obj.is_built_in))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not what comes with Sightline: it would be there again after the next start."""
        may = super().has_delete_permission(request, obj)
        return bool(may and (obj is None or not obj.is_built_in))

    def save_model(self, request: HttpRequest, obj: Style, form: Any, change: bool) -> None:
        """What is for everybody is for no single group any more."""
        if obj.is_public:
            obj.shared_with = None
        obj.save(update_fields=[*CHANGED_HERE, "shared_with"])

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Style]) -> None:
        """The service writes it down, with whose it was."""

    def delete_model(self, request: HttpRequest, obj: Style) -> None:
        """Delete as the service does; what was painted stays."""
        delete_style(style=obj, user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Style]) -> None:
        """Delete as the service does; what was painted stays."""
        # In one order, so that two who delete the same ones wait for each other and not for ever.
        for style in queryset.filter(key="").order_by("pk"):
            delete_style(style=style, user=request.user)


@admin.register(Restyling)
class RestylingAdmin(ListAdmin):
    """What was painted for all users; deleting one deletes its job, its result and its picture."""

    list_display = ("name", "owner", "state", "style_name", "way", "kind", "took", "created_at")
    list_filter = ("job__state", "way", "kind", "source", ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner", "job")
    search_fields = ("name", "style_name", "owner__username", "id__startswith")

    @display(description="status", ordering="job__state", label=JOB_LABELS)
    def state(self, restyling: Restyling) -> tuple[str, str]:
        """The job's state, in colour."""
        return restyling.status, Restyling.Status(restyling.status).label

    @display(description="seconds", ordering="seconds")
    def took(self, restyling: Restyling) -> str:
        """How long it was painted."""
        return f"{restyling.seconds:.1f}" if restyling.result_id else "–"  # noqa: RUF001

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A result is painted, not typed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the results; jobs and files go along."""
        rows = list(objs)
        listed = [f"{restyling.name} of {restyling.owner}" for restyling in rows]
        return listed, {"results": len(rows)}, set(), []

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Restyling]) -> None:
        """The service writes it down, with whose it was."""

    def delete_model(self, request: HttpRequest, obj: Restyling) -> None:
        """Delete as the service does, files included."""
        delete_restyling(restyling=obj, user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Restyling]) -> None:
        """Delete as the service does, files included."""
        # In one order, so that two who delete the same ones wait for each other and not for ever.
        for restyling in queryset.select_related("job", "owner").order_by("upload_id", "pk"):
            delete_restyling(restyling=restyling, user=request.user)

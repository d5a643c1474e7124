"""What the machine keeps, in the admin: to find and to look at; acting goes through services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from common.audit.admin import AuditedDeletions
from common.errors import ServiceError
from common.jobs.errors import JobConflict
from common.jobs.services import cancel_job, retry_job
from common.models import AuditEntry, Job, RetentionPolicy, Upload, Worker

JOB_LABELS = {
    "queued": "info",
    "running": "warning",
    "done": "success",
    "failed": "danger",
    "cancelled": "default",
}


class ListAdmin(AuditedDeletions, ModelAdmin):  # type: ignore[misc]
    """A list that costs the same whether there are ten rows or a million: nothing is counted."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    ordering: tuple[str, ...] = ("-created_at", "-id")
    heading = ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Call the list by the name of what is in it."""
        title = self.heading or str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class ReadOnlyAdmin(ListAdmin):
    """Rows that the machine writes: nobody adds, changes or deletes one."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


def act_on_each(
    request: HttpRequest, queryset: QuerySet[Any], act: Any, *, done: str, limit: int = 500
) -> None:
    """Do something to each row, and say how many it was done to and why not to the others.

    Args:
        request: Whose page says it.
        queryset: The rows.
        act: Called with each row; a `ServiceError` or `JobConflict` is a reason, not a failure.
        done: What has happened to one row, in the past tense.
        limit: Most rows at once; the rest is left for another time.
    """
    reasons: dict[str, int] = {}
    acted = 0
    for row in queryset[:limit]:
        try:
            act(row)
            acted += 1
        except (ServiceError, JobConflict) as error:
            reasons[str(error)] = reasons.get(str(error), 0) + 1
    if acted:
        messages.success(request, f"{acted} {done}.")
    for reason, count in reasons.items():
        messages.warning(request, f"{count} not {done}: {reason}")


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Work in the background, of everybody."""

    list_display = ("what", "state_label", "owner", "queue", "attempt", "problem", "created_at")
    list_filter = ("state", "queue", ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner",)
    search_fields = ("id__startswith", "kind__startswith", "error_code", "owner__username")
    search_help_text = "Id, kind, error code or person"
    actions = ("cancel_jobs", "retry_jobs")

    @display(description="job")
    def what(self, job: Job) -> str:
        """Its kind and the beginning of its id."""
        return f"{job.kind} {str(job.pk)[:8]}"

    @display(description="state", ordering="state", label=JOB_LABELS)
    def state_label(self, job: Job) -> tuple[str, str]:
        """In colour."""
        return job.state, job.get_state_display()

    @display(description="error")
    def problem(self, job: Job) -> str:
        """Why it failed."""
        return job.error_message or job.error_code or "–"  # noqa: RUF001

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whoever may look at all jobs may cancel and retry them."""
        return bool(self.has_view_permission(request))

    @action(description="Cancel", permissions=["act"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """End queued jobs now and running ones at their next step."""
        working = queryset.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])
        act_on_each(request, working, lambda job: cancel_job(job=job), done="cancelled")

    @action(description="Retry", permissions=["act"])
    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Queue failed and cancelled jobs again."""
        act_on_each(request, queryset, lambda job: retry_job(job=job), done="queued again")


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Stored pictures, of everybody: what is known about them, never the pictures themselves."""

    list_display = ("name", "owner", "weight", "dimensions", "media_type", "gone", "created_at")
    list_filter = ("media_type", ("created_at", RangeDateTimeFilter))
    list_select_related = ("owner",)
    search_fields = ("name", "sha256__startswith", "owner__username")
    exclude = ("file", "thumbnail")

    @display(description="size", ordering="size")
    def weight(self, upload: Upload) -> str:
        """Bytes, as people say them."""
        return filesizeformat(upload.size)

    @display(description="dimensions")
    def dimensions(self, upload: Upload) -> str:
        """Width and height in pixels."""
        return f"{upload.width} × {upload.height}"  # noqa: RUF001

    @display(description="kept", boolean=True)
    def gone(self, upload: Upload) -> bool:
        """Whether the file is still there."""
        return upload.removed_at is None


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Processes that work on jobs."""

    list_display = ("name", "host", "queues", "started_at", "last_sign_at", "stopped_at")
    list_filter = ("host",)
    search_fields = ("name", "host")
    ordering = ("-started_at",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what; nobody changes a line, here or elsewhere."""

    list_display = ("at", "actor", "action", "object_name", "owner_name", "address", "via")
    list_filter = ("action", ("at", RangeDateTimeFilter))
    search_fields = ("actor_name__startswith", "object_name__startswith", "address")
    ordering = ("-at", "-id")

    @display(description="who", ordering="actor_name")
    def actor(self, entry: AuditEntry) -> str:
        """The name, or the system."""
        return entry.actor_name or "system"


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(ReadOnlyAdmin):
    """How long things are kept; it is changed on the storage page, which shows what would go."""

    list_display = ("__str__", "picture_days", "result_days", "last_run_at", "page")
    list_display_links = None
    ordering = ("pk",)

    @display(description="change")
    def page(self, policy: Model) -> str:
        """Where it is changed."""
        try:
            address = reverse("storage:storage")
        except NoReverseMatch:
            return ""
        return format_html('<a href="{}">Storage</a>', address)

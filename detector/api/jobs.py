"""Jobs: what works in the background. They are made through what they are for."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import NewestFirstPagination
from common.api.schema import errors
from common.errors import ServiceError
from common.jobs.filters import ORDERS, list_jobs, parse_job_filters
from common.jobs.registry import find_retrier
from common.jobs.services import cancel_job, retry_job
from common.models import Job
from common.permissions import can
from detector.api.serializers import JobSerializer

JOB_FILTERS = [
    OpenApiParameter("status", enum=Job.State.values),
    OpenApiParameter("kind", description="E.g. detector.detect."),
    OpenApiParameter("queue", description="E.g. inference."),
    OpenApiParameter("from", description="First day, e.g. 2026-01-31, or a moment."),
    OpenApiParameter("to", description="Last day, e.g. 2026-01-31, or a moment."),
    OpenApiParameter("order", enum=list(ORDERS), default="newest"),
]


class JobPagination(NewestFirstPagination):
    """Cursor pages in the order that the query names."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """Order as the filters say."""
        return ORDERS[parse_job_filters(request.query_params).order]


@extend_schema_view(
    list=extend_schema(
        summary="List jobs",
        parameters=JOB_FILTERS,
        responses={200: JobSerializer, **errors(400, 401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="Look at a job",
        description="State, progress and, when it failed, why.",
        responses={200: JobSerializer, **errors(401, 404, 429)},
    ),
)
@extend_schema(tags=["jobs"])
class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Job]):
    """Work in the background."""

    queryset = Job.objects.none()
    serializer_class = JobSerializer
    pagination_class = JobPagination
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Job]:
        """Only what the caller may see."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        filters = parse_job_filters(self.request.query_params) if self.action == "list" else None
        return list_jobs(self.request.user, filters).select_related("session")

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """What may be seen may not always be changed."""
        super().check_object_permissions(request, obj)
        if request.method == "POST" and not can(request.user, "change", obj):
            self.permission_denied(request)

    @extend_schema(
        summary="Cancel a job",
        description="A queued job ends at once, a running one at its next step.",
        request=None,
        responses={200: JobSerializer, **errors(401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Stop a job that is queued or running."""
        job = self.get_object()
        if job.state not in (Job.State.QUEUED, Job.State.RUNNING):
            raise ServiceError("not_running", "This job is not running any more.", status=409)
        return Response(self.get_serializer(cancel_job(job=job)).data)

    @extend_schema(
        summary="Retry a job",
        request=None,
        responses={200: JobSerializer, **errors(401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Queue a failed or cancelled job again."""
        job = self.get_object()
        if job.state not in (Job.State.FAILED, Job.State.CANCELLED):
            raise ServiceError(
                "not_failed", "Only a failed or cancelled job can be retried.", status=409
            )
        retrier = find_retrier(job.kind)
        if retrier is not None:
            retrier(job)
            job.refresh_from_db()
        else:
            retry_job(job=job)
        return Response(self.get_serializer(job).data)

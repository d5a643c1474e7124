"""Jobs, to look at; they are made, cancelled and retried through what they are for."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.models import Job
from common.permissions import visible
from detector.api.base import ErrorsMixin
from detector.api.schema import errors
from detector.api.serializers import JobSerializer


class JobView(ErrorsMixin, RetrieveAPIView[Job]):
    """One job."""

    queryset = Job.objects.none()
    serializer_class = JobSerializer

    def get_queryset(self) -> QuerySet[Job]:
        """Only what the caller may see."""
        return visible(self.request.user, Job.objects.select_related("session"))

    @extend_schema(
        summary="Look at a job",
        tags=["jobs"],
        responses={200: JobSerializer, **errors(401, 404, 429)},
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """State, progress and, when it failed, why."""
        return self.retrieve(request, *args, **kwargs)

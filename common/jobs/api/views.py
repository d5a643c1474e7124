"""Workers and queues over REST, for administrators."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.permissions import IsAdministrator
from common.api.schema import errors
from common.jobs.selectors import count_jobs_by_state, list_queues, list_workers


class WorkerSerializer(serializers.Serializer[Any]):
    """A process that works on jobs."""

    name = serializers.CharField(help_text="Host, process number and a token.")
    host = serializers.CharField()
    state = serializers.ChoiceField(["alive", "starting", "silent", "gone", "stopped"])
    queues = serializers.ListField(child=serializers.CharField())
    started_at = serializers.DateTimeField()
    last_sign_at = serializers.DateTimeField(
        allow_null=True, help_text="When a message last reached it through the broker."
    )
    stopped_at = serializers.DateTimeField(allow_null=True)
    running = serializers.IntegerField(help_text="Jobs that it holds.")
    info = serializers.DictField(help_text="What it tells of itself: version, models, memory.")


class QueueSerializer(serializers.Serializer[Any]):
    """Work that waits or is being done."""

    name = serializers.CharField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    oldest_seconds = serializers.FloatField(
        allow_null=True, help_text="For how long the oldest job has waited."
    )


class WorkersSerializer(serializers.Serializer[Any]):
    """Who works, and what waits."""

    workers = WorkerSerializer(many=True)
    queues = QueueSerializer(many=True)
    jobs = serializers.DictField(child=serializers.IntegerField(), help_text="Jobs by state.")


class WorkersView(APIView):
    """Who works, and what waits."""

    permission_classes = [IsAdministrator]

    @extend_schema(
        operation_id="workers",
        summary="Workers and queues",
        description="Every worker process that was there within a day; for administrators.",
        tags=["operation"],
        responses={200: WorkersSerializer, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """Return all workers, the queues that have work, and the jobs by state."""
        found = {"workers": list_workers(), "queues": list_queues(), "jobs": count_jobs_by_state()}
        return Response(WorkersSerializer(found).data)

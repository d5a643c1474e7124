"""Storage over REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.views import APIView

from common.accounts.roles import is_administrator
from common.api.permissions import IsAdministrator
from common.api.schema import errors
from common.storage.api.serializers import RetentionSerializer, StorageSerializer
from common.storage.disk import disk_space
from common.storage.forms import RetentionForm
from common.storage.models import RetentionPolicy
from common.storage.selectors import current_policy, next_expiry, own_use, total_usage
from common.storage.services import set_retention


class StorageView(APIView):
    """What is stored."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="storage",
        summary="Weigh what is stored",
        tags=["storage"],
        responses={200: StorageSerializer, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """The caller's own use, and for administrators that of all."""
        everything = None
        if is_administrator(request.user):
            usage = total_usage()
            everything = {**vars(usage), "total": usage.total, "disk": disk_space()}
        answer = {"own": own_use(request.user), "installation": everything}
        return Response(StorageSerializer(answer).data)


class RetentionView(APIView):
    """How long things are kept."""

    permission_classes = [IsAuthenticated, IsAdministrator]

    @extend_schema(
        operation_id="retention",
        summary="Look at how long things are kept",
        description="With what the next run would delete. For administrators.",
        tags=["storage"],
        responses={200: RetentionSerializer, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """The policy, the last run and the next one."""
        return Response(_shown(current_policy()))

    @extend_schema(
        operation_id="set_retention",
        summary="Set how long things are kept",
        description="What is left out stays as it is; null keeps for ever. For administrators.",
        tags=["storage"],
        request=RetentionSerializer,
        responses={200: RetentionSerializer, **errors(400, 401, 403, 413, 415, 429)},
    )
    def patch(self, request: Request) -> Response:
        """Change the policy."""
        body = RetentionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        days = {**_days(current_policy()), **body.validated_data}
        form = RetentionForm(days)
        if not form.is_valid():
            raise ValidationError(
                {name: [str(text) for text in texts] for name, texts in form.errors.items()}
            )
        return Response(_shown(set_retention(actor=request.user, **form.cleaned_data)))


def _shown(policy: RetentionPolicy) -> dict[str, Any]:
    days = _days(policy)
    answer = {
        **days,
        "changed_at": policy.changed_at,
        "last_run_at": policy.last_run_at,
        "last_run": policy.last_run or None,
        "next": next_expiry(**days),
    }
    return dict(RetentionSerializer(answer).data)


def _days(policy: RetentionPolicy) -> dict[str, int | None]:
    return {"picture_days": policy.picture_days, "result_days": policy.result_days}

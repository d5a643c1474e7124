"""Figures over REST."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.schema import errors
from detector.analytics.api.serializers import AnalyticsSerializer
from detector.analytics.filters import DEFAULT_RANGE, RANGES, parse_filters
from detector.analytics.views import read_document


class AnalyticsView(APIView):
    """What was found over time, by class and by model."""

    @extend_schema(
        summary="Look at the figures",
        description="Counts over all sessions with a result that you may see: yours, and those "
        "shared with a group you are in. They are exact at the moment of the answer. Times are "
        "of whole pictures and are not narrowed by `class`.",
        tags=["analytics"],
        operation_id="analytics",
        parameters=[
            OpenApiParameter("range", enum=list(RANGES), default=DEFAULT_RANGE),
            OpenApiParameter("from", OpenApiTypes.DATE, description="First day; replaces range."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Last day; replaces range."),
            OpenApiParameter("model", description="Only this model's answers."),
            OpenApiParameter("class", description="Only this class, and sessions that have it."),
            OpenApiParameter(
                "owner", enum=["me", "others"], description="Only your own, or only others'."
            ),
        ],
        responses={200: AnalyticsSerializer, **errors(400, 401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """Everything that the charts of the page show."""
        filters = parse_filters(request.query_params, strict=True)
        return Response(read_document(request.user, filters)[1])

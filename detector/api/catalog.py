"""The models that can be asked for by name."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.schema import errors
from detector.api.serializers import ModelSerializer
from detector.services.catalog import list_models


class ModelListView(APIView):
    """All models: installed, loaded, quantized."""

    @extend_schema(
        operation_id="models_list",
        summary="List models",
        description="Every model that has a card. One that is not installed is downloaded when it "
        "is first asked for, where the installation allows that.",
        tags=["models"],
        responses={200: ModelSerializer(many=True), **errors(401, 429)},
    )
    def get(self, request: Request) -> Response:
        """The models, smallest first within each task."""
        return Response(ModelSerializer(list_models(), many=True).data)

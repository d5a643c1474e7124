"""Cameras as YAML over REST: the schema, out, and in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from detector.services.options import parse_flag
from video_analysis.cameras import services
from video_analysis.cameras.api.base import MayConfigure
from video_analysis.cameras.api.serializers import ImportSerializer
from video_analysis.cameras.documents.lines import MOST_BYTES
from video_analysis.cameras.documents.schema import document_schema
from video_analysis.cameras.selectors import list_cameras

YAML = "application/yaml"


class YAMLParser(BaseParser):
    """The body as it is; what it says is judged where it is imported."""

    media_type = YAML

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the bytes: one more than are taken, where there are more."""
        return bytes(stream.read(MOST_BYTES + 1))


class OldYAMLParser(YAMLParser):
    """What it was called before it had a registered name."""

    media_type = "application/x-yaml"


class TextYAMLParser(YAMLParser):
    """As editors and older servers call it."""

    media_type = "text/yaml"


class PlainTextParser(YAMLParser):
    """As programs send it that think of nothing else."""

    media_type = "text/plain"


class SchemaView(APIView):
    """The form of the documents."""

    @extend_schema(
        operation_id="cameras_schema",
        summary="Read the schema of the YAML documents",
        description="JSON schema, draft 2020-12.",
        tags=["cameras"],
        responses={200: OpenApiTypes.OBJECT, **errors(401, 429)},
    )
    def get(self, request: Request) -> Response:
        """The schema that imports are held against."""
        return Response(document_schema())


class ExportView(APIView):
    """All cameras as a document."""

    permission_classes = [IsAuthenticated, MayConfigure]
    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="cameras_export",
        summary="Export cameras",
        description="All of them as YAML, without credentials. For administrators.",
        tags=["cameras"],
        responses={(200, YAML): OpenApiTypes.OBJECT, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """A document that the import takes."""
        cameras = list_cameras(request.user)
        answer = HttpResponse(
            services.export_cameras(actor=request.user, cameras=cameras), content_type=YAML
        )
        answer["Content-Disposition"] = 'attachment; filename="cameras.yaml"'
        answer["Cache-Control"] = "no-store"
        return answer


class ImportView(APIView):
    """Cameras from a document."""

    permission_classes = [IsAuthenticated, MayConfigure]
    parser_classes = [YAMLParser, OldYAMLParser, TextYAMLParser, PlainTextParser]

    @extend_schema(
        operation_id="cameras_import",
        summary="Import cameras",
        description="Adds and changes cameras as the document says, all of it or nothing. Cameras "
        "are found by name; what is not said stays as it is. Every mistake is named with its line "
        "in `fields`, up to 20. For administrators.",
        tags=["cameras"],
        parameters=[
            OpenApiParameter(
                "dry_run", OpenApiTypes.BOOL, description="Only tell what would be done."
            )
        ],
        request={YAML: OpenApiTypes.STR},
        responses={200: ImportSerializer, **errors(400, 401, 403, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Import, or tell what an import would do."""
        dry_run = parse_flag("dry_run", request.query_params.get("dry_run"), False)
        body: Any = request.data
        text = body if isinstance(body, bytes) else b""
        report = services.import_cameras(actor=request.user, text=text, dry_run=dry_run)
        changed = {
            "changed": _listed(report.changed),
            "changed_areas": _listed(report.changed_areas),
        }
        return Response(ImportSerializer({**vars(report), **changed}).data)


def _listed(changed: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"name": name, "what": what} for name, what in changed.items()]

"""Many people at once, over REST: a ZIP with a folder for each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.schema import errors
from common.models import Job
from common.permissions import get_visible_or_404
from recognition.api.base import PeopleView
from recognition.api.recognise import FILE
from recognition.api.serializers import ImportReportSerializer, ImportStartedSerializer
from recognition.errors import InvalidError
from recognition.models import Profile
from recognition.services.importing import start_import

KIND = "recognition.import"
IMPORT_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": FILE,
        "kind": {"type": "string", "enum": Profile.Kind.values, "default": "customer"},
        "consent": {
            "type": "boolean",
            "default": False,
            "description": "Whether all of them have agreed to the newest text.",
        },
    },
}


class ImportView(PeopleView):
    """The start of an import."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="people_import",
        summary="Import many people",
        description="A ZIP with a folder of photos for each person; the folder's name is theirs. "
        "Who is known by exactly that name gets the photos. A job does the work, which is also "
        "among /api/jobs/, where it can be cancelled; the report names what was refused.",
        tags=["people"],
        request={"multipart/form-data": IMPORT_FORM},
        responses={
            202: ImportStartedSerializer,
            **errors(400, 401, 403, 409, 413, 415, 422, 429, 503, 507),
        },
    )
    def post(self, request: Request) -> Response:
        """Take the file and queue the job."""
        files = request.FILES.getlist("file")
        if len(files) != 1:
            raise InvalidError({"file": "Send one ZIP as multipart field file."}, "missing_file")
        kind = str(request.POST.get("kind") or Profile.Kind.CUSTOMER.value)
        if kind not in Profile.Kind.values:
            raise InvalidError({"kind": f"kind must be one of {', '.join(Profile.Kind.values)}."})
        consent = str(request.POST.get("consent") or "false").strip().lower()
        if consent not in ("true", "1", "on", "false", "0", "off"):
            raise InvalidError({"consent": "consent must be true or false."})
        job = start_import(
            actor=request.user,
            file=files[0],
            kind=kind,
            consent=consent in ("true", "1", "on"),
        )
        answer = Response(ImportStartedSerializer(job).data, status=status.HTTP_202_ACCEPTED)
        answer["Location"] = answer.data["link"]
        return answer


class ImportReportView(PeopleView):
    """One import."""

    @extend_schema(
        operation_id="people_import_report",
        summary="Look at an import",
        tags=["people"],
        responses={200: ImportReportSerializer, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """How far it is, and what was refused; whom photos show already once it has ended."""
        job = get_visible_or_404(request.user, Job.objects.filter(kind=KIND), pk=pk)
        return Response(ImportReportSerializer(job, context={"request": request}).data)

"""``POST /api/recognize/``: a picture in, who is on it out, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.schema import errors
from recognition.api.base import PeopleView, read_picture
from recognition.api.serializers import RecognitionSerializer, guess_data
from recognition.errors import InvalidError
from recognition.services.recognising import (
    Guess,
    RecognisedFace,
    RecognisedPicture,
    recognise_picture,
)

UNKNOWN = "Unknown"
FILE = {"type": "string", "format": "binary"}
PICTURE_FORM = {"type": "object", "required": ["image"], "properties": {"image": FILE}}
_EXAMPLE = {
    "faces": [
        {
            "bbox": [412.5, 96.0, 118.2, 151.9],
            "state": "known",
            "name": "Ada",
            "confidence": 0.9871,
            "profile": "6f9c2d0e-0c1f-4f0e-9b43-0d5f1f2a7c11",
            "candidate": None,
            "runner_up": {
                "profile": "0a4b7f0c-5a64-4e3c-8a5e-0b6e0a5d9c21",
                "name": "Grace",
                "confidence": 0.0312,
            },
            "quality": {"size": 118.2, "sharpness": 0.71, "yaw": 0.08, "pitch": -0.04, "roll": 2.1},
            "flaw": None,
            "review": None,
        }
    ],
    "count": 1,
    "image": {"name": "lobby.jpg", "width": 1280, "height": 720},
    "model": "yunet",
    "embedder": "dlib-resnet-openvino",
    "timings_ms": {"decode": 5.1, "detect": 9.4, "embed": 1.7, "match": 0.8, "total": 17.2},
}


class PictureParser(BaseParser):
    """The picture itself as the body, whatever kind of picture it says it is."""

    media_type = "image/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the bytes.

        Raises:
            RequestDataTooBig: They are more than a picture may have.
        """
        limit = settings.SIGHTLINE_MAX_UPLOAD_BYTES
        data = bytes(stream.read(limit + 1))
        if len(data) > limit:
            raise RequestDataTooBig
        return data


class RecogniseView(PeopleView):
    """Who is on a picture."""

    parser_classes = [MultiPartParser, PictureParser]

    @extend_schema(
        operation_id="recognize",
        summary="Recognise the people on a picture",
        description="The picture comes as multipart field `image`, or as the body itself with its "
        "own content type. It is not kept. A face is `known` when it is near enough to one person "
        "and clearly nearer to them than to the next; `uncertain` ones are named Unknown, with a "
        "`candidate`, and wait for a person's answer in the review queue; everybody else is "
        "`unknown`. Faces that cannot be seen well enough have a `flaw` and are not matched. "
        "403 `recognition_off` where administrators have switched it off. Who was recognised is "
        "written into the audit log.",
        tags=["people"],
        request={"multipart/form-data": PICTURE_FORM, "image/jpeg": FILE, "image/png": FILE},
        responses={
            200: OpenApiResponse(
                RecognitionSerializer,
                "Who is there.",
                examples=[OpenApiExample("One face", _EXAMPLE)],
            ),
            **errors(400, 401, 403, 406, 413, 415, 422, 429, 503, 507),
        },
    )
    def post(self, request: Request) -> Response:
        """Recognise."""
        data, name = _read(request)
        found = recognise_picture(actor=request.user, data=data, name=name)
        answer = Response(_describe(found))
        answer["Cache-Control"] = "no-store"
        return answer


def _read(request: Request) -> tuple[bytes, str]:
    body: Any = request.data
    if not isinstance(body, bytes):
        return read_picture(request)
    if not body:
        raise InvalidError({"image": "The body is empty; send a picture."}, "missing_image")
    return body, ""


def _describe(found: RecognisedPicture) -> dict[str, Any]:
    return {
        "faces": [_face(face) for face in found.faces],
        "count": len(found.faces),
        "image": {"name": found.name, "width": found.width, "height": found.height},
        "model": found.model,
        "embedder": found.embedder,
        "timings_ms": found.timings_ms,
    }


def _face(face: RecognisedFace) -> dict[str, Any]:
    match = _guess(face.match)
    return {
        "bbox": [round(value, 2) for value in face.box],
        "state": face.state,
        "name": match["name"] if match else UNKNOWN,
        "confidence": match["confidence"] if match else None,
        "profile": match["profile"] if match else None,
        "candidate": _guess(face.candidate),
        "runner_up": _guess(face.runner_up),
        "quality": face.quality.as_data(),
        "flaw": face.flaw or None,
        "review": str(face.review.pk) if face.review else None,
    }


def _guess(guess: Guess | None) -> dict[str, Any] | None:
    return None if guess is None else guess_data(guess.profile, guess.confidence)

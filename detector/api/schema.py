"""What the OpenAPI document says about requests and answers that are no plain resources."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers

from common.api.schema import errors
from detector.api.serializers import (
    DetectionResultSerializer,
    RefusalSerializer,
)
from detector.services.options import DEFAULT_CONFIDENCE, DEFAULT_IOU


def form_options(*, many: bool, masks: bool, save: bool) -> dict[str, Any]:
    """The multipart body of a request that carries pictures and options."""
    file = {"type": "string", "format": "binary"}
    image: dict[str, Any] = (
        {"type": "array", "items": file, "minItems": 1, "maxItems": 200} if many else file
    )
    properties: dict[str, Any] = {
        "image": image,
        "model": {"type": "string", "description": "A name from /api/models/."},
        "confidence": _ratio("Least confidence of an object.", DEFAULT_CONFIDENCE),
        "iou": _ratio("Overlap above which the weaker of two boxes goes.", DEFAULT_IOU),
        "classes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Names or numbers; repeated, or in one text separated by commas.",
        },
    }
    if save:
        properties["save"] = {
            "type": "boolean",
            "default": True,
            "description": "Whether to keep the picture and the result as a session. "
            "Without an account that may add pictures nothing is ever kept.",
        }
    if masks:
        properties["masks"] = {
            "type": "string",
            "enum": ["polygons", "rle", "none"],
            "default": "polygons",
            "description": "How outlines are given.",
        }
    return {"type": "object", "required": ["image"], "properties": properties}


def _ratio(text: str, default: float) -> dict[str, Any]:
    return {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": default,
        "description": text,
    }


class DetectionResultsSerializer(serializers.Serializer[Any]):
    """The answers to many pictures, in their order."""

    results = serializers.SerializerMethodField()

    @extend_schema_field(
        PolymorphicProxySerializer(
            component_name="DetectionEntry",
            serializers=[DetectionResultSerializer, RefusalSerializer],
            resource_type_field_name=None,
            many=True,
        )
    )
    def get_results(self, answers: list[Any]) -> list[Any]:
        """The answers as they are: they were written without serializers."""
        return answers


_EXAMPLE = {
    "detections": 1,
    "objects": [
        {"class": "person", "class_id": 0, "confidence": 0.8731, "bbox": [48.6, 398.8, 197.4, 504]}
    ],
    "image": {"name": "bus.jpg", "width": 810, "height": 1080},
    "model": "yolov8n",
    "backend": "openvino",
    "device": "cpu",
    "precision": "bf16",
    "timings_ms": {
        "decode": 5.1,
        "preprocess": 0.6,
        "queue": 0.1,
        "inference": 8.4,
        "postprocess": 0.4,
        "total": 14.6,
    },
    "session": "6f9c2d0e-0c1f-4f0e-9b43-0d5f1f2a7c11",
}
_OUTLINED = {
    **_EXAMPLE,
    "objects": [
        {**_EXAMPLE["objects"][0], "polygons": [[60, 410, 231, 412, 240, 890, 66, 898]]}  # type: ignore[index]
    ],
    "model": "yolov8n-seg",
}
_REFUSED = {
    "image": {"name": "notes.jpg"},
    "error": {"code": "not_a_picture", "message": "The file is not a picture.", "fields": {}},
}


def _answer_schema(*, operation: str, summary: str, example: Any, masks: bool) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description="One `image` is answered by one result; several by `results`, in their "
        "order, where a picture that is refused has an `error` instead. With `Accept: "
        "image/jpeg` or `image/png` the answer to a single image is the annotated picture.",
        tags=["detection"],
        request={"multipart/form-data": form_options(many=True, masks=masks, save=True)},
        responses={
            (200, "application/json"): OpenApiResponse(
                PolymorphicProxySerializer(
                    component_name="DetectionAnswer",
                    serializers=[DetectionResultSerializer, DetectionResultsSerializer],
                    resource_type_field_name=None,
                    many=False,
                ),
                "What was found.",
                examples=[
                    OpenApiExample("One picture", example),
                    OpenApiExample("Two pictures", {"results": [example, _REFUSED]}),
                ],
            ),
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/png"): OpenApiTypes.BINARY,
            **errors(400, 401, 403, 406, 413, 415, 422, 429, 503, 507),
        },
    )


detect_schema = _answer_schema(
    operation="detect", summary="Find objects in pictures", example=_EXAMPLE, masks=False
)
segment_schema = _answer_schema(
    operation="segment",
    summary="Find objects in pictures, with their outlines",
    example=_OUTLINED,
    masks=True,
)

MASKS_PARAMETER = OpenApiParameter(
    "masks",
    enum=["polygons", "rle", "none"],
    default="polygons",
    description="How outlines are given.",
)
SESSION_FILTERS = [
    OpenApiParameter("q", description="Text that the name contains."),
    OpenApiParameter(
        "owner", enum=["me", "others"], description="One's own, or what others have shared."
    ),
    OpenApiParameter("status", enum=["queued", "running", "done", "failed", "cancelled"]),
    OpenApiParameter("task", enum=["detect", "segment"]),
    OpenApiParameter("model", description="Name of the model."),
    OpenApiParameter("class", description="Only sessions with an object of this class."),
    OpenApiParameter("from", description="First day, e.g. 2026-01-31, or a moment."),
    OpenApiParameter("to", description="Last day, e.g. 2026-01-31, or a moment."),
    OpenApiParameter("order", enum=["newest", "oldest", "name", "objects"], default="newest"),
]

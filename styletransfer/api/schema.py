"""What the OpenAPI document says about forms, filters and examples of styles and results."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from styletransfer.models import Restyling
from styletransfer.selectors import STYLE_FILTERS, STYLE_ORDERS
from styletransfer.services.options import (
    DEFAULT_SIZE,
    DEFAULT_STEPS,
    DEFAULT_STYLE_WEIGHT,
    SEEDS,
    SIZES,
    STEPS,
    STYLE_WEIGHTS,
)
from styletransfer.services.restylings import MOST_NAME
from styletransfer.services.styles import MOST_DESCRIPTION
from styletransfer.services.styles import MOST_NAME as MOST_STYLE_NAME
from vision.weights.style_cards import STYLE_CARDS

FILE = {"type": "string", "format": "binary"}


def _number(limits: tuple[float, float], default: Any, text: str, kind: str) -> dict[str, Any]:
    found = {"type": kind, "minimum": limits[0], "maximum": limits[1], "description": text}
    return found if default is None else found | {"default": default}


OPTIONS: dict[str, Any] = {
    "size": _number(
        SIZES,
        None,
        f"Pixels of the longer side; when left out {DEFAULT_SIZE}, with a fast style those of the "
        "file. Nothing is enlarged.",
        "integer",
    ),
    "steps": _number(STEPS, DEFAULT_STEPS, "Of a slow painting.", "integer"),
    "style_weight": _number(
        STYLE_WEIGHTS,
        DEFAULT_STYLE_WEIGHT,
        "How much the style matters beside the content.",
        "number",
    ),
    "keep_colours": {
        "type": "boolean",
        "default": False,
        "description": "Paint light and dark only.",
    },
    "start": {
        "type": "string",
        "enum": Restyling.Start.values,
        "default": Restyling.Start.CONTENT.value,
        "description": "What the first step begins with.",
    },
    "start_network": {
        "type": "string",
        "enum": list(STYLE_CARDS),
        "description": "The fast style that paints the beginning, with start=fast.",
    },
    "seed": _number(SEEDS, 0, "Of the noise.", "integer"),
}
_STYLE = {
    "type": "string",
    "description": "Id, key (stained-glass, fast:mosaic) or exact name of a style.",
}
CREATE_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "image": FILE | {"description": "The picture; this or video."},
        "video": FILE | {"description": "The video, for a fast style; this or image."},
        "style": _STYLE,
        "style_image": FILE
        | {"description": "A picture to paint like, in place of style; it becomes one of yours."},
        "name": {
            "type": "string",
            "maxLength": MOST_NAME,
            "description": "The file's name when left out.",
        },
        **OPTIONS,
    },
}
AGAIN_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {"style": _STYLE}
    | {
        name: {key: value for key, value in option.items() if key != "default"}
        for name, option in OPTIONS.items()
    },
}
STYLE_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": FILE,
        "name": {
            "type": "string",
            "maxLength": MOST_STYLE_NAME,
            "description": "The file's name when left out.",
        },
        "description": {"type": "string", "maxLength": MOST_DESCRIPTION},
    },
}
_QUERY = OpenApiParameter("q", description="Text that the name contains.")
STYLE_PARAMETERS = [
    _QUERY,
    OpenApiParameter(
        "only", enum=list(STYLE_FILTERS), description="Fast ones, one's own, or others' own."
    ),
    OpenApiParameter("order", enum=list(STYLE_ORDERS), default="popular"),
]
RESTYLING_PARAMETERS = [
    _QUERY,
    OpenApiParameter("status", enum=Restyling.Status.values),
    OpenApiParameter("style", description="Id, key or exact name of a style."),
    OpenApiParameter("kind", enum=Restyling.Kind.values),
]

_ID = "6f9c2d0e-0c1f-4f0e-9b43-0d5f1f2a7c11"
_HERE = f"/api/style/{_ID}/"
_STYLE_ID = "0a4b7f0c-5a64-4e3c-8a5e-0b6e0a5d9c21"
QUEUED_EXAMPLE = OpenApiExample(
    "Waiting",
    {
        "id": _ID,
        "name": "harbour",
        "status": "queued",
        "progress": 0.0,
        "message": "",
        "error": None,
        "kind": "image",
        "way": "slow",
        "style": {"id": _STYLE_ID, "name": "Stained glass"},
        "style_name": "Stained glass",
        "options": {
            "size": 384,
            "steps": 100,
            "style_weight": 20.0,
            "keep_colours": False,
            "start": "content",
            "start_network": "",
            "seed": 0,
        },
        "width": 0,
        "height": 0,
        "model": "",
        "device": "",
        "seconds": 0.0,
        "steps_made": 0,
        "losses": [],
        "frames": 0,
        "has_sound": None,
        "queue": {"place": 2, "seconds": 41.0},
        "owner": "ada",
        "shared_with": None,
        "source": "api",
        "created_at": "2026-01-31T12:00:00Z",
        "finished_at": None,
        "job": "5c3f7b1e-2f0d-4a43-8a5e-93b2c1d0e4f5",
        "urls": {
            "self": _HERE,
            "result": None,
            "preview": f"{_HERE}preview/",
            "thumbnail": None,
        },
    },
    response_only=True,
)

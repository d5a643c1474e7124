"""What the OpenAPI document says about uploads and lists of videos."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from detector.api.schema import SESSION_FILTERS
from detector.services.options import DEFAULT_CONFIDENCE, DEFAULT_IOU
from video_analysis.services.options import BETWEEN, DEFAULT_STYLES, MOST_EVERY, TASKS
from vision.drawing.styles import STYLES
from vision.motion import METHODS
from vision.tracking import TRACKERS

_SEVERAL = "Repeated, or in one text separated by commas."


def _number(low: float, high: float, default: Any, text: str, kind: str = "number") -> Any:
    found = {"type": kind, "minimum": low, "maximum": high, "description": text}
    return found if default is None else {**found, "default": default}


def _choice(names: Any, default: str, text: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(names), "default": default, "description": text}


def _choices(names: Any, default: Any, text: str) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string", "enum": list(names)},
        "default": list(default),
        "description": f"{text} {_SEVERAL}",
    }


UPLOAD_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["video"],
    "properties": {
        "video": {"type": "string", "format": "binary"},
        "name": {
            "type": "string",
            "maxLength": 200,
            "description": "The file's name when left out.",
        },
        "tasks": _choices(TASKS, ["tracking"], "What to look for."),
        "model": {"type": "string", "description": "A name from /api/models/."},
        "confidence": _number(0, 1, DEFAULT_CONFIDENCE, "Least confidence of an object."),
        "iou": _number(0, 1, DEFAULT_IOU, "Overlap above which the weaker of two boxes goes."),
        "classes": {
            "type": "array",
            "items": {"type": "string"},
            "description": f"Names or numbers. {_SEVERAL}",
        },
        "tracker": _choice(TRACKERS, "bytetrack", "What joins objects to tracks."),
        "every": _number(
            1, MOST_EVERY, 1, "The detector looks at every n-th frame.", kind="integer"
        ),
        "between": _choice(BETWEEN, "predict", "How tracks go on between these frames."),
        "styles": _choices((*STYLES, "none"), DEFAULT_STYLES, "What is drawn."),
        "motion_method": _choice(METHODS, "mog2", "How motion is found."),
        "minimum_area": _number(0.0001, 1, 0.002, "Least moving area, as a share of the picture."),
        "gate": {
            "type": "boolean",
            "default": False,
            "description": "Whether the detector rests while nothing moves.",
        },
        "pixels_per_metre": _number(0.01, 100_000, None, "Scale of the scene, where it is known."),
    },
}
CLASS_FILTER = OpenApiParameter("class", description="Only videos with a track of this class.")
VIDEO_FILTERS = [
    CLASS_FILTER if parameter.name == "class" else parameter for parameter in SESSION_FILTERS
]

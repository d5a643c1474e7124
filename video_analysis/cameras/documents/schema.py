"""The published JSON schema (draft 2020-12) of a document of cameras.

Bounds, defaults and lengths are those of the models, so that neither can go its own way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model

from video_analysis.cameras.models import Area, Camera, CountingLine, Zone
from vision.analytics.regions import FEWEST_POINTS, MOST_POINTS
from vision.tracking import TRACKERS

MOST_CAMERAS: Final = 1000
MOST_AREAS: Final = 1000
MOST_REGIONS: Final = 50
MOST_GROUPS: Final = 100
MOST_CLASSES: Final = 1000
LONGEST_SECRET: Final = 200
VERSION: Final = 1

Schema = dict[str, Any]


@lru_cache(maxsize=1)
def document_schema() -> Schema:
    """Return the schema; not to be changed by who gets it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cameras",
        "description": "Cameras with their zones and counting lines, and what may be done with "
        "faces in their areas, to be imported and exported.",
        "type": "object",
        "additionalProperties": False,
        "required": ["cameras"],
        "properties": {
            "version": {"const": VERSION, "description": "Of this format."},
            "areas": {
                "description": "What may be done with faces. Areas that are not named stay as they "
                "are.",
                "type": "array",
                "maxItems": MOST_AREAS,
                "items": {"$ref": "#/$defs/area"},
            },
            "cameras": {
                "type": "array",
                "maxItems": MOST_CAMERAS,
                "items": {"$ref": "#/$defs/camera"},
            },
        },
        "$defs": {
            "area": _area(),
            "camera": _camera(),
            "zone": _zone(),
            "line": _line(),
            "point": {
                "description": "x and y, from the upper left corner of the picture.",
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"type": "number", "minimum": 0, "maximum": 1},
            },
        },
    }


def _area() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _text(Area, "name", "Made where there is none of this name."),
            "recognise": _area_flag(
                "recognise", "Whether people are recognised by their faces here."
            ),
            "consent_required": _area_flag(
                "consent_required", "Whether only people who have agreed are recognised."
            ),
            "group_unknown": _area_flag(
                "group_unknown", "Whether unknown faces are told apart, for a day at most."
            ),
            "mood": _area_flag("mood", "Whether the moods of customers are estimated."),
            "absence_minutes": {
                **_number(
                    Area, "absence_minutes", "Who was not seen for so many minutes has left."
                ),
                "type": "integer",
            },
        },
    }


def _camera() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "inputs"],
        "properties": {
            "name": _text(Camera, "name", "Finds the camera again: no two have the same."),
            "area": _nullable(_text(Area, "name", "Made where there is none of this name.")),
            "inputs": _inputs(),
            "username": _secret("Stored encrypted, never exported."),
            "password": _secret("Stored encrypted, never exported."),
            "enabled": _flag("enabled", "Whether it is looked at."),
            "groups": {
                "description": "Names of the groups whose members may watch.",
                "type": "array",
                "maxItems": MOST_GROUPS,
                "items": {"type": "string", "minLength": 1, "maxLength": 150},
            },
            "fps": _number(Camera, "fps", "Most frames analysed a second."),
            "model": {
                "description": "Name of an installed detection model; empty: the installation's.",
                "type": "string",
                "maxLength": 64,
                "default": "",
            },
            "detector_conf": _number(Camera, "detector_conf", "Least confidence of an object."),
            "people_only": _flag("people_only", "Whether only people are looked for."),
            "classes": {
                "description": "Names of the classes to look for; empty: all of the model's.",
                "type": "array",
                "maxItems": MOST_CLASSES,
                "items": {"type": "string", "minLength": 1, "maxLength": 64},
                "default": [],
            },
            "tracker": {
                "description": "What follows objects from frame to frame.",
                "enum": list(TRACKERS),
                "default": Camera().tracker,
            },
            "tracker_max_age": _number(
                Camera,
                "tracker_max_age",
                "Seconds after which a track that was not seen is over.",
            ),
            "tracker_min_hits": {
                **_number(Camera, "tracker_min_hits", "Sightings before a track counts."),
                "type": "integer",
            },
            "motion_gate": _flag("motion_gate", "Whether the detector rests while nothing moves."),
            "hide_people": _flag("hide_people", "Whether people are blurred in every picture."),
            "faces": {
                "description": "Whose faces every picture shows: everybody's (empty), those of "
                "people who have agreed, or nobody's.",
                "enum": list(Camera.Faces.values),
                "default": Camera().faces,
            },
            "zones": _list("zone", "All zones of the camera."),
            "lines": _list("line", "All counting lines of the camera."),
        },
    }


def _inputs() -> Schema:
    one = _text(Camera, "address", "An address.")
    return {
        **one,
        "description": "Where the pictures come from: an address, or a list of one.",
        "type": ["string", "array"],
        "minItems": 1,
        "maxItems": 1,
        "items": one,
        "examples": ["rtsp://192.168.1.20/stream", "usb:0", "loop:shop/entrance.mp4"],
    }


def _zone() -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "polygon"],
        "properties": {
            "name": _text(Zone, "name", "Unlike every other zone's of the camera."),
            "polygon": {
                "description": "Corners in order; edges may not cross.",
                "type": "array",
                "minItems": FEWEST_POINTS,
                "maxItems": MOST_POINTS,
                "items": {"$ref": "#/$defs/point"},
            },
            "threshold_sec": _number(Zone, "threshold_sec", "Who stays so long has dwelt."),
        },
    }


def _line() -> Schema:
    direction = "What it is called to cross the line from its {} side, seen from the first point."
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "points"],
        "properties": {
            "name": _text(CountingLine, "name", "Unlike every other line's of the camera."),
            "points": {
                "description": "Where it starts and where it ends.",
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "items": {"$ref": "#/$defs/point"},
            },
            "forward": {
                **_text(CountingLine, "forward", direction.format("left")),
                "default": CountingLine().forward,
            },
            "backward": {
                **_text(CountingLine, "backward", direction.format("right")),
                "default": CountingLine().backward,
            },
        },
    }


def _text(model: type[Model], name: str, description: str) -> Schema:
    field: Any = model._meta.get_field(name)
    longest = field.max_length
    return {"description": description, "type": "string", "minLength": 1, "maxLength": longest}


def _secret(description: str) -> Schema:
    return {"description": description, "type": "string", "maxLength": LONGEST_SECRET}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _flag(name: str, description: str) -> Schema:
    return {"description": description, "type": "boolean", "default": getattr(Camera(), name)}


def _area_flag(name: str, description: str) -> Schema:
    return {"description": description, "type": "boolean", "default": getattr(Area(), name)}


def _number(model: type[Model], name: str, description: str) -> Schema:
    field: Any = model._meta.get_field(name)
    # Not `validators`, which adds what the column can hold.
    limits: dict[type, float] = {type(check): check.limit_value for check in field._validators}
    return {
        "description": description,
        "type": "number",
        "minimum": limits[MinValueValidator],
        "maximum": limits[MaxValueValidator],
        "default": field.default,
    }


def _list(what: str, description: str) -> Schema:
    return {
        "description": f"{description} Left out, they stay as they are.",
        "type": "array",
        "maxItems": MOST_REGIONS,
        "items": {"$ref": f"#/$defs/{what}"},
    }

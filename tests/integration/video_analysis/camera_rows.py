"""Cameras for tests, and somebody who may set them up."""

from __future__ import annotations

from typing import Any

from video_analysis.cameras import services
from video_analysis.cameras.models import Camera

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
BOW_TIE = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]
ACROSS = [[0.0, 0.5], [1.0, 0.5]]
ADDRESS = "rtsp://192.168.1.20/stream"
SECRET = "Gr33n-Door+7"
LOGIN = "porter-of-tests"


def make_camera(actor: Any, name: str = "Entrance", **values: Any) -> Camera:
    """Return a camera that was added by its service."""
    given = {"address": ADDRESS, **values}
    return services.create_camera(actor=actor, name=name, **given)


def make_zone(actor: Any, camera: Camera, name: str = "Checkout", **values: Any) -> Any:
    """Return a zone in a camera's picture."""
    return services.create_zone(
        actor=actor, camera=camera, name=name, **{"polygon": SQUARE, **values}
    )


def make_line(actor: Any, camera: Camera, name: str = "Door", **values: Any) -> Any:
    """Return a counting line in a camera's picture."""
    return services.create_line(
        actor=actor, camera=camera, name=name, **{"points": ACROSS, **values}
    )

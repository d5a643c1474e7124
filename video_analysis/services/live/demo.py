"""The demo: four cameras in a small shop that is painted, not filmed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from common.errors import ServiceError
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services import areas, cameras, regions

AREA: Final = "Demo shop"
FOLDER: Final = "shop"
NAMES: Final[Mapping[str, str]] = {
    "entrance": "Shop entrance",
    "aisle": "Shop aisle",
    "checkout": "Shop checkout",
    "overlap": "Shop queue",
}
"""Names of the cameras by the view that they show."""

SEED: Final = 1
SECONDS: Final = 80.0
RATE: Final = 12.0
_DIGITS: Final = 5  # of shares of the picture; a hundredth of a pixel


@dataclass(frozen=True)
class Demo:
    """What was set up.

    Attributes:
        cameras: In the order of the views.
        added: How many of them are new.
    """

    cameras: tuple[Camera, ...]
    added: int


def render_demo(*, on_progress: Callable[[int, int], None] | None = None) -> bool:
    """Render the four films; return False when they are there already, made by this version.

    Args:
        on_progress: Is told of frames done and all frames.

    Raises:
        OSError: The folder of camera files cannot be written to.
        VisionError: The people to paint are not installed.
    """
    from vision.synthetic.shop import Shop
    from vision.synthetic.shop.clips import are_current, write_clips

    shop, folder = Shop(seed=SEED, seconds=SECONDS, rate=RATE), _folder()
    if are_current(folder, shop):
        return False
    write_clips(folder, shop, on_progress=on_progress)
    return True


def install_demo(*, actor: Any = None) -> Demo:
    """Set up the area and the cameras of the demo, or set them back; nothing else is touched.

    The cameras are known by their addresses: who renames one, or lets a group watch it, finds that
    as it was. Zones, lines and settings are as at first.

    Args:
        actor: Who does it; None for the system.

    Raises:
        ServiceError: ``demo_name_taken``: another camera has a name that the demo needs; or as
            `video_analysis.cameras.services`, e.g. because the films are missing.
    """
    from vision.synthetic.shop import VIEWS

    with transaction.atomic():
        area = Area.objects.filter(name=AREA).first() or areas.create_area(actor=actor, name=AREA)
        known = {camera.address: camera for camera in _demo_cameras()}
        made = []
        for view in VIEWS:
            camera = _set_up(actor, area, view.name, known.get(_address(view.name)))
            made.append(
                regions.replace_regions(
                    actor=actor, camera=camera, zones=_zones(view), lines=_lines(view)
                )
            )
    return Demo(tuple(made), len(made) - len(known))


def remove_demo(*, actor: Any = None) -> int:
    """Take the demo away: its cameras with what they recorded, its area unless it holds others,
    its films. Return how many cameras there were."""
    found = list(_demo_cameras())
    # Not in one transaction: recordings go in short ones, and who is interrupted begins again.
    for camera in found:
        cameras.delete_camera(actor=actor, camera=camera)
    for area in Area.objects.filter(name=AREA, cameras__isnull=True):
        areas.delete_area(actor=actor, area=area)
    shutil.rmtree(_folder(), ignore_errors=True)
    return len(found)


def _set_up(actor: Any, area: Area, view: str, camera: Camera | None) -> Camera:
    chosen: dict[str, Any] = {"area": area, "enabled": True, "fps": RATE, "people_only": True}
    if camera is not None:
        return cameras.update_camera(actor=actor, camera=camera, **chosen)
    name = NAMES[view]
    if Camera.objects.filter(name=name).exists():
        raise ServiceError(
            "demo_name_taken",
            f"There is another camera called {name!r}. Rename it, then load the demo again.",
        )
    return cameras.create_camera(actor=actor, name=name, address=_address(view), **chosen)


def _demo_cameras() -> Any:
    return Camera.objects.filter(address__in=[_address(view) for view in NAMES])


def _address(view: str) -> str:
    return f"loop:{FOLDER}/{view}.mp4"


def _folder() -> Path:
    return Path(settings.SIGHTLINE_CAMERA_FILES) / FOLDER


def _zones(view: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": zone.name,
            "polygon": view.polygon(zone).round(_DIGITS).tolist(),
            "threshold_sec": zone.threshold,
        }
        for zone in view.zones
    ]


def _lines(view: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": line.name,
            "points": view.line(line).round(_DIGITS).tolist(),
            "forward": line.forward,
            "backward": line.backward,
        }
        for line in view.lines
    ]

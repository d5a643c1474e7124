"""Reading areas and cameras."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from common.accounts.roles import is_administrator
from common.permissions import Verb, get_visible_or_404, visible
from common.permissions.rules import Viewer
from common.secrets import UnreadableSecretError, decrypt
from video_analysis.cameras.models import Area, Camera, CountingLine, Zone
from vision.sources.cameras import AddressRules, Credentials


def list_areas(user: Viewer) -> QuerySet[Area]:
    """Return the areas with a camera that a person may watch, by name; administrators see all."""
    return visible(user, Area.objects.order_by("name"))


def get_area(user: Viewer, area_id: int, verb: Verb = "view") -> Area:
    """Return an area to do `verb` to it.

    Raises:
        Http404: There is none, or none that the person may see.
        PermissionDenied: They may see it, but not do that.
    """
    return get_visible_or_404(user, Area.objects.all(), verb=verb, pk=area_id)


def list_cameras(
    user: Viewer, *, area: int | None = None, enabled: bool | None = None
) -> QuerySet[Camera]:
    """Return the cameras that a person may watch, by name, with all that is set of them.

    Four more queries fetch zones, lines and groups of all of them, however many they are.

    Args:
        user: Who asks.
        area: Only those of the area with this id.
        enabled: Only those that are switched on, or off.
    """
    found = visible(user, all_cameras())
    if area is not None:
        found = found.filter(area_id=area)
    if enabled is not None:
        found = found.filter(enabled=enabled)
    return found.order_by("name")


def get_camera(user: Viewer, camera_id: int, verb: Verb = "view") -> Camera:
    """Return a camera to do `verb` to it, with all that is set of it.

    Raises:
        Http404: There is none, or none that the person may watch.
        PermissionDenied: They may watch it, but not do that.
    """
    return get_visible_or_404(user, all_cameras(), verb=verb, pk=camera_id)


def may_configure(user: Viewer) -> bool:
    """Tell whether a person may add cameras and areas, import, export, and test addresses."""
    return is_administrator(user)


def camera_address_rules() -> AddressRules:
    """Return which addresses this installation lets cameras have."""
    return AddressRules(
        folder=Path(settings.SIGHTLINE_CAMERA_FILES),
        allowed=tuple(settings.SIGHTLINE_CAMERA_HOSTS),
        certificates=settings.SIGHTLINE_CAMERA_CERTIFICATES,
    )


def credentials_of(camera: Camera) -> Credentials | None:
    """Return what a camera is entered with, readable: for whoever connects, and nobody else.

    Raises:
        UnreadableSecretError: They were written with another SIGHTLINE_FIELD_KEY.
    """
    return read_credentials(camera.credentials)


def read_credentials(data: bytes | memoryview | None) -> Credentials | None:
    """Return stored credentials, readable; None where there are none.

    Raises:
        UnreadableSecretError: They were written with another SIGHTLINE_FIELD_KEY, or are damaged.
    """
    if not data:
        return None
    try:
        stored = json.loads(decrypt(data))
        return Credentials(username=str(stored["username"]), password=str(stored["password"]))
    except (ValueError, KeyError, TypeError):
        raise UnreadableSecretError("The stored credentials of a camera are damaged.") from None


def model_of(camera: Camera) -> str:
    """Return the name of the card that looks at a camera's pictures."""
    return camera.model or str(settings.SIGHTLINE_LIVE_MODEL)


def all_cameras() -> QuerySet[Camera]:
    """Return all cameras with all that is set of them, whoever asks: for imports and runners."""
    rows = Camera.objects.select_related("area")
    return rows.prefetch_related(
        Prefetch("zones", Zone.objects.order_by("pk")),
        Prefetch("lines", CountingLine.objects.order_by("pk")),
        "groups",
    )

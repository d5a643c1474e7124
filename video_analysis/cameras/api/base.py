"""What the views of cameras share."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common.permissions import group_ids_of
from video_analysis.cameras.api.serializers import CameraSerializer
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import all_cameras, may_configure


class MayConfigure(BasePermission):
    """For those who may add cameras and areas, test addresses, import and export."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Say whether the request may go on."""
        return may_configure(request.user)


class MayConfigureOrRead(MayConfigure):
    """The same; everybody who is signed in may read what they may see."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Say whether the request may go on; changes of rows are judged row by row."""
        if request.method == "POST":
            return super().has_permission(request, view)
        return bool(request.user and request.user.is_authenticated)


def describe(request: Request, cameras: Any, *, many: bool = False) -> Any:
    """Return a camera, or many, as the caller may see them."""
    return CameraSerializer(cameras, many=many, context=what_may_be_seen(request)).data


def what_may_be_seen(request: Request) -> dict[str, Any]:
    """Return the context of `CameraSerializer`."""
    return {
        "configures": may_configure(request.user),
        "groups": frozenset(group_ids_of(request.user)),
    }


def reread(camera: Camera) -> Camera:
    """Return a camera that was just written, with all that is set of it."""
    return all_cameras().get(pk=camera.pk)

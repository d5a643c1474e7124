"""Who may watch cameras: administrators all of them, others those of their groups."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from common.accounts.roles import is_administrator
from common.permissions import Verb, group_ids_of, register_rule
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Area, Camera


class CameraRule:
    """Rows that follow a camera's groups.

    Members of one of its groups may view; only administrators change, delete and share.

    Args:
        path: Lookup from the model to its camera; empty for the camera itself.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        if is_administrator(user):
            return True
        if verb != "view":
            return False
        return self.filter(user, type(obj)._default_manager.filter(pk=obj.pk)).exists()

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of cameras that `user` may watch."""
        if is_administrator(user):
            return rows
        groups = group_ids_of(user)
        if not groups:
            return rows.none()
        watched = Camera.groups.through.objects.filter(group_id__in=groups)
        return rows.filter(**{f"{self.path or 'pk'}__in": watched.values("camera_id")})


class AreaRule(CameraRule):
    """Areas with at least one camera that a person may watch."""

    def __init__(self) -> None:
        super().__init__("cameras")

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the areas of cameras that `user` may watch."""
        return rows if is_administrator(user) else super().filter(user, rows).distinct()


register_rule(Camera, CameraRule())
register_rule(Area, AreaRule())

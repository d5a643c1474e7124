"""Who may see people who are known by their faces: those who work with them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from common.accounts.roles import is_administrator, may_create
from common.permissions import Verb, register_rule
from common.permissions.rules import Viewer
from recognition.models import FaceReview, FaceSample, Profile


class PeopleRule:
    """Operators and administrators see and change people; only administrators delete them.

    Viewers see nobody: a face is nothing that is shared with a group.
    """

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        return is_administrator(user) if verb in ("delete", "share") else may_create(user)

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` may view."""
        return rows if may_create(user) else rows.none()


for model in (Profile, FaceSample, FaceReview):
    register_rule(model, PeopleRule())

"""Who may see and change styles, and what was painted in them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from common.accounts.roles import is_administrator
from common.permissions import SharedRule, Verb, group_ids_of, register_rule
from common.permissions.rules import Viewer
from styletransfer.models import Restyling, Style


class StyleRule:
    """Everybody sees what comes with Sightline and what is for everybody.

    A picture that somebody has added is theirs, and their group's to see and use; only its owner
    changes it. What is for everybody an administrator may delete, too.
    """

    def __init__(self) -> None:
        self.own = SharedRule()

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        if not user.is_active or user.pk is None:
            return False
        if obj.is_built_in:
            return verb == "view"
        if verb == "view":
            return bool(obj.is_public) or self.own.allows(user, verb, obj)
        if obj.owner_id == user.pk:
            return self.own.allows(user, verb, obj)
        return verb == "delete" and obj.is_public and is_administrator(user)

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` may view."""
        if not user.is_active or user.pk is None:
            return rows.none()
        seen = Q(owner=None) | Q(is_public=True) | Q(owner=user.pk)
        groups = group_ids_of(user)
        return rows.filter(seen | Q(shared_with__in=groups) if groups else seen)


register_rule(Style, StyleRule())
register_rule(Restyling, SharedRule())

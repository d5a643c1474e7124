"""Who may see visits: whoever may see people, and watch a camera of the area.

They may also say who a visitor without a name is: that makes a person, which they may.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from common.accounts.roles import is_administrator, may_create
from common.permissions import Verb, register_rule, visible
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Area
from video_analysis.models import Visitor
from video_analysis.retail.models import Visit


class VisitRule:
    """Operators see the visits of areas of which they watch a camera; administrators all.

    Args:
        verbs: What operators may do with what they see.
    """

    def __init__(self, *verbs: Verb) -> None:
        self.verbs = verbs

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        if is_administrator(user):
            return True
        if verb not in self.verbs:
            return False
        return self.filter(user, type(obj)._default_manager.filter(pk=obj.pk)).exists()

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` may view."""
        if not may_create(user):
            return rows.none()
        if is_administrator(user):
            return rows
        areas = visible(user, Area.objects.order_by()).values("pk")
        return rows.filter(area__in=areas)


register_rule(Visit, VisitRule("view"))
register_rule(Visitor, VisitRule("view", "change"))

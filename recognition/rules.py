"""Who may see people who are known by their faces: those who work with them.

A question about a face belongs to where the face was seen, of which this app knows nothing: apps
that ask such questions register who may see which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from common.accounts.roles import is_administrator, may_create
from common.permissions import Verb, group_ids_of, register_rule
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


ReviewScope: TypeAlias = Callable[[Viewer], Q]
"""Returns which reviews of an origin may be seen by somebody who works with people."""


def of_pictures(user: Viewer) -> Q:
    """Select the reviews of pictures of a user, and of those who share a group with them."""
    if user.pk is None:
        return Q(pk__in=[])
    users = get_user_model().objects.filter(groups__in=group_ids_of(user))
    colleagues = users.order_by().values("pk")
    return Q(asked_by=user.pk) | Q(asked_by__in=colleagues)


_scopes: dict[str, ReviewScope] = {FaceReview.Origin.PICTURE: of_pictures}


def register_review_scope(origin: str, scope: ReviewScope) -> None:
    """Say who may see the reviews of an origin; before that nobody may."""
    _scopes[origin] = scope


class ReviewRule(PeopleRule):
    """Those who work with people, where they may also see what the face is from.

    Pictures are not kept: who asked about one decides about its faces, and who is in a group with
    them.
    """

    def allows(self, user: Viewer, verb: Verb, obj: Any) -> bool:
        """Tell whether `user` may do `verb` to `obj`."""
        rows = FaceReview.objects.filter(pk=obj.pk)
        return super().allows(user, verb, obj) and self.filter(user, rows).exists()

    def filter(self, user: Viewer, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows that `user` may view."""
        seen = Q(pk__in=[])
        for origin, scope in _scopes.items():
            seen |= Q(origin=origin) & scope(user)
        return super().filter(user, rows).filter(seen)


for model in (Profile, FaceSample):
    register_rule(model, PeopleRule())
register_rule(FaceReview, ReviewRule())

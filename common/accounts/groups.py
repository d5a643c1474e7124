"""Which groups a person is in, and which they may share with."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db.models import QuerySet

from common.accounts.roles import is_administrator

Viewer = AbstractBaseUser | AnonymousUser


def group_ids_of(user: Viewer) -> tuple[int, ...]:
    """Return the ids of the groups that a user is in; none for nobody and for the disabled.

    One query per user object; the answer is kept on it, as Django keeps permissions. A request
    reads its user anew, so that who leaves a group has left it with their next request.
    """
    if not user.is_active or user.pk is None:
        return ()
    kept: tuple[int, ...] | None = getattr(user, "_group_ids", None)
    if kept is None:
        memberships = User.groups.through.objects.filter(user_id=user.pk)
        kept = tuple(memberships.order_by("group_id").values_list("group_id", flat=True))
        cast("Any", user)._group_ids = kept
    return kept


def groups_to_share_with(user: Viewer) -> QuerySet[Group]:
    """Return the groups that a user may share with: their own; for administrators all."""
    groups = Group.objects.order_by("name")
    return groups if is_administrator(user) else groups.filter(pk__in=group_ids_of(user))


def hold_group_to_share_with(user: Viewer, group_id: Any) -> Group | None:
    """Return a group that a user may share with, unchanged until the transaction's end.

    A group that goes at this moment goes before or after. It is locked only against that: whoever
    stores something else of the group need not wait.
    """
    groups = groups_to_share_with(user).select_for_update(of=("self",), no_key=True)
    return groups.filter(pk=group_id).first()

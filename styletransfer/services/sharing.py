"""Who else may see a painting."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from common.accounts.groups import hold_group_to_share_with
from common.audit.services import record
from common.models import AuditEntry
from common.permissions import can
from styletransfer.errors import InvalidError, gone
from styletransfer.models import Restyling
from styletransfer.services.events import publish_access_changed


def share_restyling(*, restyling: Restyling, group: int | None, user: Any) -> Restyling:
    """Share a painting with a group in place of the one before, or with nobody.

    Args:
        restyling: One that ``user`` may share.
        group: Id of a group; None makes it private.
        user: Who shares it: with a group that they are in, or any, as an administrator.

    Raises:
        InvalidError: ``unknown_group``.
        StyleError: ``not_found``: it is deleted, or somebody else's, meanwhile.
    """
    with transaction.atomic():
        chosen = None if group is None else _find_group(group, user)
        held = Restyling.objects.select_for_update(no_key=True).filter(pk=restyling.pk).first()
        if held is None or not can(user, "share", held):
            raise gone("painting")
        _change(held, chosen, user)
    restyling.shared_with = chosen
    return restyling


def _change(restyling: Restyling, group: Group | None, user: Any) -> None:
    before = restyling.shared_with
    if before == group:
        return
    Restyling.objects.filter(pk=restyling.pk).update(shared_with=group)
    record(
        action=AuditEntry.Action.SHARED,
        actor=user,
        obj=restyling,
        owner=restyling.owner,
        details={"group": _name(group), "before": _name(before)},
    )
    group_ids = [restyling.shared_with_id, group.pk if group is not None else None]
    publish_access_changed(restyling, group_ids=group_ids)


def _find_group(group: int, user: Any) -> Group:
    found = hold_group_to_share_with(user, group)
    if found is None:
        raise InvalidError({"shared_with": "Choose a group that you are in."}, "unknown_group")
    return found


def _name(group: Group | None) -> str | None:
    return group.name if group is not None else None

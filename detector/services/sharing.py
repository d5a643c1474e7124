"""Who else may see a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from common.accounts.groups import hold_group_to_share_with
from common.audit.services import record
from common.models import AuditEntry
from common.permissions import can, visible
from detector.errors import DetectorError
from detector.models import DetectionSession
from detector.services.events import publish_access_changed
from detector.services.sessions import gone, lock_session


def share_session(*, session: DetectionSession, group: Any, user: Any) -> DetectionSession:
    """Share a session with a group in place of the one before, or with nobody.

    Args:
        session: A session that ``user`` may share.
        group: A group or its id; None makes the session private.
        user: Who shares it: with a group that they are in, or any, as an administrator.

    Raises:
        DetectorError: ``unknown_group`` when there is no such group for ``user``; ``not_found``
            when the session is deleted, or somebody else's, meanwhile.
    """
    with transaction.atomic():
        chosen = _find_group(group, user)
        held = lock_session(session)
        if held is None or not can(user, "share", held):
            raise gone()
        _change(held, chosen, user)
    session.shared_with = chosen
    return session


def share_sessions(*, ids: Iterable[Any], group: Any, user: Any) -> int:
    """Share those of the named sessions that ``user`` may share; how many they are.

    Raises:
        DetectorError: ``unknown_group``, as for one.
    """
    with transaction.atomic():
        chosen = _find_group(group, user)
        rows = visible(user, DetectionSession.objects.filter(pk__in=list(ids)))
        sessions = [
            session
            for session in rows.select_for_update(of=("self",), no_key=True).order_by("pk")
            if can(user, "share", session)
        ]
        for session in sessions:
            _change(session, chosen, user)
    return len(sessions)


def hold_doomed_group(sender: Any, instance: Group, **kwargs: Any) -> None:
    """Let those who are sharing with a group be done before it goes; a signal receiver.

    The group is locked before its sessions, as by whoever shares; what they have shared becomes
    private with the rest.
    """
    Group.objects.select_for_update().filter(pk=instance.pk).first()


def _find_group(group: Any, user: Any) -> Group | None:
    if group is None:
        return None
    found = hold_group_to_share_with(user, getattr(group, "pk", group))
    if found is None:
        message = "Choose a group that you are in."
        raise DetectorError("unknown_group", message, fields={"shared_with": message})
    return found


def _change(session: DetectionSession, group: Group | None, user: Any) -> None:
    before = session.shared_with
    if before == group:
        return
    group_ids = [session.shared_with_id, group.pk if group is not None else None]
    DetectionSession.objects.filter(pk=session.pk).update(shared_with=group)
    record(
        action=AuditEntry.Action.SHARED,
        actor=user,
        obj=session,
        owner=session.owner,
        details={"group": _name(group), "before": _name(before)},
    )
    publish_access_changed(session, group_ids=group_ids)


def _name(group: Group | None) -> str | None:
    return group.name if group is not None else None

"""Writing the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from common.audit.models import AuditEntry
from common.logs.context import current_address, current_via


def record(
    *,
    action: AuditEntry.Action,
    actor: Any = None,
    obj: Model | None = None,
    owner: Any = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add a line to the audit log, in the transaction of what it tells of.

    Args:
        action: What was done.
        actor: The user who did it; None for the system, or a stranger.
        obj: What it was done to.
        owner: Whose it was.
        details: JSON values; never a secret.
    """
    return write(
        action=action,
        actor=actor,
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_name=str(obj) if obj is not None else "",
        owner_name=owner.get_username() if owner is not None else "",
        details=details,
    )


def write(
    *,
    action: AuditEntry.Action,
    actor: Any = None,
    object_type: str = "",
    object_id: str = "",
    object_name: str = "",
    owner_name: str = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add a line about something of which there is no row, or none any more.

    Where it came from, and by what means, is what `common.logs.context` knows.
    """
    known = getattr(actor, "pk", None) is not None
    return AuditEntry.objects.create(
        action=action,
        actor_id=actor.pk if known else None,
        actor_name=actor.get_username()[:150] if known else "",
        object_type=object_type[:64],
        object_id=object_id[:64],
        object_name=printable(object_name, 200),
        owner_name=owner_name[:150],
        address=current_address(),
        via=current_via(),
        details=dict(details or {}),
    )


def printable(text: str, length: int) -> str:
    """Return a text that somebody has typed as one short line; PostgreSQL takes no NUL either."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(line.split())[:length]

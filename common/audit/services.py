"""Writing the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from common.audit.models import AuditEntry


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
    return AuditEntry.objects.create(
        action=action,
        actor_id=getattr(actor, "pk", None),
        actor_name=actor.get_username() if getattr(actor, "pk", None) else "",
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_name=str(obj)[:200] if obj is not None else "",
        owner_name=owner.get_username()[:150] if owner is not None else "",
        details=dict(details or {}),
    )

"""The lines of the audit log that tell who has looked at something of others, or taken it away."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.core.cache import cache
from django.db import DatabaseError, transaction

from common.audit.models import AuditEntry
from common.audit.services import record

logger = logging.getLogger(__name__)

# Who looks at a picture again and again has viewed it once.
SAME_VIEW_SECONDS: Final = 600


def note_viewed(*, obj: Any, user: Any) -> None:
    """Write down that somebody looks at somebody else's picture, once in ten minutes.

    Args:
        obj: A row with an ``owner``.
        user: Who looks.
    """
    if obj.owner_id == user.pk:
        return
    if cache.add(f"viewed.{user.pk}.{obj.pk}", 1, timeout=SAME_VIEW_SECONDS):
        _note(AuditEntry.Action.VIEWED, obj, user, {})


def note_exported(*, obj: Any, user: Any, form: str) -> None:
    """Write down that a result, or the file as it came, has been taken away as a file.

    Args:
        obj: A row with an ``owner``.
        user: Who has taken it.
        form: Which of its files.
    """
    _note(AuditEntry.Action.EXPORTED, obj, user, {"format": form})


def _note(action: AuditEntry.Action, obj: Any, user: Any, details: dict[str, str]) -> None:
    try:
        with transaction.atomic():
            record(action=action, actor=user, obj=obj, owner=obj.owner, details=details)
    except DatabaseError as error:
        # On a full disk one still reads; what cannot be a line of the audit log is one of the log.
        logger.error(
            "%s %s %s %s of %s, and the audit log could not be written: %s",
            user.get_username(),
            action,
            obj._meta.verbose_name,
            obj.pk,
            obj.owner.get_username(),
            error,
        )

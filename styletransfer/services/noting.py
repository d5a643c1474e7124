"""The lines of the audit log that tell who has looked at a painting, or taken it away."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.core.cache import cache
from django.db import DatabaseError, transaction

from common.audit.services import record
from common.models import AuditEntry
from styletransfer.models import Restyling

logger = logging.getLogger(__name__)

# Who looks at a picture again and again has viewed it once.
SAME_VIEW_SECONDS: Final = 600


def note_viewed(*, restyling: Restyling, user: Any) -> None:
    """Write down that somebody looks at somebody else's picture, once in ten minutes."""
    if restyling.owner_id == user.pk:
        return
    if cache.add(f"viewed.{user.pk}.{restyling.pk}", 1, timeout=SAME_VIEW_SECONDS):
        _note(AuditEntry.Action.VIEWED, restyling, user, {})


def note_exported(*, restyling: Restyling, user: Any, form: str) -> None:
    """Write down that a result, or the file as it came, has been taken away."""
    _note(AuditEntry.Action.EXPORTED, restyling, user, {"format": form})


def _note(
    action: AuditEntry.Action, restyling: Restyling, user: Any, details: dict[str, str]
) -> None:
    try:
        with transaction.atomic():
            record(action=action, actor=user, obj=restyling, owner=restyling.owner, details=details)
    except DatabaseError as error:
        # On a full disk one still reads; what cannot be a line of the audit log is one of the log.
        logger.error(
            "%s %s painting %s, and the audit log could not be written: %s",
            user.get_username(),
            action,
            restyling.pk,
            error,
        )

"""What every change leaves behind in the audit log: ids and kinds, never what a person is called.

Lines cannot be taken back, and a person can be: so nothing in them says who it was.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from common.audit.models import AuditEntry
from common.audit.services import write

OBJECT_TYPE = "recognition.profile"


def person_label(profile_id: UUID) -> str:
    """Return what a person is called in the log, e.g. "Person 1a2b3c4d"."""
    return f"Person {profile_id.hex[:8]}"


def note(*, actor: Any, profile_id: UUID, change: str, **details: Any) -> None:
    """Write a change of a person into the log.

    Args:
        actor: Who did it; None for the system.
        profile_id: Of the person.
        change: What was done, e.g. "enrolled".
        **details: JSON values: ids, counts, names of fields.
    """
    write_line(AuditEntry.Action.SETTINGS, actor, profile_id, {"change": change, **details})


def note_deleted(*, actor: Any, profile_id: UUID, **details: Any) -> None:
    """Write a deletion into the log."""
    write_line(AuditEntry.Action.DELETED, actor, profile_id, details)


def write_line(
    action: AuditEntry.Action, actor: Any, profile_id: UUID, details: dict[str, Any]
) -> None:
    """Write one line about a person."""
    write(
        action=action,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_id=str(profile_id),
        object_name=person_label(profile_id),
        details=details,
    )

"""What looking at people leaves behind in the audit log: ids and counts, never names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from common.audit.models import AuditEntry
from common.audit.services import write
from recognition.services.noting import OBJECT_TYPE, write_line

if TYPE_CHECKING:
    from recognition.services.recognising import RecognisedFace

MOST_IDS: Final = 200


def note_person_viewed(*, actor: Any, profile_id: UUID, what: str = "profile") -> None:
    """Write down that somebody looked at one person's data.

    Args:
        actor: Who looked.
        profile_id: Whose data it was.
        what: What of it: "profile", "samples", "photo", "consent", …
    """
    write_line(AuditEntry.Action.VIEWED, actor, profile_id, {"what": what})


def note_people_listed(*, actor: Any, count: int, what: str = "people") -> None:
    """Write down that somebody looked at a list, as one line.

    Args:
        actor: Who looked.
        count: How many rows the page of the list showed.
        what: What was listed: "people", "reviews", …
    """
    _write(actor, f"a list of {what}", {"what": what, "count": count})


def note_recognised(*, actor: Any, faces: Sequence[RecognisedFace]) -> None:
    """Write down that somebody had a picture recognised, and the ids of who was found."""
    known = [str(face.match.profile.pk) for face in faces if face.match]
    perhaps = [str(face.candidate.profile.pk) for face in faces if face.candidate]
    ids = {"known": known[:MOST_IDS], "uncertain": perhaps[:MOST_IDS]}
    _write(actor, "the people on a picture", {"what": "matches", "faces": len(faces), **ids})


def _write(actor: Any, name: str, details: dict[str, Any]) -> None:
    write(
        action=AuditEntry.Action.VIEWED,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_name=name,
        details=details,
    )

"""Who is told whom a photo shows already, or looks like; each time as a line of the audit log.

What the services refuse names nobody: it holds an id, and becomes a name only when it is shown to
somebody who may know it. So nothing that is stored keeps the name of somebody who is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from common.permissions import visible
from recognition.errors import EnrolmentError
from recognition.models import Consent, Profile
from recognition.services.archives import Refusal
from recognition.services.auditing import note_people_listed, note_person_viewed
from recognition.services.privacy import current_privacy

LOOKS_LIKE: Final = "looks_like"
BEGINNINGS: Final = {
    "same_photo": "This photo was enrolled for",
    LOOKS_LIKE: "This face looks like",
}
"""Of the sentences that end with who it is."""


def about_another(code: str, profile_id: UUID) -> EnrolmentError:
    """Return what is said of a photo that is, or looks like, somebody else's; it names nobody."""
    return EnrolmentError(code, f"{BEGINNINGS[code]} somebody else already.", profile_id=profile_id)


def people_to_name(actor: Any, profile_ids: Collection[UUID], code: str) -> dict[UUID, Profile]:
    """Return those people who may be named to somebody.

    Args:
        actor: Who would be told; None is told nobody.
        profile_ids: Of those whom photos show.
        code: Of `BEGINNINGS`. By their face only those are named whom the privacy settings allow
            to be recognised in uploads; the very same file is no question of faces.
    """
    if actor is None or not profile_ids:
        return {}
    people = visible(actor, Profile.objects.filter(pk__in=set(profile_ids)))
    if code == LOOKS_LIKE:
        privacy = current_privacy()
        if not privacy.recognise_uploads:
            return {}
        if privacy.uploads_need_consent:
            agreed = Consent.objects.filter(withdrawn_at=None).order_by()
            people = people.filter(pk__in=agreed.values("profile"))
    return {profile.pk: profile for profile in people}


def name_in_error(actor: Any, error: EnrolmentError) -> EnrolmentError:
    """Return an error as somebody may read it: with the other person's name, or without the id."""
    if error.profile_id is None:
        return error
    other = people_to_name(actor, [error.profile_id], error.code).get(error.profile_id)
    if other is None:
        return EnrolmentError(error.code, error.message)
    note_person_viewed(actor=actor, profile_id=other.pk, what=error.code)
    message = f"{BEGINNINGS[error.code]} {other.name}."
    return EnrolmentError(error.code, message, profile_id=other.pk)


def name_in_refusals(actor: Any, refused: Sequence[Refusal]) -> list[Refusal]:
    """Return what an import has refused as somebody may read it: with names, or without ids."""
    found = {
        code: people_to_name(
            actor, {UUID(row.profile) for row in refused if row.profile and row.code == code}, code
        )
        for code in BEGINNINGS
    }
    named = {profile_id for people in found.values() for profile_id in people}
    if named:
        note_people_listed(actor=actor, count=len(named), what="people in an import's report")
    return [_named(row, found.get(row.code, {})) for row in refused]


def _named(row: Refusal, found: dict[UUID, Profile]) -> Refusal:
    other = found.get(UUID(row.profile)) if row.profile else None
    if other is None:
        return replace(row, profile="")
    return replace(row, message=f"{BEGINNINGS[row.code]} {other.name}.")

"""Rows of people, held against others until the transaction ends.

Always in the order of their ids, and before `note_change`: so no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from recognition.errors import ChangedMeanwhileError, GoneError
from recognition.models import Profile


def hold_profile(profile_id: UUID, revision: int | None = None) -> Profile:
    """Return a profile as it is now, held until the transaction ends.

    Args:
        profile_id: Which one.
        revision: Of the profile that the caller has seen; None takes it whatever it is now.

    Raises:
        GoneError: It was deleted.
        ChangedMeanwhileError: ``revision`` is not its revision any more.
    """
    held = hold_profiles([profile_id]).get(profile_id)
    if held is None:
        raise GoneError("person")
    if revision is not None and held.revision != revision:
        raise ChangedMeanwhileError(held.revision)
    return held


def hold_profiles(profile_ids: Iterable[UUID]) -> dict[UUID, Profile]:
    """Return those of some profiles that are still there, held until the transaction ends."""
    rows = Profile.objects.select_for_update().filter(pk__in=set(profile_ids)).order_by("pk")
    return {profile.pk: profile for profile in rows}


def raise_revision(profile: Profile) -> None:
    """Count a change of a profile that is held."""
    Profile.objects.filter(pk=profile.pk).update(revision=F("revision") + 1)
    profile.refresh_from_db(fields=["revision"])

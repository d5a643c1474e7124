"""What people agree to, who has agreed, and who does not any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from common.audit.models import AuditEntry
from common.audit.services import record
from recognition.errors import ConflictError, InvalidError
from recognition.models import Consent, ConsentText, Profile
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile
from recognition.services.noting import note

LONGEST_TEXT: Final = 20_000
NO_TEXT: Final = (
    "There is no text yet that people could agree to; an administrator writes it in the privacy "
    "settings."
)

WITHDRAWN_SINCE: Final = (
    "They have withdrawn their agreement since. What they agreed to before that does not count; "
    "ask them again."
)


def current_text() -> ConsentText | None:
    """Return the newest version of the text; None before the first."""
    return ConsentText.objects.order_by("-version").first()


def publish_consent_text(*, actor: Any, text: str) -> ConsentText:
    """Make a text the one that people agree to from now on; agreements to older ones stay.

    The same text again is no new version.

    Raises:
        InvalidError: The text is empty or too long.
    """
    cleaned = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not cleaned:
        raise InvalidError({"text": "Write what people agree to."})
    if len(cleaned) > LONGEST_TEXT:
        raise InvalidError({"text": f"The text has at most {LONGEST_TEXT:,} characters."})
    while True:
        newest = current_text()
        if newest is not None and newest.text == cleaned:
            return newest
        try:
            return _publish(actor, cleaned)
        except IntegrityError:  # somebody else has published this very version
            continue


def record_consent(*, actor: Any, profile: Profile, given_at: datetime | None = None) -> Consent:
    """Write down that a person has agreed to the current text.

    Who has agreed to it already is left alone; an agreement to an older text ends.

    Args:
        actor: Who writes it down.
        profile: Who has agreed.
        given_at: When; None for now. Not in the future.

    Raises:
        ConflictError: ``no_consent_text``.
        InvalidError: ``given_at`` is in the future, or not after they have withdrawn.
        GoneError: The profile was deleted.
    """
    now = timezone.now()
    if given_at is not None and given_at > now:
        raise InvalidError({"given_at": "Nobody can have agreed in the future."})
    with transaction.atomic():
        held = hold_profile(profile.pk)
        text = current_text()
        if text is None:
            raise ConflictError("no_consent_text", NO_TEXT)
        active = held.consents.filter(withdrawn_at=None).first()
        if active is not None and active.text_id == text.pk:
            return active
        moment = given_at or now
        if given_at is not None and active is None and _ended_after(held, given_at):
            raise InvalidError({"given_at": WITHDRAWN_SINCE})
        note_change([held.pk])
        if active is not None:
            _end([active.pk], actor, max(moment, active.given_at))
        made = Consent.objects.create(
            profile=held,
            text=text,
            given_at=moment,
            recorded_by=actor,
            recorded_by_name=_name(actor),
        )
        note(actor=actor, profile_id=held.pk, change="consent given", version=text.version)
    return made


def withdraw_consent(*, actor: Any, profile: Profile) -> Consent | None:
    """End a person's agreement: searches among those who have agreed miss them at once.

    Returns:
        The agreement that has ended; None when there was none.

    Raises:
        GoneError: The profile was deleted.
    """
    with transaction.atomic():
        held = hold_profile(profile.pk)
        active = held.consents.filter(withdrawn_at=None).first()
        if active is None:
            return None
        note_change([held.pk])
        _end([active.pk], actor, timezone.now())
        note(actor=actor, profile_id=held.pk, change="consent withdrawn")
        active.refresh_from_db()
    return active


def has_consent(profile_id: UUID) -> bool:
    """Tell whether a person has agreed, and still does."""
    return Consent.objects.filter(profile=profile_id, withdrawn_at=None).exists()


def has_withdrawn(profile_id: UUID) -> bool:
    """Tell whether a person has agreed once, and does not any more."""
    return not has_consent(profile_id) and Consent.objects.filter(profile=profile_id).exists()


def _ended_after(profile: Profile, moment: datetime) -> bool:
    """Tell of somebody who does not agree any more whether they have withdrawn since a moment."""
    return profile.consents.filter(withdrawn_at__gte=moment).exists()


def _publish(actor: Any, text: str) -> ConsentText:
    with transaction.atomic():
        newest = ConsentText.objects.aggregate(newest=Max("version"))["newest"] or 0
        made = ConsentText.objects.create(version=newest + 1, text=text, created_by=actor)
        record(
            action=AuditEntry.Action.SETTINGS,
            actor=actor,
            obj=made,
            details={"change": "consent text published", "version": made.version},
        )
    return made


def _end(ids: list[int], actor: Any, moment: datetime) -> None:
    Consent.objects.filter(pk__in=ids).update(withdrawn_at=moment, withdrawn_by_name=_name(actor))


def _name(actor: Any) -> str:
    return "" if actor is None else str(actor.get_username())[:150]

"""What the installation may do with faces, and how long it knows people: one row, audited."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from common.audit.models import AuditEntry
from common.audit.services import record
from common.errors import ServiceError
from recognition.models import PrivacySettings

FIELDS = (
    *("recognise_uploads", "uploads_need_consent", "customer_days", "staff_days"),
    *("sighting_days", "review_days", "visitor_hours"),
)
MOST_DAYS = 36_500


def current_privacy() -> PrivacySettings:
    """Return the settings; those of a new installation until somebody changes them."""
    return PrivacySettings.objects.filter(pk=1).first() or PrivacySettings(pk=1)


def change_privacy(*, actor: Any, **fields: Any) -> PrivacySettings:
    """Change some of the settings; what is not named stays.

    Shorter times take effect with the next run of `recognition.services.retaining`, within a
    minute.

    Args:
        actor: The administrator who does it.
        **fields: Of `FIELDS`; None for days that never end.

    Raises:
        ServiceError: ``invalid``, with a sentence for each field that makes no sense.
    """
    unknown = {name: "There is no such setting." for name in fields if name not in FIELDS}
    if unknown:
        raise _invalid(unknown)
    with transaction.atomic():
        PrivacySettings.objects.get_or_create(pk=1)
        row = PrivacySettings.objects.select_for_update().get(pk=1)
        before = _values(row)
        for name, value in fields.items():
            setattr(row, name, value)
        _judge(row)
        after = _values(row)
        if after != before:
            row.changed_at = timezone.now()
            row.save()
            record(
                action=AuditEntry.Action.SETTINGS,
                actor=actor,
                obj=row,
                details={"before": before, "after": after},
            )
    return row


def _judge(row: PrivacySettings) -> None:
    wrong: dict[str, str] = {}
    try:
        row.clean_fields()
    except ValidationError as error:
        wrong = {name: " ".join(texts) for name, texts in error.message_dict.items()}
    for name in ("customer_days", "staff_days", "sighting_days"):
        days = getattr(row, name)
        if name not in wrong and days is not None and not 1 <= days <= MOST_DAYS:
            wrong[name] = f"From 1 to {MOST_DAYS:,} days, or nothing."
    if wrong:
        raise _invalid(wrong)


def _invalid(wrong: dict[str, str]) -> ServiceError:
    return ServiceError("invalid", next(iter(wrong.values())), fields=wrong)


def _values(row: PrivacySettings) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}

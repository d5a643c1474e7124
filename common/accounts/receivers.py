"""What follows when accounts change elsewhere."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_changed
from django.contrib.auth import get_user_model
from django.db.models.signals import pre_save

from common.accounts.services import record_email


def connect() -> None:
    """Begin to listen."""
    pre_save.connect(lower_email, sender=get_user_model(), dispatch_uid="accounts.lower_email")
    email_changed.connect(note_email, dispatch_uid="accounts.note_email")


def lower_email(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Keep addresses in small letters, as allauth looks them up."""
    instance.email = (instance.email or "").lower()


def note_email(sender: Any, user: Any, **kwargs: Any) -> None:
    """Write down that a new address was confirmed."""
    record_email(user=user)

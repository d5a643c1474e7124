"""Telling all processes which samples have changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from recognition.models import GalleryChange, GalleryState, Profile

KEPT_VERSIONS: Final = 5_000
KEY: Final = 1


def note_change(profile_ids: Iterable[UUID]) -> None:
    """Say in the caller's transaction that samples, negatives, threshold or consent have changed.

    From here to its end the transaction holds back all others that change the gallery. So rows of
    profiles are held before this, never after it, and little is left to be done.

    Args:
        profile_ids: Of those who have changed, or are gone; none changes nothing.
    """
    ids = sorted(set(profile_ids))
    if not ids:
        return
    with transaction.atomic():
        version = _raise_version()
        GalleryChange.objects.bulk_create(
            [GalleryChange(version=version, profile_id=profile_id) for profile_id in ids]
        )
        _forget_old()


def note_deleted_profile(instance: Profile, **kwargs: Any) -> None:
    """Say of a profile that it is gone; a signal receiver.

    A signal, because no process may find somebody who is gone, whoever deletes the row.
    """
    note_change([instance.pk])


def current_version() -> int:
    """Return the version of all samples; 0 before the first."""
    return GalleryState.objects.filter(pk=KEY).values_list("version", flat=True).first() or 0


def _raise_version() -> int:
    """Raise and return the version: at least the clock's microseconds.

    A version that was rolled back, or is of a database that a backup has replaced, is not used for
    something else: who knows it sees that the log does not, and reads everything.
    """
    mine = GalleryState.objects.filter(pk=KEY)
    raised = Greatest(F("version") + 1, Value(time.time_ns() // 1000))
    if not mine.update(version=raised):
        try:
            with transaction.atomic():
                GalleryState.objects.create(pk=KEY)
        except IntegrityError:
            pass  # somebody else was the first
        mine.update(version=raised)
    return mine.values_list("version", flat=True).get()


def _forget_old() -> None:
    """Drop the log's beginning, now and then."""
    if GalleryChange.objects.count() < 2 * KEPT_VERSIONS:
        return
    versions = GalleryChange.objects.order_by("-version").values_list("version", flat=True)
    GalleryChange.objects.filter(version__lt=versions[KEPT_VERSIONS]).delete()

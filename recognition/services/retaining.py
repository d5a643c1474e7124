"""Forgetting in time: people after their last visit, open doubts, what was interrupted.

Other apps add what they keep for a while, such as sightings. A run takes seconds at most and leaves
the rest to the next; a run that breaks off is simply run again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from common.audit.models import AuditEntry
from common.audit.services import record
from common.people.files import discard_files
from common.people.journal import erase_again
from recognition.models import FaceReview, PrivacySettings, Profile
from recognition.services.erasing import complete_journal, erase_person, finish_erasures
from recognition.services.importing import forget_old_imports
from recognition.services.noting import person_label
from recognition.services.privacy import current_privacy

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 60
ROUND_SECONDS = 5.0
BATCH = 200
DUE = "recognition.retention"
IMPORTS_SECONDS = 3600
IMPORTS_DUE = "recognition.retention.imports"

Expiry: TypeAlias = Callable[[PrivacySettings, datetime, float], dict[str, int]]
"""Deletes what is older than the settings allow at a moment, until a monotonic time at most;
returns how many of what, by plural noun."""
Step: TypeAlias = Callable[[], dict[str, int]]

_expiries: dict[str, Expiry] = {}
_state: dict[str, Any] = {"journal_read": False}


def register_expiry(name: str, expiry: Expiry) -> None:
    """Have something deleted in time; the same name again replaces it."""
    _expiries[name] = expiry


def forget_in_time_if_due() -> int:
    """Delete for a few seconds once a minute; return how much went.

    Any number of processes may call this as often as they like.
    """
    if not _state["journal_read"] and time.monotonic() >= _state.get("due", 0.0):
        _state["journal_read"] = _follow_journal()
        _state["due"] = time.monotonic() + INTERVAL_SECONDS
    if not cache.add(DUE, 1, timeout=INTERVAL_SECONDS):
        return 0
    return sum(forget_in_time(seconds=ROUND_SECONDS).values())


def forget_in_time(*, now: datetime | None = None, seconds: float = 3600.0) -> dict[str, int]:
    """Delete what is older than it may be, and write down how much.

    Args:
        now: The moment; the present one by default.
        seconds: After which the rest is left to the next run.

    Returns:
        How many of what went, by plural noun; empty when nothing was due.
    """
    now, until = now or timezone.now(), time.monotonic() + seconds
    settings = current_privacy()
    # What is short-lived soon: faces of visitors must never wait for people.
    steps: list[Step] = [
        lambda: {"erasures that were interrupted": finish_erasures()},
        *(partial(expiry, settings, now, until) for expiry in _expiries.values()),
        lambda: {"reports of imports": _expire_imports()},
        lambda: {"reviews": _expire_reviews(settings, now, until)},
        lambda: {"people": _expire_people(settings, now, until)},
    ]
    went = {name: count for step in steps for name, count in _try(step).items() if count}
    if went:
        details = {name.replace(" ", "_"): count for name, count in went.items()}
        record(
            action=AuditEntry.Action.MAINTENANCE,
            details={"what": "forgetting people in time", **details},
        )
    return went


def _follow_journal() -> bool:
    """Look who should not be there; return whether that needs no doing again.

    Once in a process: whoever was erased may be back with a database that was put in place, or the
    list of them may have stayed elsewhere. Neither holds up the other, or forgetting in time.
    """
    done = True
    for step in (complete_journal, erase_again):
        try:
            step()
        except Exception:
            logger.exception("The list of people who were erased could not be followed")
            done = False
    return done


def _try(step: Step) -> dict[str, int]:
    """Do one thing; one that fails does not hold up the others, and is tried again in a minute."""
    try:
        return step()
    except Exception:
        logger.exception("Something could not be forgotten in time")
        return {}


def expired_people(settings: PrivacySettings, now: datetime) -> Q:
    """Select profiles whose last visit, or enrolment, is longer ago than their kind is kept."""
    due = Q(pk__in=[])
    for kind, days in (
        (Profile.Kind.CUSTOMER, settings.customer_days),
        (Profile.Kind.STAFF, settings.staff_days),
    ):
        if days:
            due |= Q(kind=kind, known_until__lt=now - timedelta(days=days))
    return due


def _expire_imports() -> int:
    return forget_old_imports() if cache.add(IMPORTS_DUE, 1, timeout=IMPORTS_SECONDS) else 0


def _expire_people(settings: PrivacySettings, now: datetime, until: float) -> int:
    gone = 0
    rows = Profile.objects.annotate(known_until=Coalesce("last_visit_at", "created_at"))
    due = rows.filter(expired_people(settings, now)).order_by("known_until")
    for person in list(due.values_list("pk", flat=True)[:BATCH]):
        if time.monotonic() > until:
            break
        try:
            erase_person(actor=None, profile_id=person, reason="retention")
        except Exception:  # it does not hold up the others, and is tried again in a minute
            logger.exception("%s was not erased in time", person_label(person))
        else:
            gone += 1
    return gone


def _expire_reviews(settings: PrivacySettings, now: datetime, until: float) -> int:
    """Delete doubts, open ones too: a face that nobody has looked at does not stay for that."""
    before, gone = now - timedelta(days=settings.review_days), 0
    due = FaceReview.objects.filter(created_at__lt=before).order_by("created_at")
    while time.monotonic() < until:
        batch = list(due.values_list("pk", "crop")[:BATCH])
        if not batch:
            break
        with transaction.atomic():
            FaceReview.objects.filter(pk__in=[pk for pk, _ in batch]).delete()
            discard_files(name for _, name in batch)
        gone += len(batch)
    return gone

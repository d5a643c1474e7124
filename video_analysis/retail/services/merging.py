"""Two people who are one: visits at the same time become one, and all are counted anew."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from recognition.models import Profile, ProfileMerge
from video_analysis.retail.models import Visit


def join_visits(target: UUID, source: UUID) -> None:
    """Make one of visits of two people to an area that overlap; listens to merges.

    The earlier one takes the other in. Runs in the transaction of the merge, before rows go over.
    """
    rows = Visit.objects.select_for_update().filter(profile__in=[target, source])
    held = list(rows.order_by("pk"))  # in the order of all who hold several visits
    last: dict[int, Visit] = {}
    for visit in sorted(held, key=lambda one: (one.entry, one.pk)):
        before = last.get(visit.area_id)
        if before is not None and _overlap(before, visit):
            _take_in(before, visit)
        else:
            last[visit.area_id] = visit


def _overlap(first: Visit, second: Visit) -> bool:
    both_open = first.exit is None and second.exit is None
    return both_open or second.entry <= (first.exit or first.last_seen)


def _take_in(kept: Visit, gone: Visit) -> None:
    """Add a later visit to the one that goes on."""
    gone.delete()  # first: of one person there is one open visit
    waits = [
        (visit.entry - kept.entry).total_seconds() + visit.waiting_seconds
        for visit in (kept, gone)
        if visit.waiting_seconds is not None
    ]
    kept.waiting_seconds = min(waits, default=None)
    kept.last_seen = max(kept.last_seen, gone.last_seen)
    kept.exit = None if kept.exit is None or gone.exit is None else kept.last_seen
    kept.interactions = max(kept.interactions, gone.interactions)
    served = [at for at in (kept.last_interaction_at, gone.last_interaction_at) if at]
    kept.last_interaction_at = max(served, default=None)
    kept.sightings += gone.sightings
    kept.mood = sorted([*kept.mood, *gone.mood], key=lambda point: str(point["at"]))
    kept.save()


def count_after_merge(
    sender: type[ProfileMerge], instance: ProfileMerge, created: bool, **kwargs: Any
) -> None:
    """Count the visits of who stays, as some became one; a signal receiver."""
    if created:
        recount_visits([instance.target_id])


def count_after_change(
    sender: type[Profile],
    instance: Profile,
    created: bool,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Count anew where who somebody is has changed; a signal receiver.

    Staff have no visits, so the kind decides; and who was taken out of another person again gets
    their rows back after this, in the same transaction.
    """
    if created:
        merges = ProfileMerge.objects.filter(source_id=instance.pk)
        targets = list(merges.values_list("target_id", flat=True))
        if targets:
            again = partial(recount_visits, [instance.pk, *targets])
            transaction.on_commit(again, robust=True)
    elif update_fields is not None and "kind" in update_fields:
        recount_visits([instance.pk])


def recount_visits(profile_ids: Iterable[UUID]) -> None:
    """Have people say of their visits what the rows say; who has none since keeps the date."""
    with transaction.atomic():
        ids = set(profile_ids)
        for profile in Profile.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
            rows = Visit.objects.filter(profile=profile)
            staff = profile.kind == Profile.Kind.STAFF
            changes: dict[str, Any] = {"visit_count": 0 if staff else rows.count()}
            last = rows.aggregate(last=Max("last_seen"))["last"]
            if last is not None:
                changes["last_visit_at"] = last
            Profile.objects.filter(pk=profile.pk).update(**changes)

"""Setting how long things are kept, and the run that deletes what is older."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common.accounts.models import Account
from common.audit.models import AuditEntry
from common.audit.services import record
from common.jobs.models import Job
from common.jobs.services import enqueue_job
from common.storage.models import RetentionPolicy
from common.storage.orphans import delete_orphans, find_orphans
from common.storage.retention import Removed, delete_expired_results, remove_expired_pictures
from common.storage.selectors import JOB_KIND, current_policy, cutoff, kept_uploads
from common.storage.work import remove_abandoned

logger = logging.getLogger(__name__)

INTERVAL = timedelta(hours=1)
KEPT_RUNS = timedelta(days=7)  # how long the jobs of past runs stay in the list
MEASURED = 500

Checkpoint = Callable[[float, str], None]


def set_retention(
    *, actor: Any, picture_days: int | None, result_days: int | None
) -> RetentionPolicy:
    """Set after how many days pictures and results go; None keeps them for ever."""
    with transaction.atomic():
        current_policy()
        policy = RetentionPolicy.objects.select_for_update().get(pk=1)
        before = _days(policy)
        policy.picture_days, policy.result_days = picture_days, result_days
        after = _days(policy)
        if after != before:
            policy.changed_at = timezone.now()
            policy.save(update_fields=["picture_days", "result_days", "changed_at"])
            record(
                action=AuditEntry.Action.SETTINGS,
                actor=actor,
                obj=policy,
                details={"before": before, "after": after},
            )
    return policy


def request_cleanup(*, actor: Any) -> Job:
    """Queue a run now; one that waits or runs already is returned instead."""
    with transaction.atomic():
        RetentionPolicy.objects.select_for_update().filter(pk=current_policy().pk).first()
        waiting = Job.objects.filter(
            kind=JOB_KIND, state__in=[Job.State.QUEUED, Job.State.RUNNING]
        ).first()
        return waiting or enqueue_job(
            kind=JOB_KIND, owner=actor, payload={"by": actor.get_username()}, queue="default"
        )


def cleanup_if_due() -> bool:
    """Have the hourly run done, if an hour has gone since the last; return whether it was due.

    Any number of processes may call this as often as they like: a conditional UPDATE lets one of
    them through. The run is a job of the first administrator; without any it is done here.
    """
    now = timezone.now()
    due = Q(last_run_at=None) | Q(last_run_at__lt=now - INTERVAL)
    policy = current_policy()
    if policy.last_run_at is not None and policy.last_run_at >= now - INTERVAL:
        return False
    if not RetentionPolicy.objects.filter(due, pk=policy.pk).update(last_run_at=now):
        return False
    owner = _first_administrator()
    if owner is None:
        run_cleanup()
    else:
        enqueue_job(kind=JOB_KIND, owner=owner, payload={}, queue="default")
    return True


def run_cleanup(*, actor: Any = None, checkpoint: Checkpoint | None = None) -> dict[str, Any]:
    """Delete what is older than it may be and what belongs to nobody; safe to repeat.

    Args:
        actor: Who asked for it; None for the hourly run.
        checkpoint: Called with progress and message; may raise to end the run between two steps.

    Returns:
        What was done, in the form that `RetentionPolicy.last_run` keeps.
    """
    checkpoint = checkpoint or _go_on
    began = timezone.now()
    policy = current_policy()
    results, pictures = 0, Removed()
    if policy.result_days:
        before = cutoff(policy.result_days)
        results = delete_expired_results(before=before, checkpoint=checkpoint)
    if policy.picture_days:
        before = cutoff(policy.picture_days)
        pictures = remove_expired_pictures(before=before, checkpoint=checkpoint)
    measure_thumbnails(checkpoint=checkpoint)
    found = find_orphans(checkpoint=checkpoint)
    gone = delete_orphans(found, checkpoint=checkpoint)
    remove_abandoned()
    report = {
        "began_at": began.isoformat(),
        "seconds": round((timezone.now() - began).total_seconds(), 2),
        "results": results,
        "pictures": pictures.count,
        "bytes": pictures.bytes + (0 if found.is_suspicious else found.bytes),
        "files": found.files,
        "orphans": found.doomed,
        "orphan_bytes": found.bytes,
        "orphans_deleted": gone,
        "orphans_refused": found.is_suspicious,
        "missing": len(found.missing),
    }
    _keep_report(report, actor)
    return report


def measure_thumbnails(*, checkpoint: Checkpoint) -> None:
    """Note the weight of thumbnails that were stored before their weight was kept."""
    unmeasured = kept_uploads().filter(thumbnail_size=0).exclude(thumbnail="").order_by("pk")
    last = None
    while batch := list((unmeasured.filter(pk__gt=last) if last else unmeasured)[:MEASURED]):
        checkpoint(0.5, "Weighing thumbnails")
        for upload in batch:
            try:
                size = upload.thumbnail.size
            except FileNotFoundError:
                continue
            kept_uploads().filter(pk=upload.pk).update(thumbnail_size=size)
        last = batch[-1].pk


def _keep_report(report: dict[str, Any], actor: Any) -> None:
    noteworthy = report["results"] or report["pictures"] or report["orphans"]
    with transaction.atomic():
        policy = current_policy()
        RetentionPolicy.objects.filter(pk=policy.pk).update(
            last_run_at=timezone.now(), last_run=report
        )
        Job.objects.filter(kind=JOB_KIND, finished_at__lt=timezone.now() - KEPT_RUNS).delete()
        if actor is not None or noteworthy:
            record(
                action=AuditEntry.Action.MAINTENANCE,
                actor=actor,
                obj=policy,
                details={"what": "cleanup", **report},
            )
    if report["orphans_refused"]:
        logger.error(
            "%d of %d stored files belong to nobody, more than half: none was deleted. Is the "
            "right database in use?",
            *(report["orphans"], report["files"]),
        )


def _first_administrator() -> Any:
    users = get_user_model().objects.filter(is_active=True)
    administrators = Q(is_superuser=True) | Q(account__role=Account.Role.ADMINISTRATOR)
    return users.filter(administrators).order_by("pk").first()


def _days(policy: RetentionPolicy) -> dict[str, int | None]:
    return {"picture_days": policy.picture_days, "result_days": policy.result_days}


def _go_on(progress: float, message: str) -> None:
    return None

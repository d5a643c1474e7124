"""What storage must know of sessions: which are old, and what uploads they need."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from common.models import Job
from common.storage.registry import Results, register_results
from detector.models import DetectionSession
from detector.services.sessions import delete_session

UNFINISHED = [Job.State.QUEUED, Job.State.RUNNING]
FINISHED = Q(job=None) | ~Q(job__state__in=UNFINISHED)


def expired_sessions(before: datetime) -> QuerySet[DetectionSession]:
    """Finished sessions made before a moment, oldest first."""
    rows = DetectionSession.objects.filter(FINISHED, created_at__lt=before)
    return rows.select_related("job").order_by("created_at", "pk")


def sessions_that_stay(before: datetime | None) -> Exists:
    """Tell of an upload whether a session on it stays when those made before a moment go."""
    rows = DetectionSession.objects.filter(upload=OuterRef("pk"))
    if before is not None:
        rows = rows.filter(Q(created_at__gte=before) | ~FINISHED)
    return Exists(rows)


def sessions_at_work() -> Exists:
    """Tell of an upload whether a session on it waits or runs."""
    return Exists(DetectionSession.objects.filter(upload=OuterRef("pk"), job__state__in=UNFINISHED))


register_results(
    Results(
        name="sessions",
        expired=expired_sessions,
        users=sessions_that_stay,
        busy=sessions_at_work,
        delete=lambda session: delete_session(session=session),
    )
)

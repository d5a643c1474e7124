"""What storage must know of paintings: which are old, and what uploads they need."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from common.storage.registry import Results, register_results
from styletransfer.models import Restyling
from styletransfer.services.deleting import delete_restyling

FINISHED = ~Q(job__state__in=Restyling.UNFINISHED)


def expired_restylings(before: datetime) -> QuerySet[Restyling]:
    """Finished paintings made before a moment, oldest first."""
    rows = Restyling.objects.filter(FINISHED, created_at__lt=before)
    return rows.select_related("job").order_by("created_at", "pk")


def restylings_that_stay(before: datetime | None) -> Exists:
    """Tell of an upload whether a painting of it stays when those made before a moment go."""
    rows = Restyling.objects.filter(upload=OuterRef("pk"))
    if before is not None:
        rows = rows.filter(Q(created_at__gte=before) | ~FINISHED)
    return Exists(rows)


def restylings_at_work() -> Exists:
    """Tell of an upload whether a painting of it waits or runs."""
    rows = Restyling.objects.filter(upload=OuterRef("pk"), job__state__in=Restyling.UNFINISHED)
    return Exists(rows)


def delete_expired(restyling: Restyling) -> None:
    """Delete one, and the upload with its last."""
    delete_restyling(restyling=restyling)


register_results(
    Results(
        name="paintings",
        expired=expired_restylings,
        users=restylings_that_stay,
        busy=restylings_at_work,
        delete=delete_expired,
    )
)

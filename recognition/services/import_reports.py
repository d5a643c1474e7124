"""What has become of the people in an imported file, as its job remembers it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from common.models import Job
from recognition.services.archives import Refusal
from recognition.services.naming import name_in_refusals

JOB_KIND: Final = "recognition.import"
AT_WORK: Final = (Job.State.QUEUED, Job.State.RUNNING)
REPORTED: Final = 1_000
"""Refusals that a report names; the others are counted."""


@dataclass
class ImportReport:
    """What has become of the people in a file.

    Attributes:
        people: How many folders there are.
        done: How many of them are done.
        pictures: How many pictures there are in all.
        added: How many people are new.
        known: How many were there already and have got samples.
        samples: How many samples were added.
        already: Pictures that the same person had already.
        refused: What was not taken, and why; at most `REPORTED`.
        more: How many refusals are not named.
    """

    people: int = 0
    done: int = 0
    pictures: int = 0
    added: int = 0
    known: int = 0
    samples: int = 0
    already: int = 0
    refused: list[Refusal] = field(default_factory=list)
    more: int = 0

    def refuse(self, refusal: Refusal) -> None:
        """Note what was not taken."""
        if len(self.refused) < REPORTED:
            self.refused.append(refusal)
        else:
            self.more += 1

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def report_of(job: Job) -> ImportReport:
    """Return what has become of an import so far; nobody is named but by the names of folders."""
    data = dict(job.payload.get("report") or {})
    refused = [Refusal(**row) for row in data.pop("refused", [])]
    return ImportReport(**data, refused=refused)


def report_for(actor: Any, job: Job) -> ImportReport:
    """Return what has become of an import, and once it has ended whom refused photos show."""
    report = report_of(job)
    if job.state in AT_WORK:  # its page asks every second
        actor = None
    return replace(report, refused=name_in_refusals(actor, report.refused))


def forget_in_reports(name: str) -> int:
    """Take a person's name out of the reports of imports; return of how many."""
    return _forget(Job.objects.filter(kind=JOB_KIND), name)


def forget_in_old_reports(before: datetime) -> int:
    """Take all names out of reports of imports from before a moment; return of how many.

    The report keeps its numbers.
    """
    return _forget(Job.objects.filter(kind=JOB_KIND, created_at__lt=before), "")


def write_report(job: Job, report: ImportReport) -> None:
    """Write a report down; the caller holds the row of the job."""
    payload = {**job.payload, "report": report.as_data()}
    Job.objects.filter(pk=job.pk).update(payload=payload)


def without_name(report: ImportReport, name: str) -> ImportReport | None:
    """Return a report without the refusals that have a name in them; None when there are none."""
    kept = [row for row in report.refused if name not in f"{row.name} {row.message}"]
    left_out = len(report.refused) - len(kept)
    return replace(report, refused=kept, more=report.more + left_out) if left_out else None


def _forget(jobs: QuerySet[Job], name: str) -> int:
    """Take the refusals with a name in them out of reports, also of jobs that write theirs now."""
    changed = 0
    for job in jobs.order_by("pk"):
        if without_name(report_of(job), name) is None:
            continue
        with transaction.atomic():
            held = Job.objects.select_for_update().filter(pk=job.pk).first()
            report = None if held is None else without_name(report_of(held), name)
            if held is not None and report is not None:
                write_report(held, report)
                changed += 1
    return changed

"""Many people at once, from a ZIP: the name of a folder is that of the person in it."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import IO, Any, Final

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from common.jobs.context import JobContext
from common.jobs.errors import JobFailed, JobLost
from common.jobs.queues import LONG_QUEUE
from common.jobs.services import enqueue_job
from common.models import Job
from common.storage.disk import require_room
from common.uploads.services import refused_storage
from recognition.errors import ConflictError, ImportRefused, InvalidError
from recognition.models import Profile
from recognition.services.archives import ZipPictures
from recognition.services.consent import NO_TEXT, current_text
from recognition.services.import_people import import_people
from recognition.services.import_reports import (
    AT_WORK,
    JOB_KIND,
    ImportReport,
    forget_in_old_reports,
    report_of,
    write_report,
)

logger = logging.getLogger(__name__)

FOLDER: Final = "imports"
KEPT_DAYS: Final = 7
"""After so many days a report forgets names."""


def start_import(*, actor: Any, file: IO[bytes], kind: str, consent: bool) -> Job:
    """Judge a ZIP by its list of contents, keep it, and queue the work.

    Args:
        actor: Who imports.
        file: Open and seekable.
        kind: What new people are: "customer" or "staff".
        consent: Whether all of them have agreed to the current text.

    Raises:
        ImportRefused: ``not_a_zip``, ``file_too_large``, ``too_many_entries``, ``zip_bomb``,
            ``no_pictures``.
        InvalidError: There is no such kind.
        ConflictError: ``no_consent_text``.
        UploadRejected: The disk is full.
    """
    judge_options(kind, consent=consent)
    require_room()
    limit = settings.SIGHTLINE_MAX_IMPORT_BYTES
    if file.seek(0, 2) > limit:
        message = f"A ZIP may have up to {limit // 1024 // 1024:,} MiB."
        raise ImportRefused("file_too_large", message, status=413)
    file.seek(0)
    ZipPictures(file)
    file.seek(0)
    forget_old_imports()
    name = f"{FOLDER}/{uuid.uuid4().hex}.zip"
    with refused_storage():
        stored = default_storage.save(name, File(file))
    payload = {"file": stored, "kind": str(kind), "consent": bool(consent)}
    try:
        return enqueue_job(kind=JOB_KIND, owner=actor, payload=payload, queue=LONG_QUEUE)
    except BaseException:
        default_storage.delete(stored)
        raise


def judge_options(kind: str, *, consent: bool) -> None:
    """Judge what is asked of an import.

    Raises:
        InvalidError: There is no such kind.
        ConflictError: ``no_consent_text``.
    """
    if kind not in Profile.Kind.values:
        raise InvalidError({"kind": f"Choose one of {', '.join(Profile.Kind.values)}."})
    if consent and current_text() is None:
        raise ConflictError("no_consent_text", NO_TEXT)


def run_import_job(context: JobContext) -> None:
    """Enrol the people of a stored ZIP.

    Raises:
        JobFailed: ``file_gone``, or as `ImportRefused` says.
        JobStopped: At a checkpoint.
    """
    job = context.job
    try:
        opened = default_storage.open(job.payload["file"], "rb")
    except FileNotFoundError:
        raise JobFailed("file_gone", "The file is gone; import it again.") from None
    with opened as file:
        try:
            source = ZipPictures(file)
        except ImportRefused as error:
            raise JobFailed(error.code, error.message) from error

        written = len(report_of(job).refused)

        def commit(report: ImportReport) -> None:
            nonlocal written
            held = Job.objects.select_for_update().filter(pk=job.pk, **context.claim).first()
            if held is None:
                raise JobLost
            # What was taken out of the report meanwhile, because of somebody's name, stays out.
            kept = report_of(held).refused
            report.more += written - len(kept)
            report.refused[:written] = kept
            write_report(held, report)
            written = len(report.refused)

        import_people(
            actor=job.owner,
            source=source,
            kind=job.payload["kind"],
            consent=bool(job.payload["consent"]),
            progress=context.checkpoint,
            begun=report_of(job) if "report" in job.payload else None,
            commit=commit,
        )


def drop_file_of(job: Job) -> None:
    """Delete the ZIP of an import that has ended; nobody's face stays longer than needed."""
    name = str(job.payload.get("file", ""))
    if name.startswith(f"{FOLDER}/"):
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.warning("%s could not be deleted: %s", name, error)


def forget_old_imports() -> int:
    """Take all names out of old reports, and delete what jobs that are gone left; return how many.

    The report keeps its numbers.
    """
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    return forget_in_old_reports(before) + _drop_strays()


def _drop_strays() -> int:
    """Delete stored ZIPs of jobs that are not there any more."""
    try:
        _, names = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return 0
    working = Job.objects.filter(kind=JOB_KIND, state__in=AT_WORK).values_list("payload", flat=True)
    wanted = {payload.get("file") for payload in working}
    gone = 0
    for name in names:
        path = f"{FOLDER}/{name}"
        try:
            age = timezone.now() - default_storage.get_modified_time(path)
        except FileNotFoundError:  # its job has ended meanwhile
            continue
        if path not in wanted and age > timedelta(hours=1):  # a file is written before its job
            default_storage.delete(path)
            gone += 1
    return gone

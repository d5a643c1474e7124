"""The life of a session: made, renamed, run again, cancelled, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from common.jobs.errors import JobConflict
from common.jobs.services import cancel_job, delete_job, enqueue_job, retry_job
from common.models import Upload
from common.permissions import can, visible
from common.uploads.services import delete_upload, store_picture
from detector.errors import DetectorError, SessionConflictError
from detector.models import DetectionSession
from detector.services.events import publish_job_update, publish_session_deleted
from detector.services.options import DetectionOptions

JOB_KIND = "detector.detect"
MAX_NAME = 200
UNNAMED = "Picture"


def queue_picture(
    *,
    owner: Any,
    data: bytes,
    file_name: str,
    options: DetectionOptions,
    name: str = "",
    source: str = DetectionSession.Source.BROWSER,
) -> DetectionSession:
    """Store a picture and queue a session over it; both or neither.

    Raises:
        UploadRejected: The file is no picture that is taken, or the disk is full.
    """
    upload = store_picture(owner=owner, data=data, name=file_name)
    try:
        return create_session(owner=owner, upload=upload, options=options, name=name, source=source)
    except BaseException:
        delete_upload(upload=upload)
        raise


def create_session(
    *,
    owner: Any,
    upload: Upload,
    options: DetectionOptions,
    name: str = "",
    source: str = DetectionSession.Source.BROWSER,
) -> DetectionSession:
    """Store a session over ``upload`` and queue its job, which starts after the commit.

    Raises:
        SessionConflictError: ``picture_deleted`` when the upload is gone meanwhile.
    """
    with transaction.atomic():
        # Held against a deletion of the upload's last session at the same moment.
        if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():
            raise SessionConflictError("picture_deleted", "The picture has been deleted.")
        session = new_session(owner=owner, upload=upload, options=options, name=name, source=source)
        session.job = enqueue_job(
            kind=JOB_KIND, owner=owner, payload={"session": str(session.pk)}, queue="inference"
        )
        session.save(force_insert=True)
        publish_job_update(session.job)
    return session


def new_session(
    *, owner: Any, upload: Upload, options: DetectionOptions, name: str, source: str
) -> DetectionSession:
    """Build, but do not store, a session with these options."""
    return DetectionSession(
        owner=owner,
        upload=upload,
        task=options.task,
        name=clean_name(name) or clean_name(upload.name) or UNNAMED,
        source=source,
        requested_model=options.model,
        confidence=options.confidence,
        iou=options.iou,
        classes=list(options.classes),
    )


def clean_name(name: str) -> str:
    """One printable line of at most 200 characters."""
    printable = "".join(char if char.isprintable() else " " for char in str(name))
    return " ".join(printable.split())[:MAX_NAME].strip()


def rename_session(*, session: DetectionSession, name: str) -> DetectionSession:
    """Give a session another name.

    Raises:
        DetectorError: ``invalid`` when nothing printable is left of the name, or it is too long;
            ``not_found`` when the session is deleted meanwhile.
    """
    if len(str(name).strip()) > MAX_NAME:
        raise DetectorError(
            "invalid",
            f"A name has at most {MAX_NAME} characters.",
            fields={"name": f"A name has at most {MAX_NAME} characters."},
        )
    cleaned = clean_name(name)
    if not cleaned:
        raise DetectorError(
            "invalid", "A name cannot be empty.", fields={"name": "A name cannot be empty."}
        )
    if not DetectionSession.objects.filter(pk=session.pk).update(name=cleaned):
        raise DetectorError("not_found", "The session has been deleted.", status=404)
    session.name = cleaned
    return session


def rerun_session(
    *, session: DetectionSession, owner: Any, options: DetectionOptions
) -> DetectionSession:
    """Run another model, or other thresholds, over the same picture, as a new session."""
    return create_session(
        owner=owner,
        upload=session.upload,
        options=options,
        name=session.name,
        source=DetectionSession.Source.BROWSER
        if session.source == DetectionSession.Source.EXAMPLE
        else session.source,
    )


def cancel_session(*, session: DetectionSession) -> DetectionSession:
    """Ask the session's job to stop; one that has not begun stops at once.

    Raises:
        SessionConflictError: ``not_running`` when there is nothing to cancel.
    """
    if session.job is None or session.is_finished:
        raise SessionConflictError("not_running", "This session is not running any more.")
    try:
        cancel_job(job=session.job)
    except JobConflict as error:  # deleted meanwhile
        raise SessionConflictError("not_running", str(error)) from error
    return session


def retry_session(*, session: DetectionSession) -> DetectionSession:
    """Run a failed or cancelled session again, with the same options.

    Raises:
        SessionConflictError: ``not_failed`` when it neither failed nor was cancelled.
    """
    again = (DetectionSession.Status.FAILED, DetectionSession.Status.CANCELLED)
    if session.job is None or session.status not in again:
        raise SessionConflictError(
            "not_failed", "Only a failed or cancelled session can be retried; run it again instead."
        )
    try:
        retry_job(job=session.job)
    except JobConflict as error:  # somebody else was faster
        raise SessionConflictError("not_failed", str(error)) from error
    return session


def delete_session(*, session: DetectionSession) -> None:
    """Delete a session with its objects and job; the picture goes with the last session on it.

    A job that still runs can write nothing more. Files go after the commit.
    """
    session_id, owner_id = session.pk, session.owner_id
    with transaction.atomic():
        upload = Upload.objects.select_for_update().filter(pk=session.upload_id).first()
        job = session.job
        session.delete()
        if job is not None:
            delete_job(job=job)
        if upload is not None and not upload.sessions.exists():
            delete_upload(upload=upload)
        publish_session_deleted(owner_id=owner_id, session_id=session_id)


def delete_sessions(*, user: Any, ids: Iterable[Any]) -> int:
    """Delete those of the named sessions that ``user`` may delete; how many they were."""
    queryset = DetectionSession.objects.select_related("job").filter(pk__in=list(ids))
    sessions = [session for session in visible(user, queryset) if can(user, "delete", session)]
    with transaction.atomic():
        for session in sessions:
            delete_session(session=session)
    return len(sessions)

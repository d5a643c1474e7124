"""The life of a session: made, renamed, run again, cancelled, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from common.audit.services import record
from common.jobs.errors import JobConflict
from common.jobs.services import cancel_job, delete_job, enqueue_job, retry_job
from common.models import AuditEntry, Job, Upload
from common.permissions import can, visible
from common.uploads.errors import PictureRemoved
from common.uploads.services import delete_upload, require_picture, store_picture
from detector.errors import DetectorError, SessionConflictError
from detector.models import DetectionSession
from detector.services.events import (
    publish_access_changed,
    publish_job_update,
    publish_session_deleted,
)
from detector.services.options import DetectionOptions

JOB_KIND = "detector.detect"


@dataclass(frozen=True)
class Work:
    """What kind of session it is, and the job that makes its result."""

    kind: str
    job_kind: str
    queue: str


PICTURE_WORK = Work(DetectionSession.Kind.IMAGE, JOB_KIND, "inference")
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
    shared_with_id: int | None = None,
    work: Work = PICTURE_WORK,
) -> DetectionSession:
    """Store a session over ``upload`` and queue its job, which starts after the commit.

    Raises:
        SessionConflictError: ``picture_deleted`` when the upload is gone meanwhile,
            ``picture_removed`` when its picture was older than pictures are kept.
    """
    with transaction.atomic():
        # Held against a deletion of the upload's last session at the same moment.
        held = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        if held is None:
            raise SessionConflictError("picture_deleted", "The picture has been deleted.")
        refuse_removed(held)
        session = new_session(owner=owner, upload=upload, options=options, name=name, source=source)
        session.kind = work.kind
        session.shared_with_id = shared_with_id
        session.job = enqueue_job(
            kind=work.job_kind,
            owner=owner,
            payload={"session": str(session.pk)},
            queue=work.queue,
        )
        session.save(force_insert=True)
        publish_job_update(session.job)
        if shared_with_id is not None:
            publish_access_changed(session, group_ids=[shared_with_id])
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
        raise gone()
    session.name = cleaned
    return session


def rerun_session(
    *, session: DetectionSession, owner: Any, options: DetectionOptions
) -> DetectionSession:
    """Run another model, or other thresholds, over the same picture, as a new session.

    It is shared with whom the first one is shared: the picture is the same.

    Raises:
        DetectorError: ``not_found`` when the session is deleted, or ``owner`` may not reach it any
            more.
        SessionConflictError: ``is_a_video``.
    """
    refuse_video(session)
    with transaction.atomic():
        return repeat_session(session=session, owner=owner, options=options)


def repeat_session(
    *,
    session: DetectionSession,
    owner: Any,
    options: DetectionOptions,
    work: Work = PICTURE_WORK,
) -> DetectionSession:
    """Store a new session over the same upload; to be called in a transaction.

    Raises:
        DetectorError: ``not_found`` when the session is deleted, or ``owner`` may not reach it any
            more.
    """
    # Held until the end: what is taken away from the owner now is taken away before or after.
    Upload.objects.select_for_update().filter(pk=session.upload_id).first()
    # A group that goes at this moment goes before or after.
    groups = Group.objects.select_for_update(of=("self",), no_key=True)
    groups.filter(shared_sessions=session.pk).first()
    held = lock_session(session)
    if held is None or not can(owner, "change", held):
        raise gone()
    return create_session(
        owner=owner,
        upload=session.upload,
        options=options,
        name=held.name,
        source=DetectionSession.Source.BROWSER
        if session.source == DetectionSession.Source.EXAMPLE
        else session.source,
        shared_with_id=held.shared_with_id,
        work=work,
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
        SessionConflictError: ``not_failed`` when it neither failed nor was cancelled,
            ``picture_removed`` when its picture was older than pictures are kept.
    """
    again = (DetectionSession.Status.FAILED, DetectionSession.Status.CANCELLED)
    if session.job is None or session.status not in again:
        raise SessionConflictError(
            "not_failed", "Only a failed or cancelled session can be retried; run it again instead."
        )
    refuse_removed(session.upload)
    try:
        retry_job(job=session.job)
    except JobConflict as error:  # somebody else was faster
        raise SessionConflictError("not_failed", str(error)) from error
    return session


def retry_session_of(*, job: Job) -> None:
    """Try a failed or cancelled job again, as `retry_session`; one without a session as it is.

    Raises:
        SessionConflictError: As `retry_session`.
        JobConflict: It is not failed or cancelled any more.
    """
    session = DetectionSession.objects.select_related("job", "upload").filter(job=job).first()
    if session is not None:
        retry_session(session=session)
    else:
        retry_job(job=job)


def delete_session(*, session: DetectionSession, user: Any = None) -> bool:
    """Delete a session with its objects and job; the picture goes with the last session on it.

    A job that still runs can write nothing more. Files go after the commit.

    Args:
        session: What to delete.
        user: Who deletes it, for the audit log; None when the caller writes its own line.

    Returns:
        Whether it was still there: of two who delete it at once, one has done it.
    """
    session_id, owner = session.pk, session.owner
    with transaction.atomic():
        # Upload, job, session: in the order in which everybody locks them.
        upload = Upload.objects.select_for_update().filter(pk=session.upload_id).first()
        job = Job.objects.select_for_update().filter(pk=session.job_id).first()
        held = DetectionSession.objects.select_for_update().filter(pk=session_id).first()
        if held is None:
            return False
        if user is not None:
            record(action=AuditEntry.Action.DELETED, actor=user, obj=held, owner=owner)
        held.delete()
        if job is not None:
            delete_job(job=job)
        if upload is not None:
            _release_upload(upload)
        publish_session_deleted(held, session_id=session_id)
    return True


def _release_upload(upload: Upload) -> None:
    """Let a picture go with its last session; one that others work on becomes theirs."""
    sessions = upload.sessions.order_by()
    if sessions.filter(owner=upload.owner_id).exists():
        return
    heirs = sessions.values_list("owner_id", flat=True)[:1]
    if heirs:
        Upload.objects.filter(pk=upload.pk).update(owner_id=heirs[0])
    else:
        delete_upload(upload=upload)


def delete_sessions(*, user: Any, ids: Iterable[Any]) -> int:
    """Delete those of the named sessions that ``user`` may delete; how many they were."""
    queryset = DetectionSession.objects.select_related("job", "owner").filter(pk__in=list(ids))
    # In one order, so that two who delete the same ones wait for each other and not for ever.
    sessions = visible(user, queryset).order_by("upload_id", "pk")
    with transaction.atomic():
        return sum(
            delete_session(session=session, user=user)
            for session in sessions
            if can(user, "delete", session)
        )


def refuse_removed(upload: Upload) -> None:
    """Refuse to work on a picture that has been removed because of its age.

    Raises:
        SessionConflictError: ``picture_removed``.
    """
    try:
        require_picture(upload)
    except PictureRemoved as error:
        raise SessionConflictError(error.code, error.message) from error


def refuse_video(session: DetectionSession) -> None:
    """Refuse to do with a video what is done with pictures.

    Raises:
        SessionConflictError: ``is_a_video``.
    """
    if session.kind == DetectionSession.Kind.VIDEO:
        raise SessionConflictError(
            "is_a_video", "This session is over a video; use /api/videos/ and its page."
        )


def lock_session(session: DetectionSession) -> DetectionSession | None:
    """The row as it is now, unchanged until the transaction's end; None when it is deleted."""
    rows = DetectionSession.objects.select_for_update(no_key=True)
    return rows.filter(pk=session.pk).first()


def gone() -> DetectorError:
    """The answer to whoever acts on a session that was deleted under their hands."""
    return DetectorError("not_found", "The session has been deleted.", status=404)

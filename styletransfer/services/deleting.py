"""The end of a painting, with its job and files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from common.audit.services import record
from common.jobs.services import delete_job
from common.models import AuditEntry, DerivedFile, Job, Upload
from common.permissions import can, visible
from common.uploads.services import delete_upload
from styletransfer.models import Restyling
from styletransfer.services.events import publish_deleted
from styletransfer.services.queueing import move_line


def delete_restyling(*, restyling: Restyling, user: Any = None) -> bool:
    """Delete a painting with its job and files; the picture goes with the last painting of it.

    Args:
        restyling: What to delete.
        user: Who deletes it, for the audit log; None when the caller writes its own line.

    Returns:
        Whether it was still there.
    """
    restyling_id = restyling.pk
    with transaction.atomic():
        # Upload, job, restyling: in the order in which everybody locks them.
        upload = Upload.objects.select_for_update().filter(pk=restyling.upload_id).first()
        job = Job.objects.select_for_update().filter(pk=restyling.job_id).first()
        held = Restyling.objects.select_for_update().filter(pk=restyling_id).first()
        if held is None:
            return False
        if user is not None:
            record(action=AuditEntry.Action.DELETED, actor=user, obj=held, owner=held.owner)
        files = [pk for pk in (held.result_id, held.thumbnail_id) if pk is not None]
        held.delete()
        DerivedFile.objects.filter(pk__in=files).delete()
        if job is not None:
            delete_job(job=job)
            move_line(job)
        if upload is not None:
            _release_upload(upload)
        publish_deleted(held, restyling_id=restyling_id)
    return True


def delete_restylings(*, user: Any, ids: Iterable[Any]) -> int:
    """Delete those of the named paintings that ``user`` may delete; how many they were."""
    rows = visible(user, Restyling.objects.filter(pk__in=list(ids)))
    # In one order, so that two who delete the same ones wait for each other and not for ever.
    with transaction.atomic():
        return sum(
            delete_restyling(restyling=restyling, user=user)
            for restyling in rows.order_by("upload_id", "pk")
            if can(user, "delete", restyling)
        )


def _release_upload(upload: Upload) -> None:
    """Let a file go with its last painting; one that others work on becomes theirs."""
    rows = Restyling.objects.filter(upload=upload).order_by()
    if rows.filter(owner=upload.owner_id).exists():
        return
    heir = rows.values_list("owner_id", flat=True).first()
    if heir is not None:
        Upload.objects.filter(pk=upload.pk).update(owner_id=heir)
    else:
        delete_upload(upload=upload)

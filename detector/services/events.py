"""What browsers are told about a session while it changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from common.broadcast import publish, user_group
from common.models import Job
from detector.models import DetectionSession


def publish_job_update(job: Job) -> None:
    """Tell the owner's pages about the session of a job whose state or progress changed.

    Does nothing for a job whose session is not stored yet, or is already deleted.
    """
    row = (
        DetectionSession.objects.filter(job_id=job.pk)
        .values_list("id", "owner_id", "object_count")
        .first()
    )
    if row is None:
        return
    session_id, owner_id, object_count = row
    done = job.state == DetectionSession.Status.DONE
    _send(
        owner_id,
        {
            "type": "session",
            "id": str(session_id),
            "status": str(job.state),
            "progress": round(float(job.progress), 3),
            "message": job.message,
            "object_count": object_count if done else None,
            "error": (
                {"code": job.error_code, "message": job.error_message} if job.error_code else None
            ),
        },
    )


def publish_session_done(session: DetectionSession) -> None:
    """Tell the owner's pages about a session that was answered in its own request."""
    _send(
        session.owner_id,
        {
            "type": "session",
            "id": str(session.pk),
            "status": DetectionSession.Status.DONE.value,
            "progress": 1.0,
            "message": "",
            "object_count": session.object_count,
            "error": None,
        },
    )


def publish_session_deleted(*, owner_id: Any, session_id: Any) -> None:
    """Tell the owner's pages that a session is gone."""
    _send(owner_id, {"type": "session.deleted", "id": str(session_id)})


def _send(owner_id: Any, payload: dict[str, Any]) -> None:
    transaction.on_commit(lambda: publish(user_group(owner_id), payload))

"""What browsers are told about a session while it changes: the owner's, and the group's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from common.broadcast import member_group, publish, user_group
from common.models import Job
from detector.models import DetectionSession


def publish_job_update(job: Job) -> None:
    """Tell the pages about the session of a job whose state or progress changed.

    Does nothing for a job whose session is not stored yet, or is already deleted.
    """
    row = (
        DetectionSession.objects.filter(job_id=job.pk)
        .values_list("id", "owner_id", "shared_with_id", "object_count")
        .first()
    )
    if row is None:
        return
    session_id, owner_id, group_id, object_count = row
    done = job.state == DetectionSession.Status.DONE
    _send(
        owner_id,
        [group_id],
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
    """Tell the pages about a session that was answered in its own request."""
    _send(
        session.owner_id,
        [session.shared_with_id],
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


def publish_session_deleted(session: DetectionSession, *, session_id: Any) -> None:
    """Tell the pages that a session is gone; its row has forgotten its id by then."""
    news = {"type": "session.deleted", "id": str(session_id)}
    _send(session.owner_id, [session.shared_with_id], news)


def publish_access_changed(session: DetectionSession, *, group_ids: Iterable[int | None]) -> None:
    """Tell the pages of the owner and of these groups to ask again what they may see of it."""
    _send(session.owner_id, group_ids, {"type": "session.access", "id": str(session.pk)})


def _send(owner_id: Any, group_ids: Iterable[int | None], news: dict[str, Any]) -> None:
    def tell() -> None:
        publish(user_group(owner_id), news)
        for group_id in group_ids:
            if group_id is not None:
                # The owner, who may be a member, has heard it.
                publish(member_group(group_id), {**news, "but": owner_id})

    transaction.on_commit(tell)

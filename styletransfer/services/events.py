"""What open pages are told of a painting while it changes: the owner's, and the group's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from common.broadcast import member_group, publish, user_group
from common.models import Job
from styletransfer.models import Restyling


def publish_job_update(job: Job) -> None:
    """Tell the pages of a change of state or progress; nothing where the row is not there yet."""
    row = (
        Restyling.objects.filter(job_id=job.pk)
        .values_list("id", "owner_id", "shared_with_id")
        .first()
    )
    if row is None:
        return
    restyling_id, owner_id, group_id = row
    news = {
        "type": "restyling",
        "id": str(restyling_id),
        "status": str(job.state),
        "progress": round(float(job.progress), 3),
        "message": job.message,
        "error": {"code": job.error_code, "message": job.error_message} if job.error_code else None,
    }
    _send(owner_id, [group_id], news)


def publish_step(
    restyling: Restyling,
    *,
    step: int,
    losses: list[list[float]],
    preview: int | None,
    seconds_left: float | None,
) -> None:
    """Tell the pages of steps that were made: at once, there is no transaction to wait for.

    Args:
        restyling: What is being painted.
        step: How many were made, of ``restyling.steps``; of a video, frames.
        losses: [step, loss] of those that the pages have not heard of.
        preview: Number of the picture that can be fetched; None when there is no new one.
        seconds_left: Until the end; None when nobody can say.
    """
    news = {
        "type": "restyling.step",
        "id": str(restyling.pk),
        "step": step,
        "losses": losses,
        "preview": preview,
        "seconds_left": seconds_left,
    }
    _tell(restyling.owner_id, [restyling.shared_with_id], news)


def publish_place(*, owner_id: Any, restyling_id: Any, place: int, seconds: float | None) -> None:
    """Tell the owner's pages how many are before one that waits, and how long it may take."""
    news = {"id": str(restyling_id), "place": place, "seconds": seconds}
    _tell(owner_id, [], {"type": "restyling.place", **news})


def publish_deleted(restyling: Restyling, *, restyling_id: Any) -> None:
    """Tell the pages that one is gone; its row has forgotten its id by then."""
    news = {"type": "restyling.deleted", "id": str(restyling_id)}
    _send(restyling.owner_id, [restyling.shared_with_id], news)


def publish_access_changed(restyling: Restyling, *, group_ids: Iterable[int | None]) -> None:
    """Tell the pages of the owner and of these groups to ask again what they may see of it."""
    _send(restyling.owner_id, group_ids, {"type": "restyling.access", "id": str(restyling.pk)})


def _send(owner_id: Any, group_ids: Iterable[int | None], news: dict[str, Any]) -> None:
    transaction.on_commit(lambda: _tell(owner_id, group_ids, news))


def _tell(owner_id: Any, group_ids: Iterable[int | None], news: dict[str, Any]) -> None:
    publish(user_group(owner_id), news)
    for group_id in group_ids:
        if group_id is not None:
            # The owner, who may be a member, has heard it.
            publish(member_group(group_id), {**news, "but": owner_id})

"""The life of a painting: asked for, renamed, asked for again, stopped, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from common.jobs.errors import JobConflict
from common.jobs.queues import LONG_QUEUE, STYLES_QUEUE
from common.jobs.services import cancel_job, enqueue_job, retry_job
from common.models import Upload
from common.permissions import can
from common.uploads.errors import PictureRemoved, UploadRejected
from common.uploads.services import delete_upload, require_picture, store_picture
from common.uploads.videos import store_video
from styletransfer.errors import ConflictError, InvalidError, StyleError, gone
from styletransfer.models import Restyling, Style
from styletransfer.services.events import (
    publish_access_changed,
    publish_job_update,
)
from styletransfer.services.options import RestyleOptions
from styletransfer.services.queueing import move_line
from styletransfer.services.texts import one_line, stem_of
from vision.style import LEAST_SIDE
from vision.style.framing import fitted_size

SLOW_JOB: Final = "styletransfer.paint"
FAST_JOB: Final = "styletransfer.fast"
VIDEO_JOB: Final = "styletransfer.video"
MOST_NAME: Final = 200
MOST_WAITING: Final = 20
"""Of one person: more would only make the queue of everybody else unreadable."""
RETRY_SECONDS: Final = 60.0


def restyle_picture(
    *,
    owner: Any,
    data: bytes,
    file_name: str,
    style: Style,
    options: RestyleOptions,
    name: str = "",
    source: str = Restyling.Source.BROWSER,
) -> Restyling:
    """Store a picture and have it painted; both or neither.

    Raises:
        UploadRejected: The file is no picture that is taken or can be painted, or the disk is
            full.
        InvalidError: The name is too long.
        StyleError: ``too_many_waiting``; ``not_found``: the style is deleted meanwhile.
    """
    _refuse_too_many(owner)
    _refuse_long(name)
    upload = store_picture(owner=owner, data=data, name=file_name)
    try:
        return _create(upload, Restyling.Kind.IMAGE, owner, style, options, name, source)
    except BaseException:
        delete_upload(upload=upload)
        raise


def restyle_video(
    *,
    owner: Any,
    chunks: Iterable[bytes],
    file_name: str,
    style: Style,
    options: RestyleOptions,
    name: str = "",
    source: str = Restyling.Source.BROWSER,
) -> Restyling:
    """Store a video and have every frame painted; both or neither.

    Raises:
        UploadRejected: The file is no video that is taken, or the disk is full.
        InvalidError: ``video_needs_fast_style``; the name is too long.
        StyleError: As `restyle_picture`.
    """
    _refuse_too_many(owner)
    _refuse_long(name)
    if not style.is_fast:
        raise _needs_fast()
    upload, _ = store_video(owner=owner, chunks=chunks, name=file_name)
    try:
        return _create(upload, Restyling.Kind.VIDEO, owner, style, options, name, source)
    except BaseException:
        delete_upload(upload=upload)
        raise


def repeat_restyling(
    *, restyling: Restyling, owner: Any, style: Style, options: RestyleOptions
) -> Restyling:
    """Paint the same file again, as a new result that the same people may see.

    Raises:
        ConflictError: ``picture_removed``: the file was older than files are kept.
        UploadRejected: ``too_small`` at the size that is wished for.
        InvalidError: ``video_needs_fast_style``.
        StyleError: As `restyle_picture`; ``not_found``: it is deleted, or ``owner`` may not reach
            it any more.
    """
    _refuse_too_many(owner)
    if restyling.kind == Restyling.Kind.VIDEO and not style.is_fast:
        raise _needs_fast()
    with transaction.atomic():
        # Style, upload, restyling: in the order in which everybody locks them.
        if Style.objects.select_for_update(no_key=True).filter(pk=style.pk).first() is None:
            raise gone("style")
        upload = Upload.objects.select_for_update().filter(pk=restyling.upload_id).first()
        held = Restyling.objects.select_for_update(no_key=True).filter(pk=restyling.pk).first()
        if upload is None or held is None or not can(owner, "change", held):
            raise gone("painting")
        _refuse_removed(upload)
        again = _create(upload, held.kind, owner, style, options, held.name, held.source)
        if held.shared_with_id is not None:
            Restyling.objects.filter(pk=again.pk).update(shared_with=held.shared_with_id)
            again.shared_with_id = held.shared_with_id
            publish_access_changed(again, group_ids=[held.shared_with_id])
    return again


def cancel_restyling(*, restyling: Restyling) -> Restyling:
    """Stop it; of what is being painted, the best so far is kept.

    Raises:
        ConflictError: ``not_running``.
    """
    if restyling.is_finished:
        raise ConflictError("not_running", "This is not being painted any more.")
    try:
        cancel_job(job=restyling.job)
    except JobConflict as error:  # deleted meanwhile
        raise ConflictError("not_running", str(error)) from error
    return restyling


def retry_restyling(*, restyling: Restyling) -> Restyling:
    """Paint what failed, or was stopped, once more from the beginning, with the same options.

    Raises:
        ConflictError: ``not_failed``, ``style_deleted`` or ``picture_removed``.
        StyleError: ``too_many_waiting``.
    """
    if restyling.status not in (Restyling.Status.FAILED, Restyling.Status.CANCELLED):
        raise ConflictError("not_failed", "Only what failed or was stopped can be tried again.")
    if restyling.style_id is None:
        raise ConflictError("style_deleted", "Its style has been deleted; choose another one.")
    _refuse_removed(restyling.upload)
    try:
        with transaction.atomic():
            _take_place(restyling.owner)
            retry_job(job=restyling.job)
    except JobConflict as error:  # somebody else was faster
        raise ConflictError("not_failed", str(error)) from error
    return restyling


def rename_restyling(*, restyling: Restyling, name: str) -> Restyling:
    """Give a painting another name.

    Raises:
        InvalidError: Nothing printable is left of the name, or it is too long.
        StyleError: ``not_found``: it was deleted meanwhile.
    """
    _refuse_long(name)
    cleaned = one_line(name)
    if not cleaned:
        raise InvalidError({"name": "A name cannot be empty."})
    if not Restyling.objects.filter(pk=restyling.pk).update(name=cleaned):
        raise gone("painting")
    restyling.name = cleaned
    return restyling


def _create(
    upload: Upload,
    kind: str,
    owner: Any,
    style: Style,
    options: RestyleOptions,
    name: str,
    source: str,
) -> Restyling:
    _refuse_small(upload, options.size)
    way = Restyling.Way.FAST if style.is_fast else Restyling.Way.SLOW
    job_kind, queue = _work(kind, way)
    restyling = Restyling(
        owner=owner,
        upload=upload,
        style=style,
        style_name=style.name,
        kind=kind,
        way=way,
        name=one_line(name) or stem_of(upload.name),
        source=source,
        **_wishes(options, way),
    )
    with transaction.atomic():
        if not Style.objects.filter(pk=style.pk).update(use_count=F("use_count") + 1):
            raise gone("style")
        _take_place(owner)
        payload = {"restyling": str(restyling.pk)}
        restyling.job = enqueue_job(kind=job_kind, owner=owner, payload=payload, queue=queue)
        restyling.save(force_insert=True)
        publish_job_update(restyling.job)
        move_line(restyling.job)
    return restyling


def _work(kind: str, way: str) -> tuple[str, str]:
    if kind == Restyling.Kind.VIDEO:
        return VIDEO_JOB, LONG_QUEUE
    return (FAST_JOB, "inference") if way == Restyling.Way.FAST else (SLOW_JOB, STYLES_QUEUE)


def _wishes(options: RestyleOptions, way: str) -> dict[str, Any]:
    """What a row notes; of a fast one nothing that its network does not heed."""
    wishes: dict[str, Any] = {"size": options.size, "keep_colours": options.keep_colours}
    if way == Restyling.Way.FAST:
        return wishes
    names = ("steps", "style_weight", "start", "seed")
    network = options.start_network if options.start == Restyling.Start.FAST else ""
    return {**wishes, **{name: getattr(options, name) for name in names}, "start_network": network}


def _refuse_too_many(owner: Any) -> None:
    waiting = Restyling.objects.filter(owner=owner, job__state__in=Restyling.UNFINISHED).count()
    if waiting >= MOST_WAITING:
        raise StyleError(
            "too_many_waiting",
            f"{waiting} of your paintings are waiting or being painted; more are taken when one of "
            "them is done.",
            status=429,
            retry_after=RETRY_SECONDS,
        )


def _take_place(owner: Any) -> None:
    """Count once more, one request of a person after the other, until the transaction ends."""
    get_user_model().objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
    _refuse_too_many(owner)


def _refuse_removed(upload: Upload) -> None:
    try:
        require_picture(upload)
    except PictureRemoved as error:
        raise ConflictError(error.code, error.message) from error


def _refuse_long(name: str) -> None:
    if len(str(name).strip()) > MOST_NAME:
        raise InvalidError({"name": f"A name has at most {MOST_NAME} characters."})


def _refuse_small(upload: Upload, size: int | None) -> None:
    height, width = fitted_size(upload.height, upload.width, size)
    if min(height, width) < LEAST_SIDE:
        raise UploadRejected(
            "too_small",
            f"A picture is painted with at least {LEAST_SIDE} pixels each way; this one would have "
            f"{width} x {height}.",
        )


def _needs_fast() -> InvalidError:
    return InvalidError(
        {"style": "A video is painted in a fast style only."}, "video_needs_fast_style"
    )

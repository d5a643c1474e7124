"""The end of the work: files and figures of a painting, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.jobs.insisting import insist
from common.models import DerivedFile, Upload
from common.uploads.derived import drop_derived, store_derived
from common.uploads.errors import UploadRejected
from common.uploads.services import refused_storage
from styletransfer.models import Restyling

FILES = ("result", "thumbnail")


@dataclass(frozen=True, slots=True)
class Painting:
    """What was painted.

    Attributes:
        result: The painted file.
        media_type: Its type.
        thumbnail: A small JPEG; None of a video without a frame.
        fields: Of its row: model, device, seconds, width, height, and what its kind adds.
    """

    result: Path
    media_type: str
    thumbnail: Path | None
    fields: Mapping[str, Any]


class _LostError(Exception):
    """Another attempt owns the job, or the painting was deleted: this result is thrown away."""


def store_painting(context: JobContext, restyling: Restyling, painting: Painting) -> None:
    """Put a result in the place of what an earlier attempt may have left.

    Raises:
        JobFailed: The disk is full, or the storage is away.
    """
    kept: dict[str, DerivedFile] = {}
    try:
        # Files first: what no row names is swept, a row without a file would be a hole.
        kept["result"] = _keep(context, restyling, painting.result, painting.media_type)
        if painting.thumbnail is not None:
            kept["thumbnail"] = _keep(context, restyling, painting.thumbnail, "image/jpeg")
        insist(context, lambda: _store_rows(context, restyling, kept, painting.fields))
    except BaseException as error:
        for derived in kept.values():
            drop_derived(derived)
        if not isinstance(error, _LostError):
            raise


def _keep(context: JobContext, restyling: Restyling, path: Path, media_type: str) -> DerivedFile:
    store = partial(store_derived, upload=restyling.upload, path=path, media_type=media_type)
    try:
        with refused_storage():
            return insist(context, store)
    except UploadRejected as error:
        raise JobFailed(error.code, error.message) from error


def _store_rows(
    context: JobContext,
    restyling: Restyling,
    kept: Mapping[str, DerivedFile],
    fields: Mapping[str, Any],
) -> None:
    with transaction.atomic():
        # Upload, job, painting: in the order in which everybody locks them.
        Upload.objects.select_for_update().filter(pk=restyling.upload_id).first()
        if not context.still_mine():
            raise _LostError
        held = Restyling.objects.select_for_update(no_key=True).filter(pk=restyling.pk).first()
        if held is None:
            raise _LostError
        before = [pk for name in FILES if (pk := getattr(held, f"{name}_id")) is not None]
        for derived in kept.values():
            derived.save(force_insert=True)
        Restyling.objects.filter(pk=restyling.pk).update(
            **{name: kept.get(name) for name in FILES}, **fields, finished_at=timezone.now()
        )
        DerivedFile.objects.filter(pk__in=before).delete()

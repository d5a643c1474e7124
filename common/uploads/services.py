"""Taking, reading and deleting stored pictures."""

import errno
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from numpy.typing import NDArray

from common.storage.disk import require_room
from common.storage.files import StorageUnavailable
from common.uploads.derived import DerivedFile
from common.uploads.errors import PictureRemoved, UploadRejected
from common.uploads.memory import budget
from common.uploads.models import Upload
from common.uploads.names import clean_name
from vision.errors import PictureError
from vision.sources.pictures import (
    PictureInfo,
    PictureLimits,
    decode_picture,
    inspect_picture,
    make_thumbnail,
)

logger = logging.getLogger(__name__)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def picture_limits() -> PictureLimits:
    """Return the limits that this installation sets for pictures."""
    return PictureLimits(
        max_bytes=settings.SIGHTLINE_MAX_UPLOAD_BYTES, max_pixels=settings.SIGHTLINE_MAX_PIXELS
    )


@contextmanager
def decoded_picture(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """Decode a picture for as long as the block lasts; waits while too much else is decoded.

    Raises:
        PictureError: As `vision.sources.pictures.decode_picture`.
    """
    limits = picture_limits()
    info = inspect_picture(data, limits)
    with budget.hold(info.width * info.height):
        yield decode_picture(data, limits)


def store_picture(
    *,
    owner: Any,
    data: bytes,
    name: str,
    image: NDArray[np.uint8] | None = None,
    thumbnail: bytes | None = None,
) -> Upload:
    """Judge a picture by its content and keep it with a thumbnail.

    Args:
        owner: The user it belongs to.
        data: The file as it came.
        name: What the sender called it; cleaned before it is stored.
        image: The decoded picture (HxWx3 uint8 BGR) when the caller has it already.
        thumbnail: Its small JPEG when the caller has that already.

    Raises:
        UploadRejected: The file is no picture, too large or truncated, or the disk is full;
            neither a row nor a file is left.
    """
    require_room()
    try:
        info = inspect_picture(data, picture_limits())
        if thumbnail is None:
            thumbnail = _thumbnail(data) if image is None else make_thumbnail(image)
    except PictureError as error:
        raise UploadRejected(error.code, error.message) from error
    upload = Upload(
        owner=owner,
        name=clean_name(name, extension=info.extension),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        thumbnail_size=len(thumbnail),
        media_type=info.media_type,
        width=info.width,
        height=info.height,
    )
    with refused_storage():
        _keep(upload, info, data, thumbnail)
    return upload


def read_upload(*, upload: Upload) -> bytes:
    """Return the stored bytes.

    Raises:
        FileNotFoundError: The file is gone.
        OSError: It cannot be read.
    """
    if not upload.file:
        raise FileNotFoundError(f"The picture of upload {upload.pk} was removed.")
    with upload.file.storage.open(str(upload.file.name), "rb") as file:
        content: bytes = file.read()
    return content


def require_picture(upload: Upload) -> Upload:
    """Return the upload if its picture has not been removed.

    Raises:
        PictureRemoved: It was older than the installation keeps pictures.
    """
    if upload.removed_at is not None:
        raise PictureRemoved(upload.name, upload.removed_at, upload.kept_days)
    return upload


def remove_pictures(*, uploads: Sequence[Upload]) -> None:
    """Take the files of uploads when the transaction is committed; the rows stay and say when."""
    files = [file for upload in uploads for file in (upload.file, upload.thumbnail)]
    names = [(file.storage, str(file.name)) for file in files if file]
    DerivedFile.objects.filter(upload__in=uploads).delete()
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).update(
        file="", thumbnail="", removed_at=timezone.now()
    )
    transaction.on_commit(lambda: _delete_names(names), robust=True)


def delete_upload(*, upload: Upload) -> None:
    """Delete the row now, and the files when the transaction is committed."""
    with transaction.atomic():
        upload.delete()


def discard_files_of(instance: Upload, **kwargs: Any) -> None:
    """Have the files of a deleted row deleted on commit; a signal receiver.

    A signal, because rows also go without this module's help: with their owner, or in the admin.
    """
    files = [instance.file, instance.thumbnail]
    transaction.on_commit(lambda: _discard(files), robust=True)


def discard_derived_file(instance: DerivedFile, **kwargs: Any) -> None:
    """Have a derived file deleted on commit with its row; a signal receiver."""
    transaction.on_commit(lambda: _discard([instance.file]), robust=True)


@contextmanager
def refused_storage() -> Iterator[None]:
    """Say of a disk that is full, or a storage that is away, that the file is not taken.

    Raises:
        UploadRejected: ``disk_full`` or ``storage_unavailable``.
    """
    try:
        yield
    except StorageUnavailable as error:
        logger.error("A file could not be stored: %s", error)
        raise UploadRejected(
            "storage_unavailable", "The storage does not answer; nothing was stored. Try again."
        ) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UploadRejected(
            "disk_full", "The disk of the server is full; nothing was stored."
        ) from error


def _thumbnail(data: bytes) -> bytes:
    with decoded_picture(data) as image:
        return make_thumbnail(image)


def _keep(upload: Upload, info: PictureInfo, data: bytes, thumbnail: bytes) -> None:
    # Files first: a row never points at nothing. If anything fails, the files go again.
    try:
        upload.file.save(f"picture{info.extension}", ContentFile(data), save=False)
        upload.thumbnail.save("thumbnail.jpg", ContentFile(thumbnail), save=False)
        upload.save(force_insert=True)
    except BaseException:
        _discard([upload.file, upload.thumbnail])
        _discard_partial(upload, info)
        raise


def _discard(files: list[FieldFile]) -> None:
    _delete_names([(file.storage, str(file.name)) for file in files if file])


def _delete_names(names: Sequence[tuple[Storage, str]]) -> None:
    for storage, name in names:
        try:
            storage.delete(name)
        except OSError as error:
            logger.warning("%s could not be deleted: %s", name, error)


def _discard_partial(upload: Upload, info: PictureInfo) -> None:
    # A write that failed half-way has left a file that no field names yet.
    for field, name in ((upload.file, f"picture{info.extension}"), (upload.thumbnail, "t.jpg")):
        path = field.field.generate_filename(upload, name)
        try:
            field.storage.delete(path)
        except OSError as error:
            logger.warning("%s could not be deleted: %s", path, error)

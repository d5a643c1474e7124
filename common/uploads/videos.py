"""Taking and reading stored videos: files too large to be held in memory."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import transaction
from numpy.typing import NDArray

from common.storage.disk import require_room
from common.storage.files import open_part, stat_file
from common.storage.work import work_folder
from common.uploads.errors import UploadRejected
from common.uploads.models import Upload
from common.uploads.movable import MovableFile
from common.uploads.names import clean_name
from common.uploads.services import decoded_picture, refused_storage
from vision.drawing.blur import FACE_CELLS, blur_boxes
from vision.errors import VisionError
from vision.sources.pictures import make_thumbnail

if TYPE_CHECKING:
    from vision.sources.videos import VideoInfo, VideoLimits

CHUNK = 1024 * 1024


def video_limits() -> VideoLimits:
    """Return the limits that this installation sets for videos."""
    from vision.sources.videos import VideoLimits

    return VideoLimits(
        max_bytes=settings.SIGHTLINE_MAX_VIDEO_BYTES,
        max_seconds=settings.SIGHTLINE_MAX_VIDEO_SECONDS,
        max_pixels=settings.SIGHTLINE_MAX_VIDEO_PIXELS,
    )


def store_video(
    *, owner: Any, chunks: Iterable[bytes], name: str, hide: bool = False
) -> tuple[Upload, VideoInfo]:
    """Judge a video by its content and keep it with a thumbnail.

    Args:
        owner: The user it belongs to.
        chunks: The file as it came, piece by piece; it is never held in memory.
        name: What the sender called it; cleaned before it is stored.
        hide: Make everything on the thumbnail unrecognisable.

    Raises:
        UploadRejected: The file is no video, too large or too long, or the disk is full; neither
            a row nor a file is left.
    """
    require_room()
    with work_folder() as folder, refused_storage():
        path = folder / "video"
        digest, size = _write(path, chunks)
        info, thumbnail = _judge(path, hide=hide)
        upload = Upload(
            owner=owner,
            name=clean_name(name, extension=info.extension),
            sha256=digest,
            size=size,
            thumbnail_size=len(thumbnail),
            media_type=info.media_type,
            width=info.width,
            height=info.height,
        )
        _keep(upload, path, info.extension, thumbnail)
    return upload, info


def hide_thumbnail(*, upload: Upload) -> None:
    """Make the thumbnail of a stored video unrecognisable, if it has one; in a transaction.

    Raises:
        UploadRejected: The disk is full, or the storage is away.
    """
    upload.refresh_from_db(fields=["thumbnail", "thumbnail_size"])
    if not upload.thumbnail:
        return
    storage, name = upload.thumbnail.storage, str(upload.thumbnail.name)
    with refused_storage():
        try:
            with storage.open(name) as file:
                data = file.read()
        except FileNotFoundError:
            return
        with decoded_picture(data) as picture:
            _hide(picture)
            hidden = make_thumbnail(picture)
        upload.thumbnail.save("thumbnail.jpg", ContentFile(hidden), save=False)
        upload.thumbnail_size = len(hidden)
        upload.save(update_fields=["thumbnail", "thumbnail_size"])
    if upload.thumbnail.name != name:
        transaction.on_commit(lambda: storage.delete(name), robust=True)


def _write(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Copy a file, and return its digest and its size."""
    limit = settings.SIGHTLINE_MAX_VIDEO_BYTES
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                mib = limit / 1024 / 1024
                raise UploadRejected("file_too_large", f"A video may have up to {mib:.0f} MiB.")
            digest.update(chunk)
            target.write(chunk)
    if not size:
        raise UploadRejected("empty_file", "The file is empty.")
    return digest.hexdigest(), size


def _judge(path: Path, *, hide: bool) -> tuple[VideoInfo, bytes]:
    # Imported here: most processes never see a video.
    from vision.sources.videos import inspect_video

    try:
        info, picture = inspect_video(path, video_limits())
        if hide:
            _hide(picture)
        return info, make_thumbnail(picture)
    except VisionError as error:
        raise UploadRejected(error.code, error.message) from error


def _hide(picture: NDArray[np.uint8]) -> None:
    height, width = picture.shape[:2]
    blur_boxes(picture, np.array([[0, 0, width, height]]), cells=FACE_CELLS)  # a face may fill it


def _keep(upload: Upload, path: Path, extension: str, thumbnail: bytes) -> None:
    # Files first: a row never points at nothing. If anything fails, the files go again.
    try:
        with MovableFile(path) as content:
            upload.file.save(f"video{extension}", content, save=False)
        upload.thumbnail.save("thumbnail.jpg", ContentFile(thumbnail), save=False)
        upload.save(force_insert=True)
    except BaseException:
        for file in (upload.file, upload.thumbnail):
            if file:
                file.storage.delete(str(file.name))
        raise


@contextmanager
def local_file(upload: Upload) -> Iterator[Path]:
    """Give the path of a stored file for as long as the block lasts; from a bucket it is fetched.

    Raises:
        FileNotFoundError: The file is gone.
        OSError: It cannot be read.
    """
    if not upload.file:
        raise FileNotFoundError(f"The file of upload {upload.pk} was removed.")
    storage, name = upload.file.storage, str(upload.file.name)
    if isinstance(storage, FileSystemStorage):
        path = Path(storage.path(name))
        if not path.exists():
            raise FileNotFoundError(f"The file of upload {upload.pk} is gone.")
        yield path
        return
    with work_folder() as folder:
        path = folder / "video"
        size, _ = stat_file(storage, name)
        with open_part(storage, name, 0, size) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
        yield path

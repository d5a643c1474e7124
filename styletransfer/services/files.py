"""Pictures on this machine: read with care, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vision.errors import PictureError, VisionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

JPEG_SUFFIXES: Final = (".jpg", ".jpeg")
PICTURE_SUFFIXES: Final = (*JPEG_SUFFIXES, ".png")
VIDEO_SUFFIX: Final = ".mp4"
_QUALITY: Final = 95  # painted textures show what JPEG leaves out


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return a picture file as (H, W, 3) uint8 BGR.

    Raises:
        PictureError: ``unreadable_file``, or as `decode_picture`; the message names the file.
    """
    from vision.sources.pictures import PictureLimits, decode_picture

    limits = PictureLimits()
    try:
        with path.open("rb") as file:
            # One byte more than is accepted: enough to be refused, however long it is.
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError("unreadable_file", f"{path} cannot be read: {reason}.") from error
    try:
        return decode_picture(data, limits)
    except PictureError as error:
        raise PictureError(error.code, f"{path}: {error.message}") from error


def check_target(path: Path, *, is_video: bool, force: bool) -> None:
    """Refuse a place for a result before hours are spent on it.

    Raises:
        VisionError: ``bad_target``: another suffix, no such folder, or a file that is there and
            may not be replaced.
    """
    suffixes = (VIDEO_SUFFIX,) if is_video else PICTURE_SUFFIXES
    if path.suffix.lower() not in suffixes:
        wanted = " or ".join(suffixes)
        raise VisionError("bad_target", f"{path} must end in {wanted}.")
    if not path.parent.is_dir():
        raise VisionError("bad_target", f"There is no folder {path.parent}.")
    if path.is_dir() or (path.exists() and not force):
        raise VisionError("bad_target", f"{path} is there already; --force replaces a file.")


def write_picture(path: Path, image: NDArray[np.uint8], *, force: bool) -> None:
    """Write a picture by its suffix; the file appears when it is complete.

    Raises:
        VisionError: ``bad_target``: it has come to be there meanwhile.
        OSError: It cannot be written.
    """
    from vision.encoding.images import encode_jpeg, encode_png

    is_jpeg = path.suffix.lower() in JPEG_SUFFIXES
    content = encode_jpeg(image, _QUALITY) if is_jpeg else encode_png(image)
    draft = draft_of(path)
    try:
        draft.write_bytes(content)
        put_in_place(draft, path, force=force)
    finally:
        draft.unlink(missing_ok=True)


def draft_of(path: Path) -> Path:
    """Return a new name beside a file, with its suffix."""
    return path.with_name(f".{path.stem}.{secrets.token_hex(4)}.draft{path.suffix}")


def put_in_place(draft: Path, path: Path, *, force: bool) -> None:
    """Give a finished file its name.

    Raises:
        VisionError: ``bad_target``: another file has it, and may not be replaced.
        OSError: It cannot be written.
    """
    if force:
        draft.replace(path)
        return
    try:
        os.link(draft, path)  # unlike a rename it replaces nothing
    except FileExistsError as error:
        raise VisionError("bad_target", f"{path} has come to be there meanwhile.") from error
    except OSError:  # a file system without links
        if path.exists():
            raise VisionError("bad_target", f"{path} has come to be there meanwhile.") from None
        draft.replace(path)

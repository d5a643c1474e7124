"""The files of a painting, as far as they are there."""

from __future__ import annotations

import re
from typing import Final

from common.models import DerivedFile
from common.previews import Preview, read_preview
from common.uploads.services import require_picture
from styletransfer.errors import ConflictError
from styletransfer.models import Restyling

# Of "Dr. Who" nothing is cut off.
_ENDING: Final = re.compile(r"\.(jpe?g|png|webp|bmp|gif|tiff?|mp4|m4v|mov|avi|mkv|webm)$", re.I)
_FOLDERS: Final = re.compile(r"[/\\]")


def require_result(restyling: Restyling) -> DerivedFile:
    """Return the painted file.

    Raises:
        PictureRemoved: It was older than files are kept.
        ConflictError: ``not_done``: it is still being painted; ``no_result``: it failed, or was
            stopped before its first step.
    """
    if restyling.result is not None:
        return restyling.result
    if not restyling.is_finished:
        raise ConflictError("not_done", "This is still being painted.")
    require_picture(restyling.upload)
    raise ConflictError("no_result", "There is no result.")


def result_name(restyling: Restyling) -> str:
    """Return the name that the painted file is offered under."""
    suffix = ".mp4" if restyling.kind == Restyling.Kind.VIDEO else ".jpg"
    stem = _ENDING.sub("", restyling.name) or "painting"
    return _FOLDERS.sub("-", f"{stem} - {restyling.style_name}{suffix}")


def preview_slot(restyling: Restyling) -> str:
    """Return the name of the slot with the newest picture of what is being painted."""
    return f"restyling-{restyling.pk}"


def preview_of(restyling: Restyling) -> Preview | None:
    """Return the newest picture of what is being painted, if there is one."""
    return read_preview(preview_slot(restyling))

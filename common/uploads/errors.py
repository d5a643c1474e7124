"""Why a file is not taken, or not there any more."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from common.errors import ServiceError
from common.metrics.registry import uploads_refused

# VisionError codes that are the sender's format, not broken content.
STATUS_BY_CODE = {
    "file_too_large": 413,
    "too_many_pixels": 413,
    "side_too_long": 413,
    "unsupported_format": 415,
    "not_a_picture": 415,
    "not_a_video": 415,
    "unsupported_codec": 415,
    "unsupported_container": 415,
    "no_video_stream": 415,
    "video_too_large": 413,
    "video_too_long": 413,
    "too_many_frames": 413,
    "rate_too_high": 413,
    "empty_file": 400,
    "disk_full": 507,
    "storage_unavailable": 503,
}
UNPROCESSABLE = 422


class UploadRejected(Exception):  # noqa: N818 - the name says what happened
    """A file is refused; nothing of it is kept. Counted by its code for the metrics.

    Args:
        code: Stable machine code, e.g. "truncated_picture".
        message: One sentence for a person.
        status: HTTP status; by default the one that fits the code.

    Attributes:
        field: What the field of the file is called, for who has sent it.
    """

    field = "image"

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        uploads_refused.labels(code).inc()
        self.status = status or STATUS_BY_CODE.get(code, UNPROCESSABLE)


class PictureRemoved(ServiceError):  # noqa: N818
    """The picture was removed because of its age; what was found in it is kept (410).

    Args:
        name: The file's name.
        removed_at: When.
        days: How many days it was kept.
    """

    def __init__(self, name: str, removed_at: datetime, days: int) -> None:
        on = date_format(timezone.localtime(removed_at), "j F Y")
        super().__init__(
            "picture_removed",
            f"The file {name} was removed on {on} after {days} day{'' if days == 1 else 's'}; "
            "what was found in it is kept.",
            status=410,
        )

"""Why a file is not taken."""

# VisionError codes that are the sender's format, not broken content.
STATUS_BY_CODE = {
    "file_too_large": 413,
    "too_many_pixels": 413,
    "side_too_long": 413,
    "unsupported_format": 415,
    "not_a_picture": 415,
    "empty_file": 400,
    "disk_full": 507,
}
UNPROCESSABLE = 422


class UploadRejected(Exception):  # noqa: N818 - the name says what happened
    """A file is refused; nothing of it is kept.

    Args:
        code: Stable machine code, e.g. "truncated_picture".
        message: One sentence for a person.
        status: HTTP status; by default the one that fits the code.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or STATUS_BY_CODE.get(code, UNPROCESSABLE)

"""The newest picture of work in progress, for whoever looks: never queued, never stored."""

from common.previews.slots import (
    Preview,
    forget_preview,
    is_watched,
    read_newer,
    read_preview,
    write_preview,
)

__all__ = [
    "Preview",
    "forget_preview",
    "is_watched",
    "read_newer",
    "read_preview",
    "write_preview",
]

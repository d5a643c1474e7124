"""The newest picture of work in progress, for whoever looks: never queued, never stored."""

from common.previews.slots import (
    Preview,
    is_watched,
    read_newer,
    read_preview,
    write_preview,
)

__all__ = ["Preview", "is_watched", "read_newer", "read_preview", "write_preview"]

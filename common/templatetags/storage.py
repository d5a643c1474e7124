"""What every page says when the disk is nearly full."""

from __future__ import annotations

from django import template

from common.storage.disk import DiskSpace, disk_space

register = template.Library()


@register.simple_tag
def low_disk() -> DiskSpace | None:
    """Return the disk when it has too little room left, else None."""
    space = disk_space()
    return space if space.is_low else None

"""Judging what the environment says about cameras before the start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from vision.sources.cameras.hosts import can_match

TAG = "sightline"


@register(TAG)
def check_camera_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Look for entries that match no host: most are typing errors."""
    return [
        Warning(
            f"{entry!r} in SIGHTLINE_CAMERA_HOSTS is no host name, address or network, and has no "
            "effect.",
            hint="Write it like media.local, 192.168.1.20 or 10.0.0.0/8: no scheme, no port.",
            id="sightline.W003",
        )
        for entry in settings.SIGHTLINE_CAMERA_HOSTS
        if not can_match(entry)
    ]

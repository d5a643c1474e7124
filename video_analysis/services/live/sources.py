"""Opening a camera's source; one that cannot be opened is a source that says why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from django.utils import timezone

from common.secrets import UnreadableSecretError
from video_analysis.cameras.selectors import camera_address_rules, read_credentials
from video_analysis.services.live.setups import CameraSetup
from vision.errors import VisionError
from vision.sources.cameras import (
    Capture,
    CaptureStatus,
    LiveFrame,
    parse_address,
)

logger = logging.getLogger(__name__)


class Source(Protocol):
    """What a camera's frames come from; see `vision.sources.cameras.capture.Capture`."""

    def start(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> LiveFrame | None: ...

    def status(self) -> CaptureStatus: ...


OpenSource = Callable[[CameraSetup, Callable[[], None]], Source]
"""Takes a camera and what to call when it has a new frame."""


def open_source(setup: CameraSetup, on_frame: Callable[[], None]) -> Source:
    """Return the camera's source, not yet started; raises nothing."""
    try:
        address, inside = parse_address(setup.source.address)
        return Capture(
            address,
            rules=camera_address_rules(),
            credentials=read_credentials(setup.source.credentials) or inside,
            source_id=f"camera-{setup.id}",
            fps=setup.source.fps,
            on_frame=on_frame,
        )
    except VisionError as error:
        return RefusedSource(error.code, error.message)
    except UnreadableSecretError as error:
        return RefusedSource("unreadable_credentials", f"{error} Enter the password again.")


class RefusedSource:
    """Stands where a source would: it has no frames, only a reason."""

    def __init__(self, code: str, message: str) -> None:
        self._status = CaptureStatus(
            state="refused",
            code=code,
            message=message,
            since=timezone.now(),
            codec="",
            width=0,
            height=0,
            rate=0.0,
            fps=0.0,
            received=0,
            dropped=0,
            newest=None,
            attempts=0,
            epoch=0,
        )

    def start(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def take(self) -> LiveFrame | None:
        """Return None."""
        return None

    def status(self) -> CaptureStatus:
        """Say why."""
        return self._status

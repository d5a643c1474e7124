"""Videos in which people are not to be recognised: what others than their owner get of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from common.errors import ServiceError
from common.models import Upload
from common.uploads.services import require_picture
from detector.errors import DetectorError
from detector.models import DetectionSession
from video_analysis.services.options import VideoOptions
from vision.drawing.styles import HIDING

_AT_LEAST: Final[Mapping[str, frozenset[str]]] = {
    "blur": frozenset({"blur"}),
    "faces": frozenset({"faces"}),
    "faces-consented": frozenset({"faces", "faces-consented"}),
}
"""For each style of `HIDING` those that hide all that it does. Bodies and faces are two things: a
face that fills the picture has no body to be found."""


def hides(styles: Collection[str]) -> str:
    """Return the first style of `HIDING` among some styles; empty where none hides."""
    return next((style for style in HIDING if style in styles), "")


def require_original(session: DetectionSession, user: Any) -> Upload:
    """The upload of a session, if ``user`` may have it as it came.

    Raises:
        PictureRemoved: It was older than the installation keeps files.
        DetectorError: ``people_hidden``: people are unrecognisable here, and the file is somebody
            else's.
    """
    upload = require_picture(session.upload)
    if hides(session.video.styles) and upload.owner_id != user.pk:
        raise _hidden()
    return upload


def may_have_original(session: DetectionSession, user: Any) -> bool:
    """Tell whether there is an original that ``user`` may have."""
    try:
        require_original(session, user)
    except ServiceError:
        return False
    return True


def refuse_unhiding(session: DetectionSession, user: Any, options: VideoOptions) -> None:
    """Refuse to have a video analysed again in a way that shows who was hidden.

    Raises:
        DetectorError: ``people_hidden``.
    """
    if session.upload.owner_id == user.pk:
        return
    hidden = [style for style in session.video.styles if style in HIDING]
    if not all(_AT_LEAST[style].intersection(options.styles) for style in hidden):
        raise _hidden()


def _hidden() -> DetectorError:
    return DetectorError(
        "people_hidden",
        "People are unrecognisable in this video; only its owner sees it as it came.",
        status=403,
    )

"""What a page says of a photo before it is enrolled. Nothing of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from recognition.errors import EnrolmentError
from recognition.index import match_faces
from recognition.models import Profile
from recognition.presenting import card_of
from recognition.services.enrolling import sample_from

GOOD: Final = "A good photo."
GUIDANCE: Final = {
    "": "Good. Stay like this.",
    "no_face": "Look into the camera.",
    "several_faces": "One person at a time, please.",
    "too_small": "Come closer.",
    "blurred": "Hold still; more light helps.",
    "turned": "Turn to the camera.",
    "upside_down": "Hold the camera upright.",
    "covered": "Show the whole face: no mask, no hand, no sunglasses.",
    "unsure": "Look straight into the camera.",
}
"""What to do before the camera, by the code of what is wrong."""


@dataclass(frozen=True)
class JudgedPhoto:
    """Whether a photo may be enrolled.

    Attributes:
        code: Why not, as `EnrolmentError` names it; empty where it may.
        sentence: The same for a person.
        looks_like: Who it is, where somebody who is known looks so.
    """

    code: str
    sentence: str
    looks_like: dict[str, Any] | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"code": self.code, "sentence": self.sentence, "looks_like": self.looks_like}


def judge_photo(data: bytes, *, moment: bool = False) -> JudgedPhoto:
    """Tell whether a photo may be enrolled, and whom it looks like.

    Args:
        data: The file as it came.
        moment: Whether it is one of many before a camera: what is said tells what to do there,
            and nobody is searched.

    Raises:
        UploadRejected: The file is no picture, or larger than is accepted.
        VisionError: The engine cannot answer.
    """
    try:
        sample = sample_from(data)
    except EnrolmentError as error:
        return JudgedPhoto(error.code, GUIDANCE.get(error.code, "") if moment else error.message)
    if moment:
        return JudgedPhoto("", GUIDANCE[""])
    probe = np.asarray(sample.embedding, np.float32)[None]
    [match] = match_faces(probe, model=sample.model)
    known = Profile.objects.filter(pk=match.profile_id).first() if match.profile_id else None
    return JudgedPhoto("", GOOD, card_of(known) if known is not None else None)

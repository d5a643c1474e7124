"""What a page says of a photo before it is enrolled. Nothing of it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from recognition.errors import EnrolmentError
from recognition.index import match_faces
from recognition.presenting import card_of
from recognition.services.auditing import note_person_viewed
from recognition.services.enrolling import sample_from
from recognition.services.naming import LOOKS_LIKE, people_to_name

GOOD: Final = "A good photo."
LIKE_SOMEBODY: Final = f"{GOOD} Looks like somebody who is known."
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
        looks_like: Who it is, where somebody who is known looks so and may be named.
    """

    code: str
    sentence: str
    looks_like: dict[str, Any] | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"code": self.code, "sentence": self.sentence, "looks_like": self.looks_like}


def judge_photo(*, actor: Any, data: bytes, moment: bool = False) -> JudgedPhoto:
    """Tell whether a photo may be enrolled, and whom it looks like.

    Args:
        actor: Who asks. Who it looks like is said to them where faces in uploads may be
            recognised, and goes into the audit log; elsewhere it is only said that somebody does.
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
    [match] = match_faces(sample.as_probe(), model=sample.model)
    if match.profile_id is None:
        return JudgedPhoto("", GOOD)
    other = people_to_name(actor, [match.profile_id], LOOKS_LIKE).get(match.profile_id)
    if other is None:
        return JudgedPhoto("", LIKE_SOMEBODY)
    note_person_viewed(actor=actor, profile_id=other.pk, what=LOOKS_LIKE)
    return JudgedPhoto("", GOOD, card_of(other))

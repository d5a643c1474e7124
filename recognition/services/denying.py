"""Saying of a face on a picture that it is not a certain person."""

from __future__ import annotations

from typing import Any

from common.errors import ServiceError
from common.inference import find_faces
from recognition.models import NegativeEvidence, Profile
from recognition.services.negatives import note_not_person


def deny_picture(
    *, actor: Any, profile: Profile, data: bytes, face: int | None = None
) -> NegativeEvidence:
    """Remember that a face on a picture is not this person; the picture is not kept.

    Args:
        actor: Who says so.
        profile: Whose face it is not.
        data: The file as it came.
        face: Which face, the largest being 0; may be None where there is only one.

    Raises:
        ServiceError: ``no_face`` or ``several_faces`` (422).
        UploadRejected: The file is no picture, damaged, or larger than is accepted.
        InferenceUnavailable: No worker can answer just now.
        VisionError: The engine cannot answer.
    """
    found = find_faces(data)
    count = len(found.faces)
    if face is None and count > 1:
        message = f"There are {count} faces on the picture; say which one with face."
        raise ServiceError("several_faces", message, status=422, fields={"face": message})
    if not 0 <= (face or 0) < count:
        message = "There is no such face on the picture."
        raise ServiceError("no_face", message, status=422, fields={"image": message})
    return note_not_person(
        actor=actor,
        profile=profile,
        embedding=found.faces.data["embedding"][face or 0],
        model=found.embedder,
    )

"""From a picture to a sample of a person, with everything that speaks against it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from common.inference.faces import FoundFaces, find_faces
from common.storage.disk import require_room
from recognition.errors import EnrolmentError
from recognition.index import Match, match_faces
from recognition.models import FaceSample, Profile
from recognition.models.samples import EMBEDDING_BYTES
from recognition.services.files import new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile
from recognition.services.keeping import NewSample, keep_samples, unpack
from recognition.services.naming import LOOKS_LIKE, about_another, name_in_error
from recognition.services.noting import note
from vision.faces.matching import DEFAULT_RULES
from vision.faces.quality import flaw_of
from vision.faces.structures import FLAWS, quality_of

ADVICE: Final = {
    "too_small": "come closer, or send a larger picture.",
    "blurred": "hold still, and see to more light.",
    "turned": "look into the camera.",
    "upside_down": "turn the picture.",
    "covered": "take off mask, scarf or sunglasses.",
    "unsure": "take a clear photo of the face.",
}
"""How the sentence about a flaw goes on."""

DIFFERS: Final = (
    "This face does not look like the other photos of this person. Add it only if you are sure "
    "that it is them."
)
NO_FACE: Final = "There is no face in this picture; take one that shows the person from the front."


def enrol_picture(
    *, actor: Any, profile: Profile, data: bytes, source: str, confirm: bool = False
) -> FaceSample:
    """Make the one face of a picture a sample of a person.

    Args:
        actor: Who says that it is them.
        profile: Whose face it is.
        data: The picture file as it came; it is not kept, only the face cut out of it.
        source: Of `FaceSample.Source`.
        confirm: Take it although it looks like somebody else, or unlike the person's other faces.

    Raises:
        UploadRejected: The file is no picture, damaged or too large, or the disk is full.
        EnrolmentError: ``no_face``, ``several_faces``, a code of `FLAWS`, ``same_photo``,
            ``looks_like``, ``differs``. Who the other person is, is said to whom
            `recognition.services.naming` lets it be said.
        GoneError: The profile was deleted.
        InferenceUnavailable: No worker can answer just now.
    """
    require_room()
    sample = sample_from(data)
    try:
        return _enrol(actor, profile, sample, source, confirm=confirm)
    except EnrolmentError as error:
        if error.profile_id in (None, profile.pk):
            raise
        raise name_in_error(actor, error) from None


def _enrol(
    actor: Any, profile: Profile, sample: NewSample, source: str, *, confirm: bool
) -> FaceSample:
    refuse_same_photo(profile.pk, sample.sha256)  # before the search: a better reason
    if not confirm:
        [match] = match_faces(sample.as_probe(), model=sample.model)
        refuse_resemblance(profile.pk, match)
        refuse_difference(profile, sample)
    with new_files() as files, transaction.atomic():
        held = hold_profile(profile.pk)
        note_change([held.pk])
        # Again: now that all others wait, nobody else can enrol it at the same time.
        refuse_same_photo(held.pk, sample.sha256)
        [added] = keep_samples(
            actor=actor, profile=held, samples=[sample], source=source, files=files
        )
        note(
            actor=actor,
            profile_id=held.pk,
            change="enrolled",
            source=str(source),
            **({"confirmed": True} if confirm else {}),
        )
    return added


def sample_from(data: bytes, *, here: bool | None = None) -> NewSample:
    """Return the face of a picture that shows exactly one, well enough to know somebody by.

    Args:
        data: The picture file.
        here: Whether this process's engine looks; by default as the installation is set up.

    Raises:
        UploadRejected: The file is no picture, damaged or too large.
        EnrolmentError: ``no_face``, ``several_faces`` or a code of `FLAWS`.
        InferenceUnavailable: No worker can answer just now.
    """
    found = find_faces(data, crops=True, here=here)
    index = _the_one_face(found)
    return NewSample(
        embedding=np.asarray(found.faces.data["embedding"][index], np.float32),
        model=found.embedder,
        crop=found.crops[index],
        quality=quality_of(found.faces, index).as_data(),
        sha256=sha256_of(data),
    )


def sha256_of(data: bytes) -> str:
    """Return what a picture file is known by."""
    return hashlib.sha256(data).hexdigest()


def refuse_same_photo(profile_id: UUID, sha256: str) -> None:
    """Refuse a picture of which somebody was made known already.

    Raises:
        EnrolmentError: ``same_photo``, with the id of whose it is.
    """
    used = FaceSample.objects.filter(picture_sha256=sha256).exclude(picture_sha256="")
    if used.filter(profile=profile_id).exists():
        reason = "This photo is among the pictures of this person already."
        raise EnrolmentError("same_photo", reason, profile_id=profile_id)
    other = used.order_by("created_at").values_list("profile_id", flat=True).first()
    if other is not None:
        raise about_another("same_photo", other)


def refuse_resemblance(
    profile_id: UUID, match: Match, *, states: Collection[str] = ("known", "uncertain")
) -> None:
    """Refuse a face that looks like somebody else.

    Raises:
        EnrolmentError: ``looks_like``, with the id of who it is.
    """
    other = match.profile_id
    if match.state not in states or other is None or other == profile_id:
        return
    if Profile.objects.filter(pk=other).exists():  # not erased since the search
        raise about_another(LOOKS_LIKE, other)


def refuse_difference(profile: Profile, sample: NewSample) -> None:
    """Refuse a face that nobody would be asked about: it is too far from all that the person has.

    Raises:
        EnrolmentError: ``differs``.
    """
    if not looks_like_own(profile, own_faces(profile, sample.model), sample):
        raise EnrolmentError("differs", DIFFERS)


def own_faces(profile: Profile, model: str) -> list[NDArray[np.float32]]:
    """Return the embeddings of a person's samples by one network."""
    rows = FaceSample.objects.filter(profile=profile.pk, model=model).order_by()
    stored = rows.values_list("embedding", flat=True)
    return [unpack(data) for data in stored if len(data) == EMBEDDING_BYTES]


def looks_like_own(profile: Profile, own: Sequence[NDArray[np.float32]], sample: NewSample) -> bool:
    """Tell whether a face may be that of a person with such faces; with none it may be any."""
    if not own:
        return True
    nearest = np.linalg.norm(np.stack(own) - sample.as_probe(), axis=1).min()
    return bool(nearest <= max(profile.threshold or 0.0, DEFAULT_RULES.uncertain))


def _the_one_face(found: FoundFaces) -> int:
    """Return which face it is; what may be no face does not count beside one that is."""
    flaws = [flaw_of(found.faces, index, purpose="enrol") for index in range(len(found.faces))]
    if not flaws:
        raise EnrolmentError("no_face", NO_FACE)
    faces = [index for index, flaw in enumerate(flaws) if flaw != "unsure"]
    if len(faces) > 1:
        raise EnrolmentError(
            "several_faces",
            f"There are {len(faces)} faces in this picture; take one that shows one person.",
        )
    chosen = faces[0] if faces else 0
    if flaw := flaws[chosen]:
        raise EnrolmentError(flaw, f"{FLAWS[flaw]}: {ADVICE[flaw]}")
    return chosen

"""A picture in, who is on it out. Nothing is kept but what a person has to decide."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from common.accounts.roles import require_may_create
from common.audit.services import printable
from common.errors import ServiceError
from common.inference import FoundFaces, find_faces
from recognition.errors import GoneError
from recognition.index import Match, match_faces
from recognition.models import FaceReview, Profile
from recognition.services.auditing import note_recognised
from recognition.services.privacy import current_privacy
from recognition.services.reviews import open_review
from vision.faces.calibration import probability
from vision.faces.structures import FaceQuality, quality_of

if TYPE_CHECKING:
    from vision.faces.structures import Embeddings

LONGEST_NAME: Final = 200

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Guess:
    """Somebody whom a face may show, and how likely it does."""

    profile: Profile
    confidence: float


@dataclass(frozen=True)
class RecognisedFace:
    """One face of a picture.

    Attributes:
        box: Left, top, width and height in pixels.
        state: "known", "uncertain" or "unknown".
        match: Whom it shows, when it is known.
        candidate: Whom it may show, when that is uncertain.
        runner_up: Who would be next, where it is known or uncertain.
        quality: How well it can be seen.
        flaw: Why it was not matched, a code of `vision.faces.FLAWS`; "" when it was.
        crop: A JPEG of it.
        review: Where a person decides, when it is uncertain.
    """

    box: Box
    state: str
    match: Guess | None
    candidate: Guess | None
    runner_up: Guess | None
    quality: FaceQuality
    flaw: str
    crop: bytes
    review: FaceReview | None

    @property
    def profile(self) -> Profile | None:
        """Who it is, or None."""
        return self.match.profile if self.match else None

    @property
    def confidence(self) -> float | None:
        """How likely it is who it is said to be, 0 to 1; None where nobody is named."""
        return self.match.confidence if self.match else None


@dataclass(frozen=True)
class RecognisedPicture:
    """Who is on a picture.

    Attributes:
        name: File name as sent.
        faces: The largest first.
        model: What found the faces.
        embedder: The network that told them apart.
        timings_ms: decode, detect, embed, match and total.
    """

    name: str
    width: int
    height: int
    faces: list[RecognisedFace]
    model: str
    embedder: str
    timings_ms: dict[str, float]


def recognise_picture(*, actor: Any, data: bytes, name: str) -> RecognisedPicture:
    """Say who is on a picture, and ask people about the faces that are uncertain.

    The picture is not kept. Faces that cannot be seen well enough are not matched.

    Args:
        actor: Who asks; they and the ids of those who were recognised go into the audit log.
        data: The file as it came.
        name: What the sender called it.

    Raises:
        ServiceError: ``not_allowed_to_create`` or ``recognition_off`` (403).
        UploadRejected: The file is no picture, damaged, or larger than is accepted.
        InferenceUnavailable: No worker can answer just now.
        VisionError: The engine cannot answer.
    """
    require_may_create(actor)
    settings = current_privacy()
    if not settings.recognise_uploads:
        raise recognition_off()
    began = time.perf_counter()
    name = printable(name, LONGEST_NAME)
    found = find_faces(data, crops=True)
    matched = time.perf_counter()
    matches = _match(found, consented_only=settings.uploads_need_consent)
    profiles = _profiles_of(matches.values())
    source = _Source(actor, hashlib.sha256(data).hexdigest(), name)
    faces = [
        _describe(found, index, matches.get(index), profiles, source)
        for index in range(len(found.faces))
    ]
    note_recognised(actor=actor, faces=faces)
    return RecognisedPicture(
        name=name,
        width=found.width,
        height=found.height,
        faces=faces,
        model=str(found.faces.metadata.get("model", "")),
        embedder=found.embedder,
        timings_ms=_timings(found, began=began, matched=matched),
    )


def recognition_off() -> ServiceError:
    """Return what is said where faces in uploads are not recognised."""
    return ServiceError(
        "recognition_off",
        "Faces in uploaded pictures are not recognised here. Administrators can allow it in the "
        "privacy settings.",
        status=403,
    )


@dataclass(frozen=True)
class _Source:
    """The picture that a face is on: who asks, the hash of the file, and its name for people."""

    actor: Any
    sha256: str
    name: str

    def id_of(self, index: int) -> str:
        """Name one face: of the same person, the same file asks the same question only once."""
        return f"{self.sha256[:40]}:{self.actor.pk}:{index}"


def _match(found: FoundFaces, *, consented_only: bool) -> dict[int, Match]:
    """Match the faces that can be seen well enough, by their index."""
    flaws, embeddings = found.faces.data["flaw"], found.faces.data["embedding"]
    rows = [index for index in range(len(found.faces)) if not flaws[index]]
    rows = [index for index in rows if np.isfinite(embeddings[index]).all()]
    if not rows:
        return {}
    probes: Embeddings = embeddings[rows]
    matches = match_faces(probes, model=found.embedder, consented_only=consented_only)
    return dict(zip(rows, matches, strict=True))


def _profiles_of(matches: Iterable[Match]) -> dict[UUID, Profile]:
    matches = list(matches)
    wanted = {match.profile_id for match in matches} | {match.runner_up_id for match in matches}
    return Profile.objects.in_bulk([known for known in wanted if known is not None])


def _describe(
    found: FoundFaces,
    index: int,
    match: Match | None,
    profiles: Mapping[UUID, Profile],
    source: _Source,
) -> RecognisedFace:
    left, top, right, bottom = (float(side) for side in found.faces.xyxy[index])
    quality = quality_of(found.faces, index)
    state, best, runner_up, review = "unknown", None, None, None
    if match is not None and match.state != "unknown":
        best = _guess(profiles, match.profile_id, match.probability)
        runner_up = _guess(profiles, match.runner_up_id, _likely(match.runner_up_distance))
        # Who was forgotten a moment ago is nobody.
        state = match.state if best is not None else "unknown"
    if state == "uncertain" and match is not None:
        try:
            review = open_review(
                origin=FaceReview.Origin.PICTURE,
                origin_id=source.id_of(index),
                asked_by=source.actor,
                place=source.name,
                embedding=found.faces.data["embedding"][index],
                model=found.embedder,
                crop=found.crops[index],
                quality=quality.as_data(),
                match=match,
            )
        except GoneError:
            state, best = "unknown", None
    return RecognisedFace(
        box=(left, top, right - left, bottom - top),
        state=state,
        match=best if state == "known" else None,
        candidate=best if state == "uncertain" else None,
        runner_up=runner_up if best is not None else None,
        quality=quality,
        flaw=str(found.faces.data["flaw"][index]),
        crop=found.crops[index],
        review=review,
    )


def _guess(
    profiles: Mapping[UUID, Profile], profile_id: UUID | None, confidence: float | None
) -> Guess | None:
    profile = profiles.get(profile_id) if profile_id is not None else None
    return Guess(profile, float(confidence or 0.0)) if profile is not None else None


def _likely(distance: float | None) -> float | None:
    return None if distance is None else probability(distance)


def _timings(found: FoundFaces, *, began: float, matched: float) -> dict[str, float]:
    noted = found.faces.metadata.get("timings_ms", {})
    now = time.perf_counter()
    return {
        "decode": round(found.decode_ms, 2),
        "detect": round(float(noted.get("detect", 0.0)), 2),
        "embed": round(float(noted.get("embed", 0.0)), 2),
        "match": round((now - matched) * 1000, 2),
        "total": round((now - began) * 1000, 2),
    }

"""Writing samples: embedding, picture and the profile's photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recognition.errors import InvalidError
from recognition.models import FaceSample, Profile
from recognition.services.files import NewFiles
from recognition.services.photos import follow_best
from vision.faces.structures import EMBEDDING_SIZE

LONGEST: Final = 10.0
"""Far more than any network makes; also false for what is not finite."""


@dataclass(frozen=True)
class NewSample:
    """A face that is to be kept.

    Attributes:
        embedding: 128 numbers.
        model: Which network made them.
        crop: JPEG of 150x150 pixels; empty for none.
        quality: As `FaceQuality.as_data` tells it.
        sha256: Of the whole picture, where there is one.
    """

    embedding: ArrayLike
    model: str
    crop: bytes = b""
    quality: Mapping[str, float] = field(default_factory=dict)
    sha256: str = ""

    def as_probe(self) -> NDArray[np.float32]:
        """Return the embedding as a search takes it, (1, 128) float32."""
        return np.asarray(self.embedding, np.float32).reshape(1, -1)


def pack(embedding: ArrayLike) -> bytes:
    """Return an embedding as it is stored.

    Raises:
        InvalidError: ``bad_embedding``: it is not 128 finite numbers of a size that they have.
    """
    try:
        vector = np.asarray(embedding, dtype="<f4").reshape(-1)
    except (TypeError, ValueError):
        vector = np.empty(0, "<f4")
    if vector.size != EMBEDDING_SIZE or not np.linalg.norm(vector) <= LONGEST:
        reason = f"An embedding is {EMBEDDING_SIZE} finite numbers."
        raise InvalidError({"embedding": reason}, code="bad_embedding")
    return vector.tobytes()


def unpack(data: bytes | memoryview) -> NDArray[np.float32]:
    """Return a stored embedding, (128,) float32."""
    return np.frombuffer(bytes(data), dtype="<f4").astype(np.float32)


def keep_samples(
    *, actor: Any, profile: Profile, samples: Sequence[NewSample], source: str, files: NewFiles
) -> list[FaceSample]:
    """Store faces of a profile that is held, in the caller's transaction.

    Raises:
        InvalidError: ``bad_embedding``.
    """
    rows = []
    for sample in samples:
        row = FaceSample(
            profile=profile,
            embedding=pack(sample.embedding),
            model=sample.model,
            quality=dict(sample.quality),
            picture_sha256=sample.sha256,
            source=source,
            created_by=actor,
        )
        if sample.crop:
            files.save(row.crop, sample.crop)
        rows.append(row)
    FaceSample.objects.bulk_create(rows)
    follow_best(profile, files)
    return rows

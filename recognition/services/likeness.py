"""Faces that are a person's though no row says so: of visitors without a name, of open doubts.

Who is forgotten must not live on as "visitor 12", or as evidence of who somebody else is not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Self
from uuid import UUID

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from recognition.models import FaceReview, FaceSample
from recognition.models.samples import EMBEDDING_BYTES
from vision.faces.matching import DEFAULT_RULES

PIECE = 5_000

Vectors = NDArray[np.float32]


class Likeness:
    """What one person looks like, by the network that made the embeddings.

    Args:
        samples: (N, 128) by network.
    """

    def __init__(self, samples: dict[str, Vectors]) -> None:
        self._samples = samples

    @classmethod
    def of(cls, profile_id: UUID) -> Self:
        """Read the samples of a person; of nobody, nothing is alike."""
        parts: dict[str, list[bytes]] = defaultdict(list)
        rows = FaceSample.objects.filter(profile=profile_id).order_by()
        for model, embedding in rows.values_list("model", "embedding"):
            if len(embedding) == EMBEDDING_BYTES:
                parts[model].append(bytes(embedding))
        return cls({model: _vectors(found) for model, found in parts.items()})

    def find(self, rows: QuerySet[Any]) -> list[Any]:
        """Return the keys of those rows whose face is as near as one that is recognised.

        Args:
            rows: Of a model with ``model`` and ``embedding``.
        """
        found: list[Any] = []
        for model, own in self._samples.items():
            keys: list[Any] = []
            parts: list[bytes] = []
            columns = rows.order_by().filter(model=model).values_list("pk", "embedding")
            for key, embedding in columns.iterator(chunk_size=PIECE):
                if len(embedding) != EMBEDDING_BYTES:
                    continue
                keys.append(key)
                parts.append(bytes(embedding))
                if len(keys) == PIECE:
                    found += _near(own, keys, parts)
                    keys, parts = [], []
            found += _near(own, keys, parts)
        return found


def named_in(profile_id: UUID) -> Q:
    """Select the reviews in which somebody is asked about, is second, or is the answer."""
    return Q(candidate=profile_id) | Q(runner_up=profile_id) | Q(answer=profile_id)


def reviews_about(profile_id: UUID) -> QuerySet[FaceReview]:
    """Reviews in which somebody is named, and those of a face that is like theirs."""
    others = FaceReview.objects.exclude(named_in(profile_id))
    alike = Likeness.of(profile_id).find(others)
    return FaceReview.objects.filter(named_in(profile_id) | Q(pk__in=alike))


def _near(own: Vectors, keys: list[Any], parts: list[bytes]) -> list[Any]:
    if not keys or not len(own):
        return []
    others = _vectors(parts)
    squared = (
        (others**2).sum(axis=1)[:, None] - 2.0 * others @ own.T + (own**2).sum(axis=1)[None, :]
    )
    near = squared.min(axis=1) <= DEFAULT_RULES.threshold**2  # NaN is near to nothing
    return [key for key, is_near in zip(keys, near.tolist(), strict=True) if is_near]


def _vectors(parts: list[bytes]) -> Vectors:
    return np.frombuffer(b"".join(parts), dtype="<f4").reshape(len(parts), -1)

"""Faces without a name, put together into visitors."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.faces.matching import check_embedding, check_embeddings
from vision.faces.structures import Embeddings

__all__ = ["assign"]

# As known profiles: on average as near as those have to be, and no face farther than what is asked
# about. The second keeps chains apart: A like B like C does not make A and C one person.
_AVERAGE: Final = 0.50
_FARTHEST: Final = 0.60


def assign(probe: Embeddings, faces: Embeddings, owners: NDArray[np.int64]) -> int | None:
    """Return the visitor a face belongs to; None for a new one.

    It must be like all faces of the visitor, not only like one of them. Of several such visitors
    it is the one that is nearest on average.

    Args:
        probe: (128,) float32.
        faces: (N, 128) float32 of the visitors; may be empty.
        owners: (N,) int64, whose they are, in any order.

    Raises:
        VisionError: ``bad_embedding``.
    """
    probe, faces = check_embedding(probe), check_embeddings(faces)
    owners = np.asarray(owners, np.int64)
    if owners.shape != (len(faces),):
        raise VisionError("bad_embedding", "There must be one owner for each embedding.")
    if not len(faces):
        return None
    distances = np.linalg.norm(faces.astype(np.float64) - probe, axis=1)
    visitors, places = np.unique(owners, return_inverse=True)
    average = np.bincount(places, distances) / np.bincount(places)
    farthest = np.zeros(len(visitors))
    np.maximum.at(farthest, places, distances)
    average[(average > _AVERAGE) | (farthest > _FARTHEST)] = np.inf
    best = int(average.argmin())
    return int(visitors[best]) if np.isfinite(average[best]) else None

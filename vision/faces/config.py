"""How a face engine is set up, and how one is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vision.weights.store import WeightsStore

if TYPE_CHECKING:
    from vision.engine.admission import AdmissionQueue
    from vision.faces.protocol import FaceEngine

__all__ = ["FaceConfig", "create_face_engine"]


@dataclass(frozen=True)
class FaceConfig:
    """Everything a face engine needs to know.

    Attributes:
        weights: Where YuNet comes from.
        detector: ``"auto"`` is YuNet, and dlib's HOG while its weights cannot be had.
        embedder: What computes dlib's network; ``"auto"`` is OpenVINO, and dlib itself if the
            network cannot be read. The embeddings are the same to 1e-5.
        threads: Processor threads; None takes what affinity and container allow.
    """

    weights: WeightsStore
    detector: Literal["auto", "yunet", "dlib-hog"] = "auto"
    embedder: Literal["auto", "openvino", "dlib"] = "auto"
    threads: int | None = None


def create_face_engine(config: FaceConfig, *, queue: AdmissionQueue | None = None) -> FaceEngine:
    """Return a face engine; models are loaded when they are first used.

    Args:
        config: How it is set up.
        queue: Who runs next among all that the process computes; None is a queue of its own,
            which is closed with the engine.

    Raises:
        ModelError: ``unknown_backend``: there is no such detector or embedder.
    """
    from vision.faces.engine import LocalFaceEngine

    return LocalFaceEngine(config, queue)

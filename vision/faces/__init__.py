"""Faces: found, judged, embedded, matched, grouped."""

from vision.faces.config import FaceConfig, create_face_engine
from vision.faces.protocol import FaceEngine
from vision.faces.structures import (
    EMBEDDING_SIZE,
    FLAWS,
    QUALITY,
    FaceQuality,
    no_faces,
    quality_of,
)

__all__ = [
    "EMBEDDING_SIZE",
    "FLAWS",
    "QUALITY",
    "FaceConfig",
    "FaceEngine",
    "FaceQuality",
    "create_face_engine",
    "no_faces",
    "quality_of",
]

"""Faces: found, judged, embedded, matched, grouped."""

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
    "FaceEngine",
    "FaceQuality",
    "no_faces",
    "quality_of",
]

"""Finding objects: letterbox, network runtimes, decoding, suppression, masks."""

from vision.detection.candidates import Query
from vision.detection.protocol import Detector, Runtime, StagedDetector

__all__ = ["Detector", "Query", "Runtime", "StagedDetector"]

"""Models of the detector app."""

from detector.models.objects import DetectedObject
from detector.models.sessions import DetectionSession

__all__ = ["DetectedObject", "DetectionSession"]

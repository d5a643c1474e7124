"""Models of the detector app."""

from detector.models.analytics import (
    ChangedSession,
    CountedIn,
    DailyClassFigures,
    DailyFigures,
)
from detector.models.objects import DetectedObject
from detector.models.sessions import DetectionSession

__all__ = [
    "ChangedSession",
    "CountedIn",
    "DailyClassFigures",
    "DailyFigures",
    "DetectedObject",
    "DetectionSession",
]

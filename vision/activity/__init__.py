"""What people do: per person from joints and trajectory, and in groups."""

from vision.activity.events import ActivityEvent, ActivityEvents
from vision.activity.groups import GroupSettings
from vision.activity.recognizer import (
    PoseActivityRecognizer,
    RecognizerSettings,
    create_recognizer,
)
from vision.activity.types import ACTIVITIES, UNSURE, ActivityRecognizer, ActivityState

__all__ = [
    "ACTIVITIES",
    "UNSURE",
    "ActivityEvent",
    "ActivityEvents",
    "ActivityRecognizer",
    "ActivityState",
    "GroupSettings",
    "PoseActivityRecognizer",
    "RecognizerSettings",
    "create_recognizer",
]

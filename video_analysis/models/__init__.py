"""Models of the app `video_analysis`."""

from video_analysis.models.analyses import VideoAnalysis
from video_analysis.models.events import Event
from video_analysis.models.live import (
    CameraChunk,
    CameraEvent,
    CameraRunner,
    CameraState,
    CameraTrack,
    EventSequence,
)
from video_analysis.models.sightings import Sighting, Visitor, VisitorFace
from video_analysis.models.tracks import Track, TrajectoryChunk

__all__ = [
    "CameraChunk",
    "CameraEvent",
    "CameraRunner",
    "CameraState",
    "CameraTrack",
    "Event",
    "EventSequence",
    "Sighting",
    "Track",
    "TrajectoryChunk",
    "VideoAnalysis",
    "Visitor",
    "VisitorFace",
]

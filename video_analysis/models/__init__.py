"""Models of the app `video_analysis`."""

from video_analysis.models.analyses import VideoAnalysis
from video_analysis.models.events import Event
from video_analysis.models.tracks import Track, TrajectoryChunk

__all__ = ["Event", "Track", "TrajectoryChunk", "VideoAnalysis"]

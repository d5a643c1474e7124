"""From detections to tracks: ids, positions between detections, trajectories."""

from vision.tracking.between import BETWEEN, Follower, create_follower
from vision.tracking.factory import TRACKERS, create_tracker
from vision.tracking.protocol import Tracker
from vision.tracking.recorder import TrajectoryRecorder
from vision.tracking.visual import VisualTracker, available_methods

__all__ = [
    "BETWEEN",
    "TRACKERS",
    "Follower",
    "Tracker",
    "TrajectoryRecorder",
    "VisualTracker",
    "available_methods",
    "create_follower",
    "create_tracker",
]

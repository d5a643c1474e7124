"""Looking at live cameras: leases, capture, analysis, events, pictures for whoever watches."""

from video_analysis.services.live.service import CameraService
from video_analysis.services.live.subscribers import Subscriber

__all__ = ["CameraService", "Subscriber"]

"""Who may see what cameras have seen: whoever may watch the camera."""

from common.permissions import register_rule
from video_analysis.cameras.rules import CameraRule
from video_analysis.models import CameraEvent, CameraTrack

register_rule(CameraEvent, CameraRule("camera"))
register_rule(CameraTrack, CameraRule("camera"))

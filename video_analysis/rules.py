"""Who may see what cameras have seen: whoever may watch the camera.

Faces of which nobody is certain are seen by those who see the camera or the video.
"""

from common.permissions import register_rule
from recognition.models import FaceReview
from recognition.rules import register_review_scope
from video_analysis.cameras.rules import CameraRule
from video_analysis.models import CameraEvent, CameraTrack
from video_analysis.services.recognising.asking import of_cameras, of_videos

register_rule(CameraEvent, CameraRule("camera"))
register_rule(CameraTrack, CameraRule("camera"))
register_review_scope(FaceReview.Origin.CAMERA, of_cameras)
register_review_scope(FaceReview.Origin.VIDEO, of_videos)

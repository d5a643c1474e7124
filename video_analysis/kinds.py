"""Where sessions over videos are shown, and what only they have."""

from detector.kinds import register_page
from detector.models import DetectionSession

register_page(
    DetectionSession.Kind.VIDEO.value,
    "videos:video",
    links={
        "self": "videos-api:video-detail",
        "objects": "videos-api:tracks",
        "picture": "videos-api:original",
        "thumbnail": "videos-api:thumbnail",
        "export": "videos-api:export",
    },
    detail="video",
)

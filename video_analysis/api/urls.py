"""Addresses of videos in the API, below ``/api/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from video_analysis.api import events, files, people, tracks
from video_analysis.api.videos import VideoViewSet

app_name = "videos-api"

router = SimpleRouter(use_regex_path=False)
router.register("videos", VideoViewSet, basename="video")

VIDEO = "videos/<uuid:pk>/"

urlpatterns = [
    *router.urls,
    path(f"{VIDEO}tracks/", tracks.TrackListView.as_view(), name="tracks"),
    path(f"{VIDEO}tracks/<int:number>/", tracks.TrackView.as_view(), name="track"),
    path(
        f"{VIDEO}tracks/<int:number>/trajectory",
        tracks.TrajectoryView.as_view(),
        name="trajectory",
    ),
    path(
        f"{VIDEO}tracks/<int:number>/snapshot.jpg",
        tracks.TrackSnapshotView.as_view(),
        name="track-snapshot",
    ),
    path(f"{VIDEO}motion/", events.MotionListView.as_view(), name="motion"),
    path(f"{VIDEO}people/", people.PeopleListView.as_view(), name="people"),
    path(f"{VIDEO}activities/", events.ActivityListView.as_view(), name="activities"),
    path(
        f"{VIDEO}events/<int:number>/snapshot.jpg",
        events.EventSnapshotView.as_view(),
        name="event-snapshot",
    ),
    path(f"{VIDEO}original/", files.OriginalView.as_view(), name="original"),
    path(f"{VIDEO}thumbnail/", files.ThumbnailView.as_view(), name="thumbnail"),
    path(f"{VIDEO}annotated.mp4", files.AnnotatedView.as_view(), name="annotated"),
    path(f"{VIDEO}heat.png", files.HeatView.as_view(), name="heat"),
    path(f"{VIDEO}preview.jpg", files.PreviewView.as_view(), name="preview"),
    path(f"{VIDEO}overlay/", files.OverlayView.as_view(), name="overlay"),
    path(f"{VIDEO}export", files.ExportView.as_view(), name="export"),
]

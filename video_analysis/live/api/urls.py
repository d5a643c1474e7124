"""Addresses of live cameras, events and streams in the API, below ``/api/``."""

from django.urls import path

from video_analysis.live.api import events, pictures

app_name = "live-api"

urlpatterns = [
    path("stats", pictures.StatsView.as_view(), name="stats"),
    path("events", events.EventListView.as_view(), name="events"),
    path("events/<uuid:pk>/", events.EventView.as_view(), name="event"),
    path(
        "events/<uuid:pk>/snapshot.jpg", events.EventSnapshotView.as_view(), name="event-snapshot"
    ),
    path("cameras/<int:camera_id>/latest.jpg", pictures.LatestView.as_view(), name="latest"),
    path("stream/<int:camera_id>.mjpg", pictures.StreamView.as_view(), name="stream"),
]

"""Addresses of the live wall and of the pages of cameras, below ``/live/``."""

from django.urls import path

from video_analysis.live import views

app_name = "live"

urlpatterns = [
    path("", views.wall, name="wall"),
    path("cameras/", views.cameras, name="cameras"),
    path("people/", views.people, name="people"),
    path("<int:camera_id>/", views.camera, name="camera"),
    path("<int:camera_id>/setup/", views.setup, name="setup"),
    path("<int:camera_id>/people/", views.people, name="camera-people"),
    path("<int:camera_id>/counts/", views.counts, name="counts"),
]

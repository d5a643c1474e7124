"""The page of the browser's own camera, below ``/webcam/``."""

from django.urls import path

from video_analysis.webcam import views

app_name = "webcam"

urlpatterns = [path("", views.webcam, name="webcam")]

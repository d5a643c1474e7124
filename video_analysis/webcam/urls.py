"""The page of the browser's own camera, below ``/webcam/``."""

from django.urls import URLPattern

app_name = "webcam"

urlpatterns: list[URLPattern] = []

"""Addresses of WebSockets."""

from typing import Any

from django.urls import path

from video_analysis.webcam.consumers import WebcamConsumer

websocket_urlpatterns: list[Any] = [path("ws/webcam/", WebcamConsumer.as_asgi())]

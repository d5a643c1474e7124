"""Addresses of WebSockets."""

from typing import Any

from django.urls import path

from video_analysis.live.sockets.cameras import CamerasSocket
from video_analysis.live.sockets.dashboard import DashboardSocket

websocket_urlpatterns: list[Any] = [
    path("ws/cameras/", CamerasSocket.as_asgi()),
    path("ws/dashboard/", DashboardSocket.as_asgi()),
]

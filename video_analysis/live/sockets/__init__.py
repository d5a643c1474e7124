"""The WebSockets of live cameras: pictures for the wall, news for the dashboard."""

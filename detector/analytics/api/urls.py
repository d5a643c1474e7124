"""Addresses below /api/."""

from typing import Any

app_name = "analytics-api"

urlpatterns: list[Any] = []

"""Addresses below /api/."""

from typing import Any

app_name = "jobs-api"

urlpatterns: list[Any] = []

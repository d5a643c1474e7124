"""Addresses below /api/."""

from typing import Any

app_name = "storage-api"

urlpatterns: list[Any] = []

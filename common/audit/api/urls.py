"""Addresses below /api/."""

from typing import Any

app_name = "audit-api"

urlpatterns: list[Any] = []

"""Addresses below /api/."""

from typing import Any

app_name = "accounts-api"

urlpatterns: list[Any] = []

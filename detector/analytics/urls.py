"""Addresses of the analytics page."""

from typing import Any

app_name = "analytics"

urlpatterns: list[Any] = []

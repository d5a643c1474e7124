"""Addresses of the storage page."""

from typing import Any

app_name = "storage"

urlpatterns: list[Any] = []

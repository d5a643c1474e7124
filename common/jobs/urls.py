"""Addresses of the page of workers."""

from typing import Any

app_name = "jobs"

urlpatterns: list[Any] = []

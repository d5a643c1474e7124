"""Addresses of the account page."""

from typing import Any

app_name = "accounts"

urlpatterns: list[Any] = []

"""Addresses of the live wall and of the pages of cameras, below ``/live/``."""

from django.urls import URLPattern

app_name = "live"

urlpatterns: list[URLPattern] = []

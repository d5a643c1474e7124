"""Addresses of live cameras, events and streams in the API, below ``/api/``."""

from django.urls import URLPattern

app_name = "live-api"

urlpatterns: list[URLPattern] = []

"""Addresses of the configuration of cameras in the API, below ``/api/``."""

from django.urls import URLPattern

app_name = "cameras-api"

urlpatterns: list[URLPattern] = []

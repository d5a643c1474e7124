"""Addresses of the pages that set cameras up, below ``/cameras/``."""

from django.urls import URLPattern

app_name = "cameras"

urlpatterns: list[URLPattern] = []

"""Addresses of visits in the API, below ``/api/``."""

from django.urls import URLPattern

app_name = "visits-api"

urlpatterns: list[URLPattern] = []

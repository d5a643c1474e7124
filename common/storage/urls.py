"""Addresses of the storage page."""

from django.urls import path

from common.storage import views

app_name = "storage"

urlpatterns = [
    path("", views.storage, name="storage"),
    path("preview/", views.preview, name="preview"),
    path("retention/", views.retention, name="retention"),
    path("cleanup/", views.cleanup, name="cleanup"),
    path("run/", views.run_state, name="run"),
]

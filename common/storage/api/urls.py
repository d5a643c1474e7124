"""Addresses below /api/."""

from django.urls import path

from common.storage.api.views import RetentionView, StorageView

app_name = "storage-api"

urlpatterns = [
    path("storage/", StorageView.as_view(), name="storage"),
    path("storage/retention/", RetentionView.as_view(), name="retention"),
]

"""Addresses below /api/."""

from django.urls import path

from common.jobs.api.views import WorkersView

app_name = "jobs-api"

urlpatterns = [path("workers/", WorkersView.as_view(), name="workers")]

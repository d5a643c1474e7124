"""Addresses below /api/."""

from django.urls import path

from detector.analytics.api.views import AnalyticsView

app_name = "analytics-api"

urlpatterns = [path("analytics/", AnalyticsView.as_view(), name="analytics")]

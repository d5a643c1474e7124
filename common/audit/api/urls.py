"""Addresses below /api/."""

from django.urls import path

from common.audit.api.views import AuditView

app_name = "audit-api"

urlpatterns = [path("audit/", AuditView.as_view(), name="audit")]

"""Addresses of the audit log."""

from django.urls import path

from common.audit import views

app_name = "audit"

urlpatterns = [
    path("", views.log, name="log"),
    path("export.csv", views.export, name="export"),
]

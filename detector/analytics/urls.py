"""Addresses of the analytics page."""

from django.urls import path

from detector.analytics import views

app_name = "analytics"

urlpatterns = [
    path("", views.analytics, name="analytics"),
    path("<slug:table>.csv", views.export, name="export"),
]

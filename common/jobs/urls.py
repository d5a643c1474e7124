"""Addresses of the page of workers."""

from django.urls import path

from common.jobs import views

app_name = "jobs"

urlpatterns = [path("", views.workers, name="workers")]

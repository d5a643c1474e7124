"""Addresses of the detector's API, below ``/api/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from detector.api.catalog import ModelListView
from detector.api.detect import DetectView, SegmentView
from detector.api.jobs import JobViewSet
from detector.api.objects import ObjectListView
from detector.api.sessions import SessionViewSet

app_name = "detector-api"

router = SimpleRouter(use_regex_path=False)
router.register("sessions", SessionViewSet, basename="session")
router.register("jobs", JobViewSet, basename="job")

urlpatterns = [
    path("detect/", DetectView.as_view(), name="detect"),
    path("segment/", SegmentView.as_view(), name="segment"),
    path("objects/", ObjectListView.as_view(), name="objects"),
    path("models/", ModelListView.as_view(), name="models"),
    *router.urls,
]

"""Addresses of the configuration of cameras in the API, below ``/api/``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from video_analysis.cameras.api.areas import AreaViewSet
from video_analysis.cameras.api.cameras import CameraViewSet
from video_analysis.cameras.api.regions import LinesView, ZonesView
from video_analysis.cameras.api.testing import TestAddressView, TestCameraView
from video_analysis.cameras.api.transfer import ExportView, ImportView, SchemaView

app_name = "cameras-api"

router = SimpleRouter(use_regex_path=False)
router.register("areas", AreaViewSet, basename="area")
router.register("cameras", CameraViewSet, basename="camera")

CAMERA = "cameras/<int:pk>/"

urlpatterns = [
    path("cameras/schema.json", SchemaView.as_view(), name="schema"),
    path("cameras/export.yaml", ExportView.as_view(), name="export"),
    path("cameras/import/", ImportView.as_view(), name="import"),
    path("cameras/test/", TestAddressView.as_view(), name="test-address"),
    path(f"{CAMERA}zones/", ZonesView.as_view(), name="zones"),
    path(f"{CAMERA}lines/", LinesView.as_view(), name="lines"),
    path(f"{CAMERA}test/", TestCameraView.as_view(), name="test"),
    *router.urls,
]

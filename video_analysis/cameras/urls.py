"""Addresses of the pages that set cameras up, below ``/cameras/``."""

from django.urls import path

from video_analysis.cameras import area_views, transfer_views, views

app_name = "cameras"

urlpatterns = [
    path("", views.show_list, name="list"),
    path("new/", views.create, name="new"),
    path("test/", views.test, name="test"),
    path("import/", transfer_views.show_import, name="import"),
    path("import/check/", transfer_views.check_import, name="import_check"),
    path("export.yaml", transfer_views.export, name="export"),
    path("areas/", area_views.create, name="areas"),
    path("areas/<int:area_id>/", area_views.change, name="area"),
    path("areas/<int:area_id>/delete/", area_views.delete, name="area_delete"),
    path("<int:camera_id>/edit/", views.edit, name="edit"),
    path("<int:camera_id>/regions/", views.regions, name="regions"),
    path("<int:camera_id>/switch/", views.switch, name="switch"),
    path("<int:camera_id>/delete/", views.delete, name="delete"),
]

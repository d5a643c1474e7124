"""Addresses of the pages of videos."""

from django.urls import path

from video_analysis import views

app_name = "videos"

urlpatterns = [
    path("new/", views.upload, name="upload"),
    path("create/", views.create, name="create"),
    path("<uuid:session_id>/", views.video, name="video"),
    path("<uuid:session_id>/original", views.original, name="original"),
    path("<uuid:session_id>/annotated.mp4", views.annotated, name="annotated"),
    path("<uuid:session_id>/heat.png", views.heat, name="heat"),
    path("<uuid:session_id>/preview.jpg", views.preview, name="preview"),
    path("<uuid:session_id>/overlay/", views.overlay, name="overlay"),
    path("<uuid:session_id>/tracks/", views.tracks, name="tracks"),
    path("<uuid:session_id>/tracks/<int:number>/snapshot.jpg", views.snapshot, name="snapshot"),
    path("<uuid:session_id>/events/<int:number>/snapshot.jpg", views.moment, name="moment"),
    path("<uuid:session_id>/export/<slug:form>", views.export, name="export"),
    path("<uuid:session_id>/rerun/", views.rerun, name="rerun"),
]

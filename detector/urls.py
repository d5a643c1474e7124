"""Addresses of the pages."""

from django.urls import path

from detector import views

app_name = "detector"

urlpatterns = [
    path("", views.home, name="home"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/new/", views.upload, name="upload"),
    path("sessions/create/", views.create, name="create"),
    path("sessions/example/", views.example, name="example"),
    path("sessions/delete/", views.delete_many, name="delete_many"),
    path("sessions/share/", views.share_many, name="share_many"),
    path("sessions/<uuid:session_id>/", views.session, name="session"),
    path("sessions/<uuid:session_id>/card/", views.card, name="card"),
    path("sessions/<uuid:session_id>/picture", views.picture, name="picture"),
    path("sessions/<uuid:session_id>/thumbnail", views.thumbnail, name="thumbnail"),
    path("sessions/<uuid:session_id>/export/<slug:form>", views.export, name="export"),
    path("sessions/<uuid:session_id>/rename/", views.rename, name="rename"),
    path("sessions/<uuid:session_id>/delete/", views.delete, name="delete"),
    path("sessions/<uuid:session_id>/share/", views.share, name="share"),
    path("sessions/<uuid:session_id>/rerun/", views.rerun, name="rerun"),
    path("sessions/<uuid:session_id>/cancel/", views.cancel, name="cancel"),
    path("sessions/<uuid:session_id>/retry/", views.retry, name="retry"),
]

"""Pages of visits, below ``/visits/``."""

from django.urls import path

from video_analysis.retail import views

app_name = "visits"

urlpatterns = [
    path("", views.show_now, name="now"),
    path("history/", views.show_history, name="history"),
    path("days/", views.show_days, name="days"),
    path("visits.csv", views.export, name="export"),
    path("<uuid:visit_id>/", views.show_visit, name="visit"),
    path("visitors/<uuid:visitor_id>/name/", views.name, name="name"),
]

"""Addresses of visits and visitors in the API, below ``/api/``."""

from django.urls import path

from video_analysis.retail.api.views import (
    DaysView,
    NowView,
    VisitorNameView,
    VisitsView,
    VisitView,
)

app_name = "visits-api"

urlpatterns = [
    path("visits/", VisitsView.as_view(), name="visits"),
    path("visits/now/", NowView.as_view(), name="now"),
    path("visits/days/", DaysView.as_view(), name="days"),
    path("visits/<uuid:pk>/", VisitView.as_view(), name="visit"),
    path("visitors/<uuid:pk>/name/", VisitorNameView.as_view(), name="visitor-name"),
]

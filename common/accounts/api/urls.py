"""Addresses below /api/."""

from django.urls import path

from common.accounts.api.groups import GroupListView
from common.accounts.api.views import MeView, TokenListView, TokenView

app_name = "accounts-api"

urlpatterns = [
    path("groups/", GroupListView.as_view(), name="groups"),
    path("me/", MeView.as_view(), name="me"),
    path("tokens/", TokenListView.as_view(), name="tokens"),
    path("tokens/<slug:key>/", TokenView.as_view(), name="token"),
]

"""Addresses of the account page."""

from django.urls import path

from common.accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.show_account, name="account"),
    path("email/", views.change_email, name="email"),
    path("password/", views.change_password, name="password"),
    path("tokens/", views.create_token, name="tokens"),
    path("tokens/<slug:key>/revoke/", views.revoke_token, name="revoke"),
]

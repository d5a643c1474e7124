"""Addresses below /accounts/. Only what is offered is here; allauth looks the names up."""

from allauth.account.views import logout
from django.urls import path, re_path

from common.accounts.entrance import views

urlpatterns = [
    path("login/", views.SignInView.as_view(), name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("signup/", views.SignUpView.as_view(), name="account_signup"),
    path("inactive/", views.InactiveView.as_view(), name="account_inactive"),
    path(
        "confirm-email/",
        views.ConfirmationSentView.as_view(),
        name="account_email_verification_sent",
    ),
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$",
        views.ConfirmEmailView.as_view(),
        name="account_confirm_email",
    ),
    path("password/reset/", views.ResetPasswordView.as_view(), name="account_reset_password"),
    path(
        "password/reset/done/",
        views.ResetMailSentView.as_view(),
        name="account_reset_password_done",
    ),
    path(
        "password/reset/key/done/",
        views.PasswordIsSetView.as_view(),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
]

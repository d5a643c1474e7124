"""allauth's views for people who are not signed in, as far as this installation offers them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.account import views
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from common.accounts.entrance.forms import ForgottenPasswordForm, SignInForm

# allauth counts reset mails, sign-ups and confirmations per minute.
RETRY_SECONDS = 60


class EntranceMixin:
    """What every page of the entrance knows: which ways in there are."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether there is mail, and whether people may sign up."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {
            **context,
            "mail_works": settings.SIGHTLINE_MAIL,
            "sign_up_is_open": settings.SIGHTLINE_SIGN_UP,
        }


class SignInView(EntranceMixin, views.LoginView):  # type: ignore[misc]
    """The sign-in page; answers 429 when the limit is reached."""

    form_class = SignInForm

    def form_invalid(self, form: Form) -> Any:
        """Show the form again, with a status that programs understand."""
        response = super().form_invalid(form)
        if any(error.code == "throttled" for error in form.non_field_errors().as_data()):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(settings.SIGHTLINE_SIGN_IN_LIMIT[1])
        return response


class SignUpView(EntranceMixin, views.SignupView):  # type: ignore[misc]
    """Make an account of one's own, where the installation allows it."""

    def closed(self) -> HttpResponse:
        """Say whom to ask."""
        return render(self.request, self.template_name_signup_closed, status=HTTPStatus.FORBIDDEN)


@method_decorator(never_cache, name="dispatch")
class ResetPasswordView(EntranceMixin, views.PasswordResetView):  # type: ignore[misc]
    """Ask for a link by mail; the answer is the same whether the address is known or not."""

    form_class = ForgottenPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Without mail there is an administrator to ask."""
        if not settings.SIGHTLINE_MAIL:
            return render(request, "account/ask_administrator.html")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


@method_decorator(never_cache, name="dispatch")
class NewPasswordView(EntranceMixin, views.PasswordResetFromKeyView):  # type: ignore[misc]
    """Choose a new password, by the link of a mail."""


@method_decorator(never_cache, name="dispatch")
class ConfirmEmailView(EntranceMixin, views.ConfirmEmailView):  # type: ignore[misc]
    """Confirm an address, by the link of a mail; what came of it is said on this page."""

    def get_redirect_url(self) -> str:
        """Stay."""
        return ""


class ResetMailSentView(EntranceMixin, views.PasswordResetDoneView):  # type: ignore[misc]
    """Look into your mail."""


class PasswordIsSetView(EntranceMixin, views.PasswordResetFromKeyDoneView):  # type: ignore[misc]
    """The new password holds."""


class ConfirmationSentView(EntranceMixin, views.EmailVerificationSentView):  # type: ignore[misc]
    """Look into your mail, then sign in."""


class InactiveView(EntranceMixin, views.AccountInactiveView):  # type: ignore[misc]
    """The account is switched off."""


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429, where allauth counts."""
    response = render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead from the admin's door to the one that counts wrong passwords.

    Raises:
        PermissionDenied: Somebody is signed in, and the admin has sent them here all the same: the
            sign-in page would send them back, and so on.
    """
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))

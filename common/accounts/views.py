"""The account page: who I am, my password, my e-mail, the tokens of my programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.accounts import services
from common.accounts.forms import CurrentPasswordForm, EmailForm, PasswordForm, TokenForm
from common.accounts.models import Account
from common.accounts.roles import role_of
from common.accounts.selectors import list_groups, list_tokens
from common.errors import ServiceError
from common.pages import signed_in
from common.permissions import get_visible_or_404


@require_GET
@signed_in
@never_cache
def show_account(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _show(request, TokenForm())


@require_POST
@signed_in
@never_cache
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token, and show it this once: it is in this answer and nowhere else."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=HTTPStatus.BAD_REQUEST)
    try:
        _, text = services.create_token(owner=request.user, **form.cleaned_data)
    except ServiceError as error:
        form.add_error(None, error.message)
        return _show(request, form, status=error.status)
    return _show(request, TokenForm(), new_token=text, status=HTTPStatus.CREATED)


@require_POST
@signed_in
def revoke_token(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke one of my tokens."""
    token = get_visible_or_404(
        request.user, list_tokens(request.user), verb="delete", token_key=key
    )
    services.revoke_token(actor=request.user, token=token)
    messages.success(request, "The token is revoked.")
    return redirect("accounts:account")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@signed_in
@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Choose another password; this browser stays signed in, all others do not."""
    user: Any = request.user
    form = PasswordForm(user, request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _show_form(request, "account/change_password.html", form)
    services.change_password(user=user, password=form.cleaned_data["new"])
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. Other browsers are signed out.")
    return redirect("accounts:account")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@signed_in
@never_cache
def change_email(request: HttpRequest) -> HttpResponse:
    """Choose another address."""
    user: Any = request.user
    form = EmailForm(user, request.POST or None, initial={"email": user.email})
    if request.method == "GET" or not form.is_valid():
        return _show_form(request, "account/change_email.html", form)
    try:
        must_confirm = services.change_email(
            request=request, user=user, email=form.cleaned_data["email"]
        )
    except ServiceError as error:
        form.add_error("email", error.message)
        return _show_form(request, "account/change_email.html", form)
    if must_confirm:
        messages.success(request, "Open the link in the mail that is on its way to you.")
    else:
        messages.success(request, "Your e-mail address is saved.")
    return redirect("accounts:account")


def _show(
    request: HttpRequest, form: TokenForm, *, new_token: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    role = role_of(request.user)
    context = {
        "role": Account.Role(role).label if role else "",
        "groups": list_groups(request.user),
        "tokens": list(list_tokens(request.user)),
        "token_form": form,
        "new_token": new_token,
    }
    return render(request, "account/account.html", context, status=status)


def _show_form(request: HttpRequest, template: str, form: CurrentPasswordForm) -> HttpResponse:
    context = {"form": form, "mail_works": settings.SIGHTLINE_MAIL}
    response = render(request, template, context)
    if form.is_throttled:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(settings.SIGHTLINE_PASSWORD_CHECK_LIMIT[1])
    return response

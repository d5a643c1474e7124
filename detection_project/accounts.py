"""The sign-in page, with a limit on wrong passwords."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from common.counting import count, uncount


class SignInForm(AuthenticationForm):
    """Name and password; refuses to try after too many wrong passwords.

    Counted per address and name (so that nobody guesses one account) and per address (so that
    nobody tries one password on many). A stranger cannot lock an owner out from elsewhere.
    """

    def clean(self) -> dict[str, Any]:
        counters = sign_in_counters(self.request, self.cleaned_data.get("username") or "")
        # Counted before the password is tried: a hundred tries at once are a hundred tries.
        for key, (attempts, seconds) in counters.items():
            if count(key, seconds) > attempts:
                minutes = round(seconds / 60)
                raise ValidationError(
                    f"Too many wrong passwords. Try again in {minutes} minutes.", code="throttled"
                )
        cleaned: dict[str, Any] = super().clean() or {}
        if self.get_user() is not None:  # nobody signs in without a password, but it is no error
            forgive(counters)
        return cleaned


def sign_in_counters(request: HttpRequest | None, name: str) -> dict[str, tuple[int, int]]:
    """Return the cache key of each counter of wrong passwords, with (attempts, seconds)."""
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    # Names and addresses are what people type: hashed, they are valid and short keys.
    pair = hashlib.sha256(f"{address}\0{name.casefold()}".encode()).hexdigest()
    alone = hashlib.sha256(address.encode()).hexdigest()
    return {
        f"sign-in.pair.{pair}": settings.SIGHTLINE_SIGN_IN_LIMIT,
        f"sign-in.address.{alone}": settings.SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS,
    }


def forgive(counters: Iterable[str]) -> None:
    """Let the right password forgive the wrong ones for its name; the address keeps its own."""
    pair, address = counters
    cache.delete(pair)
    uncount(address)


class SignInView(LoginView):
    """The sign-in page; answers 429 when the limit is reached."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: forms.Form) -> Any:
        response = super().form_invalid(form)
        if any(error.code == "throttled" for error in form.non_field_errors().as_data()):
            response.status_code = 429
            response["Retry-After"] = str(settings.SIGHTLINE_SIGN_IN_LIMIT[1])
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

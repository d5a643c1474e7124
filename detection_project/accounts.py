"""The sign-in page, with a limit on wrong passwords."""

import hashlib
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest


class SignInForm(AuthenticationForm):
    """Name and password; refuses to try after too many wrong passwords.

    Counted per address and name (so that nobody guesses one account) and per address (so that
    nobody tries one password on many). A stranger cannot lock an owner out from elsewhere.
    """

    def clean(self) -> dict[str, Any]:
        counters = sign_in_counters(self.request, self.cleaned_data.get("username") or "")
        for key, (attempts, seconds) in counters.items():
            if cache.get(key, 0) >= attempts:
                minutes = round(seconds / 60)
                raise ValidationError(
                    f"Too many wrong passwords. Try again in {minutes} minutes.", code="throttled"
                )
        try:
            cleaned: dict[str, Any] = super().clean() or {}
        except ValidationError:
            for key, (_, seconds) in counters.items():
                count(key, seconds)
            raise
        cache.delete(next(iter(counters)))  # the right password forgives the wrong ones
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


def count(key: str, seconds: int) -> None:
    """Add one to a counter that starts again `seconds` after its first."""
    if not cache.add(key, 1, timeout=seconds):
        try:
            cache.incr(key)
        except ValueError:  # it ran out in between
            cache.set(key, 1, timeout=seconds)


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

"""The sign-in form, with a limit on wrong passwords, and the one for forgotten ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from common.accounts.entrance import mail
from common.accounts.limits import exceeds, key_of, network_of
from common.counting import uncount


class SignInForm(AuthenticationForm):
    """User name or e-mail, and password; refuses to try after too many wrong passwords.

    Counted per address and name (so that nobody guesses one account) and per address (so that
    nobody tries one password on many). A stranger cannot lock an owner out from elsewhere.

    The name is passed on as it was typed and allauth's backend finds out what it is: exactly one
    password is hashed for a name, for an e-mail and for a stranger, so all take equally long.
    """

    def clean(self) -> dict[str, Any]:
        """Judge name and password.

        Raises:
            ValidationError: They are wrong, there were too many tries, or the account is off.
        """
        counters = sign_in_counters(self.request, self.cleaned_data.get("username") or "")
        # Counted before the password is tried: a hundred tries at once are a hundred tries. The
        # address comes first: once it has used up its tries, its new names cost no memory.
        for key, limit in counters.items():
            if exceeds(key, limit):
                minutes = max(1, round(limit[1] / 60))
                raise ValidationError(
                    f"Too many wrong passwords. Try again in {minutes} minutes.", code="throttled"
                )
        AuthenticationBackend.unstash_authenticated_user()
        cleaned: dict[str, Any] = super().clean() or {}
        if self.get_user() is not None:  # nobody signs in without a password, but it is no error
            forgive(counters)
        return cleaned

    def get_invalid_login_error(self) -> ValidationError:
        """Say that both were wrong, or, to who knows the password, that the account is off."""
        if AuthenticationBackend.unstash_authenticated_user() is not None:
            sentence = "This account is switched off. Ask an administrator."
            return ValidationError(sentence, code="inactive")
        return ValidationError("The name or the password is wrong.", code="invalid_login")

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponseBase:
        """Sign in; an address that its owner has yet to confirm leads to the page that says so."""
        user = self.get_user()
        answer: HttpResponseBase = perform_login(
            request,
            user,
            email_verification=_verification_before_first_sign_in(user),
            redirect_url=redirect_url,
        )
        return answer


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """An e-mail address. Links are made in the background: nobody learns from the time of an
    answer whether there was an account to make one for."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the links soon."""
        mail.later(super().save, request)
        return str(self.cleaned_data["email"])


def sign_in_counters(request: HttpRequest | None, name: str) -> dict[str, tuple[int, int]]:
    """Return the cache key of each counter of wrong passwords, with (attempts, seconds)."""
    address = network_of(request)
    return {
        key_of("sign-in.address", address): settings.SIGHTLINE_SIGN_IN_LIMIT_PER_ADDRESS,
        key_of("sign-in.pair", address, name.strip().casefold()): settings.SIGHTLINE_SIGN_IN_LIMIT,
    }


def forgive(counters: Iterable[str]) -> None:
    """Let the right password forgive the wrong ones for its name; the address keeps its own."""
    address, pair = counters
    cache.delete(pair)
    uncount(address)


def _verification_before_first_sign_in(user: Any) -> str:
    """Return whether an e-mail must be confirmed first: allauth's "mandatory" or "none".

    That is asked of who has signed up, once. Accounts that an administrator has made need no
    e-mail at all.
    """
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and user.last_login is None:
        addresses = EmailAddress.objects.filter(user=user)
        if addresses.exists() and not addresses.filter(verified=True).exists():
            return "mandatory"
    return "none"

"""Forms of the account page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError

from common.accounts.limits import exceeds, key_of
from common.accounts.models import TokenDetails
from common.accounts.services import LONGEST_TOKEN_DAYS

LIFETIMES = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (LONGEST_TOKEN_DAYS, "A year"))


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(max_length=100)
    scope = forms.ChoiceField(choices=TokenDetails.Scope.choices, initial=TokenDetails.Scope.READ)
    days = forms.TypedChoiceField(choices=LIFETIMES, coerce=int, initial=90)


class CurrentPasswordForm(forms.Form):
    """Asks for the password once more: who finds an open browser must not take the account."""

    current = forms.CharField(strip=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_current(self) -> str:
        """Compare the password, a few times in a while."""
        key = key_of("password-check", self.user.pk)
        limit = settings.SIGHTLINE_PASSWORD_CHECK_LIMIT
        if exceeds(key, limit):
            minutes = max(1, round(limit[1] / 60))
            raise ValidationError(
                f"Too many wrong passwords. Try again in {minutes} minutes.", code="throttled"
            )
        given: str = self.cleaned_data["current"]
        if not self.user.check_password(given):
            raise ValidationError("This is not your current password.", code="wrong")
        cache.delete(key)
        return given

    @property
    def is_throttled(self) -> bool:
        """Whether there were too many tries."""
        return self.has_error("current", "throttled")


class PasswordForm(CurrentPasswordForm):
    """A new password, twice."""

    new = forms.CharField(strip=False)
    again = forms.CharField(strip=False)

    def clean_new(self) -> str:
        """Judge how easily it is guessed."""
        new: str = self.cleaned_data["new"]
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, Any]:
        """Compare both."""
        cleaned = super().clean() or {}
        new, again = cleaned.get("new"), cleaned.get("again")
        if new and again and new != again:
            self.add_error("again", "This is not the same password.")
        return cleaned


class EmailForm(CurrentPasswordForm):
    """An e-mail address, or none."""

    email = forms.EmailField(required=False, max_length=254)

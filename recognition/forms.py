"""How the answers of the pages' forms are read; judging them is the services' work."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from common.errors import ServiceError
from recognition.models import PrivacySettings, Profile

LONGEST_DAYS: Final = 36_500  # that nobody means

DETAILS: Final = ("kind", "name", "email", "preferences", "notes", "threshold")
"""What is set of a person."""


class TakesErrors(forms.Form):
    """A form that shows what a service has refused."""

    def take(self, error: ServiceError) -> None:
        """Put what a service refused beside the fields that it is about."""
        known = {name: text for name, text in error.fields.items() if name in self.fields}
        for name, text in known.items():
            self.add_error(name, text)
        if not known:
            self.add_error(None, error.message)


class PersonForm(TakesErrors):
    """What is set of a person."""

    kind = forms.ChoiceField(choices=Profile.Kind.choices)
    name = forms.CharField(max_length=200, error_messages={"required": "Give a name."})
    email = forms.EmailField(required=False)
    preferences = forms.CharField(required=False, max_length=4000)
    notes = forms.CharField(required=False, max_length=4000)
    threshold = forms.FloatField(required=False, min_value=0.2, max_value=0.8)
    revision = forms.IntegerField(required=False, min_value=1)

    def values(self) -> dict[str, Any]:
        """Return what was given, by the names of the fields."""
        return {name: self.cleaned_data[name] for name in DETAILS}

    def errors_by_field(self) -> dict[str, str]:
        """Return one sentence for each field that is wrong."""
        return {name: " ".join(map(str, found)) for name, found in self.errors.items()}


def person_values(profile: Profile) -> dict[str, Any]:
    """Return what the form shows of a person."""
    return {name: getattr(profile, name) for name in (*DETAILS, "revision")}


class PrivacyForm(TakesErrors):
    """What the installation may do with faces."""

    recognise_uploads = forms.BooleanField(required=False)
    uploads_need_consent = forms.BooleanField(required=False)
    customer_days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_DAYS)
    staff_days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_DAYS)
    sighting_days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS)
    review_days = forms.IntegerField(min_value=1, max_value=90)
    visitor_hours = forms.IntegerField(min_value=1, max_value=24)


def privacy_values(settings: PrivacySettings) -> dict[str, Any]:
    """Return what the form shows of the settings."""
    return {name: getattr(settings, name) for name in PrivacyForm.base_fields}

"""The retention form."""

from __future__ import annotations

from typing import Any

from django import forms

FOREVER = 36_500  # days that nobody means


class RetentionForm(forms.Form):
    """Days for pictures and for results; empty keeps for ever."""

    picture_days = forms.IntegerField(required=False, min_value=1, max_value=FOREVER)
    result_days = forms.IntegerField(required=False, min_value=1, max_value=FOREVER)

    def clean(self) -> dict[str, Any]:
        """Results that go take their pictures along, so pictures never stay longer."""
        days: dict[str, Any] = super().clean() or {}
        pictures, results = days.get("picture_days"), days.get("result_days")
        if pictures and results and pictures > results:
            self.add_error(
                "picture_days",
                f"Pictures go with their results after {results} days: choose fewer days, or none.",
            )
        return days

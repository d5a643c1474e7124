"""How the lists of styles and results are narrowed, and how the forms of a style are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms

from common.errors import ServiceError
from common.filters import plain_text
from styletransfer.models import Restyling
from styletransfer.services.styles import MOST_DESCRIPTION, MOST_NAME

ONLY: Final[dict[str, str]] = {
    "": "All styles",
    "fast": "Fast ones",
    "mine": "Mine",
    "shared": "From others",
}
ORDERS: Final[dict[str, str]] = {
    "popular": "Most used",
    "newest": "Newest first",
    "name": "By name",
}


@dataclass(frozen=True, slots=True)
class StyleFilters:
    """What the gallery shows; what makes no sense does not narrow.

    Attributes:
        q: Text of the name or description.
        only: A key of ``ONLY``.
        order: A key of ``ORDERS``.
    """

    q: str = ""
    only: str = ""
    order: str = "popular"

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.only)


@dataclass(frozen=True, slots=True)
class ResultFilters:
    """What the list of results shows; what makes no sense does not narrow.

    Attributes:
        q: Text of the name.
        status: A value of ``Restyling.Status``.
        kind: A value of ``Restyling.Kind``.
        style_id: The one style to show.
    """

    q: str = ""
    status: str = ""
    kind: str = ""
    style_id: UUID | None = None

    @property
    def narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q or self.status or self.kind or self.style_id)


def read_style_filters(query: Mapping[str, str]) -> StyleFilters:
    """Read q, only and order from an address."""
    return StyleFilters(
        q=plain_text(query.get("q", ""), 100),
        only=_one_of(query.get("only", ""), ONLY),
        order=_one_of(query.get("order", ""), ORDERS) or "popular",
    )


def read_result_filters(query: Mapping[str, str]) -> ResultFilters:
    """Read q, status, kind and style from an address."""
    return ResultFilters(
        q=plain_text(query.get("q", ""), 100),
        status=_one_of(query.get("status", ""), Restyling.Status.values),
        kind=_one_of(query.get("kind", ""), Restyling.Kind.values),
        style_id=read_uuid(query.get("style", "")),
    )


def read_uuid(text: str) -> UUID | None:
    """Return an id that was sent; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _one_of(value: str, allowed: Mapping[str, str] | list[str]) -> str:
    return value if value in allowed else ""


class StyleForm(forms.Form):
    """What a style is called, and what is said about it; judging is the services' work."""

    name = forms.CharField(required=False, max_length=MOST_NAME)
    description = forms.CharField(required=False, max_length=MOST_DESCRIPTION)

    def take(self, error: ServiceError) -> None:
        """Put what a service has refused beside the fields that it is about."""
        known = {name: text for name, text in error.fields.items() if name in self.fields}
        for name, text in known.items():
            if name not in self.errors:
                self.add_error(name, text)
        if not known:
            self.add_error(None, error.message)


class NewStyleForm(StyleForm):
    """A picture that becomes a style; without a name it is called as its file."""

    picture = forms.FileField(
        allow_empty_file=True,  # the service says what is wrong with it
        max_length=None,
        error_messages={"required": "Choose the picture to paint like."},
    )


def errors_by_field(form: Any) -> dict[str, str]:
    """Return one sentence for each field that is wrong."""
    return {name: " ".join(map(str, found)) for name, found in form.errors.items()}

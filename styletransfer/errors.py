"""Errors that the services of this app raise on purpose, each fit to be shown to a person."""

from __future__ import annotations

from collections.abc import Mapping

from common.errors import ServiceError


class StyleError(ServiceError):
    """Base of the app's errors."""


class InvalidError(StyleError):
    """Wishes that make no sense (400); ``fields`` says which and why."""

    def __init__(self, fields: Mapping[str, str], code: str = "invalid") -> None:
        super().__init__(code, " ".join(fields.values()), fields=fields)


class ConflictError(StyleError):
    """It is not in a state that allows what was asked (409)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, status=409)


def gone(what: str) -> StyleError:
    """The answer to whoever acts on something that was deleted under their hands."""
    return StyleError("not_found", f"The {what} has been deleted.", status=404)

"""Errors that the services of this app raise on purpose, each fit to be shown to a person."""

from __future__ import annotations

from collections.abc import Mapping


class DetectorError(Exception):
    """Base of the app's errors.

    Args:
        code: Stable machine code in snake case.
        message: One sentence for a person.
        status: The HTTP status that answers it.
        fields: What is wrong with which field, by the field's name.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields: dict[str, str] = dict(fields or {})


class OptionsError(DetectorError):
    """Options of a detection that make no sense; ``fields`` says which and why."""

    def __init__(self, fields: Mapping[str, str], codes: Mapping[str, str] | None = None) -> None:
        specific = set((codes or {}).values()) if len(codes or {}) == len(fields) else set()
        code = specific.pop() if len(specific) == 1 else "invalid"
        super().__init__(code, " ".join(fields.values()), fields=fields)


class SessionConflictError(DetectorError):
    """The session is not in a state that allows what was asked (409)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, status=409)

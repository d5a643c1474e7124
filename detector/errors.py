"""Errors that the services of this app raise on purpose, each fit to be shown to a person."""

from __future__ import annotations

from collections.abc import Mapping

from common.errors import ServiceError


class DetectorError(ServiceError):
    """Base of the app's errors."""


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

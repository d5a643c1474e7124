"""What a service raises when it refuses, fit to be shown to the person who asked."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceError(Exception):
    """Base of the errors that services raise on purpose; the API answers them as they stand.

    Args:
        code: Stable machine code in snake case.
        message: One sentence for a person.
        status: The HTTP status that answers it.
        fields: What is wrong with which field, by the field's name.
        retry_after: Seconds after which the same request may succeed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields: dict[str, str] = dict(fields or {})
        self.retry_after = retry_after

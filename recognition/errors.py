"""What the services of people refuse, each with a sentence for the person who asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from common.errors import ServiceError

STATUS_OF_ENROLMENT: Final = {"same_photo": 409, "looks_like": 409, "differs": 409}
UNPROCESSABLE: Final = 422


class PeopleError(ServiceError):
    """Base of the app's errors."""


class InvalidError(PeopleError):
    """Values that make no profile, consent or answer; ``fields`` says which and why (400)."""

    def __init__(self, fields: Mapping[str, str], code: str = "invalid") -> None:
        super().__init__(code, " ".join(dict.fromkeys(fields.values())), fields=fields)


class ChangedMeanwhileError(PeopleError):
    """Somebody else has saved the profile since the caller read it (409)."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            "changed_meanwhile",
            "Somebody else has changed this person meanwhile. Load the page again, then make "
            "your changes.",
            status=409,
        )
        self.revision = revision


class GoneError(PeopleError):
    """What should be changed has been deleted meanwhile (404)."""

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"The {what} has been deleted meanwhile.", status=404)


class ConflictError(PeopleError):
    """What was asked does not fit to how things are now (409)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, status=409)


class EnrolmentError(PeopleError):
    """A picture that does not become a sample of a person (422, or 409 for a conflict).

    Attributes:
        profile_id: Whom it shows already, or looks like; None where that is not the reason, or
            where the caller may not know.
    """

    def __init__(self, code: str, message: str, *, profile_id: UUID | None = None) -> None:
        super().__init__(code, message, status=STATUS_OF_ENROLMENT.get(code, UNPROCESSABLE))
        self.profile_id = profile_id


class ImportRefused(PeopleError):  # noqa: N818 - the name says what happened
    """A file of which nothing is imported (400, 413 or 422)."""

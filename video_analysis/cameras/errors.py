"""What the services of cameras refuse, each with a sentence for the person who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import ServiceError


class ConfigurationError(ServiceError):
    """Values that make no camera, area, zone or line; ``fields`` says which and why (400)."""

    def __init__(self, fields: Mapping[str, str], code: str = "invalid") -> None:
        message = " ".join(dict.fromkeys(fields.values()))
        super().__init__(code, message, fields=fields)


class ChangedMeanwhileError(ServiceError):
    """Somebody else has saved the camera since the caller read it (409)."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            "changed_meanwhile",
            "Somebody else has changed this camera meanwhile. Load it again, then make your "
            "changes.",
            status=409,
        )
        self.revision = revision


class GoneError(ServiceError):
    """What should be changed has been deleted meanwhile (404)."""

    def __init__(self, what: str) -> None:
        super().__init__("not_found", f"The {what} has been deleted meanwhile.", status=404)


class ConnectionFailedError(ServiceError):
    """A camera gave no picture; code and sentence say the real reason (422)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, status=422)


@dataclass(frozen=True)
class Problem:
    """One mistake in a document.

    Attributes:
        line: Where it is, from 1; 0 where it belongs to no line.
        path: What it is about, e.g. ``cameras.0.fps``; empty for the whole document.
        message: One sentence.
    """

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message


class DocumentError(ServiceError):
    """A document of cameras that cannot be imported; ``problems`` are in its order (400)."""

    def __init__(self, problems: Sequence[Problem], *, more: int = 0) -> None:
        self.problems = tuple(problems)
        self.more = more
        count = len(self.problems) + more
        message = str(self.problems[0])
        if count > 1:
            message = f"The document has {count} mistakes. The first one: {message}"
        fields: dict[str, str] = {}
        for problem in self.problems:
            name = problem.path or "document"
            fields[name] = f"{fields[name]} {problem}" if name in fields else str(problem)
        super().__init__("bad_document", message, fields=fields)

"""What is going on here: the request or the job that this code works for.

Two context variables; a request's thread sees those of its event loop, since asgiref hands them
on. The request is kept itself, so that who it is from is read when somebody asks: a request that
nobody asks about costs no query.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils.functional import LazyObject, empty

WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request.

    Attributes:
        request_id: What its log lines and its answer carry.
        request: The request itself.
    """

    request_id: str
    request: HttpRequest


_request: ContextVar[RequestContext | None] = ContextVar("sightline_request", default=None)
_job: ContextVar[str] = ContextVar("sightline_job", default="")

enter_request = _request.set
leave_request = _request.reset


def current_request() -> HttpRequest | None:
    """Return the request that is being answered here, or None."""
    context = _request.get()
    return context.request if context is not None else None


def current_request_id() -> str:
    """Return the id of the request that is being answered here, or ""."""
    context = _request.get()
    return context.request_id if context is not None else ""


def current_job_id() -> str:
    """Return the id of the job that is being worked on here, or ""."""
    return _job.get()


def current_user() -> Any:
    """Return who the current request is from, as far as that is known already; never a query."""
    request = current_request()
    return known_user(request) if request is not None else None


def known_user(request: HttpRequest) -> Any:
    """Return the user whom somebody has already looked up for this request, or None."""
    user = request.__dict__.get("user")
    if isinstance(user, LazyObject):
        wrapped = user.__dict__.get("_wrapped", empty)
        user = request.__dict__.get("_acached_user") if wrapped is empty else wrapped
    return user if getattr(user, "pk", None) is not None else None


def current_address() -> str:
    """Return where the current request comes from, or ""."""
    request = current_request()
    return str(request.META.get("REMOTE_ADDR") or "")[:45] if request is not None else ""


def current_via() -> str:
    """Return how somebody acts here: "browser", "token …", "worker" or "command …"."""
    request = current_request()
    if request is not None:
        return _via_token(getattr(request, "auth", None)) or "browser"
    return "worker" if current_job_id() else _command()


def _via_token(token: Any) -> str:
    if token is None:
        return ""
    # Without details: a token from before tokens had names.
    name = getattr(getattr(token, "details", None), "name", "") or token.token_key
    return f"token {name}"[:120]


def _command() -> str:
    # Its name only: arguments may be secrets.
    program = PurePath(sys.argv[0]).name
    if program in ("manage.py", "django-admin") and len(sys.argv) > 1:
        program = f"{program} {sys.argv[1]}"
    return f"command {program}"[:120]


@contextmanager
def job_logged(job_id: UUID | str) -> Iterator[None]:
    """Have what happens in the block carry the job's id."""
    token = _job.set(str(job_id))
    try:
        yield
    finally:
        _job.reset(token)


def choose_request_id(given: str | None) -> str:
    """Return the id that a proxy has given, if it is well-formed, or a new one."""
    return given if given and WELL_FORMED.fullmatch(given) else uuid4().hex

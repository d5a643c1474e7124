"""One line per record: for eyes, or as JSON for programs that collect logs."""

from __future__ import annotations

import datetime as dt
import functools
import logging
import re
from typing import Any

from django.conf import settings
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from common.jobs.identity import process_name
from common.logs.context import current_job_id, current_request_id, current_user
from common.logs.redaction import Redactor, configured_secrets

# What would start a new line, or paint the terminal, does not come from a message.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_KNOWN = {*RESERVED_ATTRS, "request", "server_time", "taskName", "color_message"}


@functools.cache
def redactor() -> Redactor:
    """Return the redactor of this process; the settings are read at the first line."""
    return Redactor(configured_secrets(settings))


def context_fields() -> dict[str, Any]:
    """Return what this line is about: request, user, job."""
    user = current_user()
    fields = {
        "request_id": current_request_id(),
        "user_id": user.pk if user is not None else None,
        "job_id": current_job_id(),
    }
    return {name: value for name, value in fields.items() if value not in ("", None)}


class LineFormatter(logging.Formatter):
    """time LEVEL logger: message [request_id=… user_id=… job_id=…], then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets; a message cannot begin a second one."""
        message = redactor().redact(record.getMessage())
        about = " ".join(f"{name}={value}" for name, value in context_fields().items())
        line = (
            f"{self.formatTime(record)} {record.levelname:<7} {record.name}: "
            f"{_CONTROL.sub(_escape, message)}{f' [{about}]' if about else ''}"
        )
        return "\n".join([line, *map(redactor().redact, _tracebacks(record))])


class JSONFormatter(JsonFormatter):
    """A JSON object per line, its values without secrets."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Redact before the text is quoted: rules see what a person would."""
        return {name: redactor().redact_value(value, name) for name, value in log_data.items()}

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """Fill the object: what every line has, what it is about, what the caller adds."""
        log_data |= {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                "T", "milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **context_fields(),
            "worker": process_name(),
        }
        tracebacks = _tracebacks(record)
        if tracebacks:
            log_data["exception"] = "\n".join(tracebacks)
        for name, value in {**message_dict, **record.__dict__}.items():
            if name not in _KNOWN:
                log_data.setdefault(name, value)


def _tracebacks(record: logging.LogRecord) -> list[str]:
    exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    return [text for text in (exception or record.exc_text, record.stack_info) if text]


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()

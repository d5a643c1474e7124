"""Mail on its way: sent in the background, at most so many at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any

from django.core.mail import EmailMessage
from django.db import connections

logger = logging.getLogger(__name__)

POSTMEN = 2
WAITING = 200

_room = threading.BoundedSemaphore(WAITING)


@cache
def _postmen() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(POSTMEN, thread_name_prefix="mail")


def post(message: EmailMessage) -> None:
    """Send a mail soon; one that cannot be sent is a line in the log, never an error page."""
    later(message.send)


def later(task: Callable[..., Any], *args: Any) -> None:
    """Do something about a mail soon, as part of the request that asks for it."""
    if not _room.acquire(blocking=False):
        logger.error("A mail was dropped: %d others wait for the mail server.", WAITING)
        return
    _postmen().submit(copy_context().run, _do, task, *args)


def _do(task: Callable[..., Any], *args: Any) -> None:
    try:
        task(*args)
    except Exception as error:  # whatever a mail server thinks of
        logger.error("A mail could not be sent: %s: %s", type(error).__name__, error)
    finally:
        connections.close_all()  # the request's threads keep theirs, a postman is seldom needed
        _room.release()

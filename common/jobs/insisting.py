"""The end of long work: tried again while a server is away for a moment."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from common.jobs.context import JobContext
from common.storage.files import StorageUnavailable

logger = logging.getLogger(__name__)
T = TypeVar("T")

TRIES = 4
RETRY_SECONDS = 2.0


def insist(context: JobContext, step: Callable[[], T]) -> T:
    """Return what a step returns, also if it has to be tried a few times.

    Args:
        context: The attempt; it is given up when somebody cancels it meanwhile.
        step: Stores something, whole or not at all.
    """
    for _ in range(TRIES - 1):
        try:
            return step()
        except (OperationalError, InterfaceError, StorageUnavailable) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("The result of %s is stored again: %s", context.job, error)
            connection.close()
            time.sleep(RETRY_SECONDS)
            context.checkpoint()
    return step()

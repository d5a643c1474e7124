"""Counting changed days in the background."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache

from detector.analytics.services import refresh
from detector.models import ChangedSession

logger = logging.getLogger(__name__)

# A round is short, so that it does not keep a worker from pictures; the next one goes on.
ROUND_SECONDS = 5.0
PAUSE_SECONDS = 10
REGULAR_SECONDS = 60
ASKED = "detector.analytics.refresh"
LOOKED = "detector.analytics.looked"


@shared_task(name="detector.analytics.refresh")
def refresh_figures() -> None:
    """Count days that have changed, the newest first, for a few seconds."""
    refresh(seconds=ROUND_SECONDS)


def refresh_soon() -> None:
    """Ask for a round, unless one was asked for just now."""
    if not cache.add(ASKED, 1, timeout=PAUSE_SECONDS):
        return
    try:
        refresh_figures.apply_async(queue="default")
    except Exception:  # a broker that is away costs time, not truth: figures are right without
        logger.exception("No worker could be asked to count changed days")


def refresh_regularly() -> None:
    """Ask for a round about once a minute, if anything has changed; for whoever keeps the time."""
    if cache.add(LOOKED, 1, timeout=REGULAR_SECONDS) and ChangedSession.objects.exists():
        refresh_soon()

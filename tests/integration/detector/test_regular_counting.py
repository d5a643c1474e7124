"""Changed days are counted while nobody looks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from detection_project.embedded import EmbeddedWorker
from detector.analytics.tasks import ASKED, LOOKED, refresh_regularly
from detector.models import ChangedSession, DailyFigures
from integration.conftest import wait_until
from integration.detector.conftest import make_session


@pytest.mark.django_db(transaction=True)
def test_a_worker_counts_what_has_changed_when_the_clock_asks(
    user: Any, engine: Any, worker: EmbeddedWorker
) -> None:
    make_session(user)
    assert ChangedSession.objects.exists()
    assert not DailyFigures.objects.exists()
    refresh_regularly()
    wait_until(lambda: not ChangedSession.objects.exists())
    assert DailyFigures.objects.exists()


def test_the_clock_asks_once_a_minute_and_only_for_changes(user: Any, engine: Any) -> None:
    refresh_regularly()
    assert cache.get(ASKED) is None  # nothing has changed
    make_session(user)
    refresh_regularly()
    assert cache.get(ASKED) is None  # it has looked just now
    cache.delete(LOOKED)
    refresh_regularly()
    assert cache.get(ASKED) is not None

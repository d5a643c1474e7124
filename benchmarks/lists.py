"""``python -m benchmarks.lists``: every list and chart over the company's year, timed.

A child of `benchmarks.pages` with DATABASE_URL set. Fills the database when it is empty, asks for
every page as three people, and prints the rows as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import django

REPEATS = 5
CHARTS: tuple[Mapping[str, str], ...] = (
    *({"range": name} for name in ("7d", "30d", "90d", "year", "all")),
    {"range": "all", "class": "person"},
    {"range": "all", "owner": "me"},
    {"range": "all", "owner": "others"},
)
SESSIONS: tuple[Mapping[str, str], ...] = (
    {},
    {"page": "1000000"},
    {"q": "yard 0123"},
    {"q": "nothing of that name"},
    {"class": "person"},
    {"class": "toothbrush"},
    {"model": "opencv-fallback"},
    {"status": "failed"},
    {"status": "done"},
    {"owner": "others"},
    {"from": "2026-03-01", "to": "2026-03-31"},
    {"order": "oldest"},
    {"order": "name"},
    {"order": "objects"},
    {"class": "person", "status": "done", "order": "objects"},
)
API_SESSIONS = tuple(query for query in SESSIONS if "page" not in query)
OBJECTS = ({}, {"class": "person"}, {"class": "toothbrush"}, {"min_confidence": "0.95"})
FOR_ALL: tuple[tuple[str, tuple[Mapping[str, str], ...]], ...] = (
    ("/", ({},)),
    ("/sessions/", SESSIONS),
    (
        "/analytics/",
        (*CHARTS, {"range": "all", "class": "person"}, {"range": "all", "owner": "me"}),
    ),
    ("/analytics/classes.csv", ({"range": "all"},)),
    ("/api/analytics/", ({"range": "all"}, {"range": "all", "model": "yolov8n"})),
    ("/api/sessions/", API_SESSIONS),
    ("/api/objects/", OBJECTS),
    ("/api/jobs/", ({}, {"status": "failed"})),
)
FOR_ADMINISTRATORS: tuple[tuple[str, tuple[Mapping[str, str], ...]], ...] = (
    ("/audit/", ({}, {"action": "deleted"}, {"q": "person0100"})),
    ("/api/audit/", ({}, {"action": "deleted"})),
    ("/storage/", ({},)),
    ("/workers/", ({},)),
    ("/admin/", ({},)),
    ("/admin/detector/detectionsession/", ({}, {"q": "yard"})),
    ("/admin/detector/detectedobject/", ({},)),
    ("/admin/common/job/", ({},)),
    ("/admin/common/upload/", ({},)),
    ("/admin/common/auditentry/", ({},)),
    ("/admin/auth/user/", ({},)),
)


@dataclass(frozen=True)
class Timing:
    """One address as one person: milliseconds of a warm request, and its queries."""

    person: str
    address: str
    milliseconds: float
    fastest: float
    slowest: float
    queries: int


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from benchmarks.crowd import Size, fill
    from detector.analytics.services import refresh

    seconds: dict[str, float] = {}
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if not get_user_model().objects.exists():
        started = time.perf_counter()
        fill(Size())
        seconds["fill"] = time.perf_counter() - started
    started = time.perf_counter()
    refresh()
    seconds["count"] = time.perf_counter() - started
    timings = [asdict(timing) for timing in _time_everything(sys.argv[1:])]
    json.dump({"seconds": seconds, "timings": timings}, sys.stdout)


def _time_everything(only: list[str]) -> Iterator[Timing]:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from benchmarks.crowd import ADMINISTRATOR, BUSY_OWNER, READER

    settings.ALLOWED_HOSTS.append("testserver")
    for name in (BUSY_OWNER, READER, ADMINISTRATOR):
        client = Client()
        client.force_login(get_user_model().objects.get(username=name))
        pages = FOR_ALL + (FOR_ADMINISTRATORS if name == ADMINISTRATOR else ())
        for path, queries in pages:
            if only and path not in only:
                continue
            for query in queries:
                yield _time(client, name, path, query)


def _time(client: Any, person: str, path: str, query: Mapping[str, str]) -> Timing:
    """Time one page; one that leads elsewhere, or is refused, is no page.

    Raises:
        RuntimeError: The page does not show.
    """
    with _count_queries() as queries:
        answer = client.get(path, query)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answers {answer.status_code} to {person}")
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        client.get(path, query)
        times.append(1000 * (time.perf_counter() - started))
    words = "&".join(f"{key}={value}" for key, value in query.items())
    address = f"{path}?{words}" if words else path
    median = statistics.median(times)
    return Timing(person, address, median, min(times), max(times), len(queries))


@contextmanager
def _count_queries() -> Iterator[list[str]]:
    """Statements of all threads: a view may run in another one than its caller."""
    from django.db.backends.utils import CursorWrapper

    statements: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: Any, sql: str, params: Any = None) -> Any:
        statements.append(sql)
        return execute(self, sql, params)

    CursorWrapper.execute = counted  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        CursorWrapper.execute = execute  # type: ignore[method-assign]


if __name__ == "__main__":
    main()

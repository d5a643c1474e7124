"""Long lists and charts go along indexes, on both databases, with as many queries as short ones."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Q, Sum
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from detector.analytics.filters import parse_filters as parse_figures
from detector.analytics.selectors import Audience, read_figures
from detector.analytics.services import refresh
from detector.filters import parse_filters
from detector.models import (
    DailyClassFigures,
    DailyFigures,
    DetectedObject,
    DetectionSession,
)
from detector.paging import LimitedPaginator
from detector.selectors import list_objects, list_sessions
from tests.integration.detector.conftest import make_session
from tests.integration.plans import analyze, explain, prefer_indexes, scans

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SESSIONS = "detector_detectionsession"


def add_sessions(owner: Any, upload: Any, count: int, *, group: Group | None = None) -> None:
    """Sessions of an hour each, with an object each."""
    now = timezone.now()
    made = DetectionSession.objects.bulk_create(
        DetectionSession(
            owner=owner,
            upload=upload,
            shared_with=group if number % 5 == 0 else None,
            name=f"yard {number % 7} {number}",
            requested_model="yolov8n",
            model=("yolov8n", "yolov8s")[number % 2],
            backend="openvino",
            precision="bf16",
            object_count=number % 20,
            class_counts={"person": 1},
            timings_ms={"total": 10.0},
            created_at=now - dt.timedelta(hours=number),
        )
        for number in range(count)
    )
    DetectedObject.objects.bulk_create(
        DetectedObject(
            session=session,
            index=0,
            class_id=0,
            class_name="cat" if number % 100 == 0 else "person",
            confidence=0.5,
            x=0,
            y=0,
            width=1,
            height=1,
        )
        for number, session in enumerate(made)
    )


@pytest.fixture
def team(user: Any) -> Group:
    """A group that the user is in."""
    group = Group.objects.create(name="team")
    group.user_set.add(user)
    return group


@pytest.fixture
def many(user: Any, other_user: Any, team: Group) -> None:
    """4,000 sessions: three quarters of them the user's own, some shared."""
    upload = make_session(user).upload
    add_sessions(user, upload, 3000, group=team)
    add_sessions(other_user, upload, 1000, group=team)
    analyze()
    refresh()
    analyze()
    prefer_indexes()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "session_newest|session_owner_newest"),
        ({"order": "oldest"}, "session_newest|session_owner_newest"),
        ({"order": "name"}, "session_by_name"),
        ({"order": "objects"}, "session_most_objects"),
        ({"owner": "me"}, "session_owner_newest|session_newest"),
    ],
)
def test_a_list_of_own_and_shared_sessions_is_read_along_an_index(
    query: dict[str, str], index: str, user: Any, many: None
) -> None:
    plan = explain(list_sessions(user, parse_filters(query)).values_list("pk")[:24])
    if connection.vendor == "sqlite" and "MULTI-INDEX OR" in plan:
        index = "session_owner_newest"  # two indexes, one for each half of the question
    assert re.search(index, plan), plan
    assert not scans(plan, SESSIONS), plan


def test_the_objects_of_a_class_are_read_along_an_index(user: Any, many: None) -> None:
    plan = explain(list_objects(user).filter(class_name="cat").order_by("-id")[:100])
    assert not scans(plan, "detector_detectedobject"), plan
    assert not scans(plan, SESSIONS), plan


@pytest.mark.parametrize("owner", ["", "me", "others"])
def test_charts_are_read_along_indexes_of_the_figures(owner: str, user: Any, many: None) -> None:
    audience = Audience(user.pk, tuple(user.groups.values_list("pk", flat=True)), owner)
    days = Q(day__gte=timezone.localdate() - dt.timedelta(days=30))
    for _, part in audience.stored():
        plan = explain(DailyFigures.objects.filter(part & days))
        assert re.search("daily_figures_(owner|group|day)", plan), plan
        by_class = DailyClassFigures.objects.filter(part & days).order_by()
        plan = explain(by_class.values("class_name").annotate(Sum("objects_found")))
        assert re.search("daily_class_(owner|group|day)", plan), plan
        plan = explain(by_class.filter(class_name="cat"))
        assert re.search("daily_class_(owner|group|day)", plan), plan


def test_a_chart_never_reads_the_objects(user: Any, many: None, statements: list[str]) -> None:
    read_figures(user, parse_figures({"range": "all"}))
    assert statements
    assert not any("detectedobject" in sql for sql in statements)


def test_pages_beyond_ten_thousand_are_neither_counted_nor_shown(
    user: Any, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.paging.MOST_COUNTED", 100)
    pages = LimitedPaginator(list_sessions(user), 24)
    assert (pages.count, pages.num_pages, pages.is_limited) == (100, 5, True)
    assert len(pages.get_page(99)) == 4
    listed = [row.pk for number in pages.page_range for row in pages.page(number)]
    assert listed == [row.pk for row in list_sessions(user)[:100]]


ADDRESSES = [
    "/",
    "/sessions/",
    "/sessions/?q=yard&order=name",
    "/sessions/?class=cat&status=done",
    "/analytics/?range=all",
    "/analytics/?range=all&class=cat",
    "/api/sessions/",
    "/api/objects/?class=cat",
    "/api/analytics/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_queries_are_as_many_for_ten_sessions_as_for_five_hundred(
    address: str, user: Any, team: Group, signed_in: Client, statements: list[str]
) -> None:
    def queries() -> int:
        client: Any = signed_in
        if address.startswith("/api/"):
            client = APIClient()
            client.force_authenticate(type(user).objects.get(pk=user.pk))
        assert client.get(address).status_code == 200
        statements.clear()
        client.get(address)
        return len(statements)

    upload = make_session(user).upload
    add_sessions(user, upload, 10, group=team)
    refresh()
    few = queries()
    add_sessions(user, upload, 490, group=team)
    refresh()
    assert queries() == few


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement from now on, of whatever thread: a view may run in another one."""
    seen: list[str] = []
    execute = CursorWrapper.execute

    def noted(self: Any, sql: str, params: Any = None) -> Any:
        seen.append(sql)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", noted)
    return seen

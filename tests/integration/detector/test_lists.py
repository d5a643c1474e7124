"""Lists stay cheap however long they are: constant queries, indexes used."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.accounts.groups import group_ids_of
from common.models import Job
from detector.filters import SessionFilters, parse_filters
from detector.models import DetectedObject, DetectionSession
from detector.paging import LimitedPaginator
from detector.selectors import (
    get_session,
    home_totals,
    list_objects,
    list_sessions,
    session_overlay,
)
from tests.integration.detector.conftest import make_session
from tests.integration.plans import analyze, explain, explain_sql, prefer_indexes, scans

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(user: Any, other_user: Any, session: DetectionSession) -> list[DetectionSession]:
    """3,000 sessions of two users, of which every 100th has a cat and every 10th failed."""
    start = timezone.now() - dt.timedelta(days=30)
    jobs = [
        Job(kind="detector.detect", owner=user, state="failed" if n % 10 == 0 else "done")
        for n in range(3000)
    ]
    Job.objects.bulk_create(jobs)
    made = [
        DetectionSession(
            owner=other_user if n % 3 == 0 else user,
            upload=session.upload,
            job=job,
            name=f"yard {n}",
            requested_model="yolov8n",
            model="yolov8n",
            object_count=2,
            class_counts={"person": 2},
            created_at=start + dt.timedelta(minutes=n),
        )
        for n, job in enumerate(jobs)
    ]
    DetectionSession.objects.bulk_create(made)
    DetectedObject.objects.bulk_create(
        DetectedObject(
            session=item,
            index=0,
            class_id=15,
            class_name="cat" if n % 100 == 1 else "person",
            confidence=0.5,
            x=0,
            y=0,
            width=1,
            height=1,
        )
        for n, item in enumerate(made)
    )
    analyze()
    prefer_indexes()
    return made


FILTERS = [
    {},
    {"q": "yard 12"},
    {"status": "failed"},
    {"status": "done"},
    {"class": "cat"},
    {"model": "yolov8n", "task": "detect"},
    {"from": "2020-01-01", "to": "2099-01-01"},
    {"order": "oldest"},
    {"order": "name"},
    {"order": "objects"},
]


@pytest.mark.parametrize("query", FILTERS)
def test_a_page_of_the_list_is_two_queries(
    user: Any, many: list[DetectionSession], query: dict[str, str]
) -> None:
    group_ids_of(user)  # asked once per request
    with CaptureQueriesContext(connection) as queries:
        page = Paginator(list_sessions(user, parse_filters(query)), 24).get_page(3)
        for entry in page:
            assert entry.status
            assert entry.upload.width
            assert entry.job is None or entry.job.message == ""
    assert len(queries) == 2, [entry["sql"] for entry in queries]


@pytest.mark.parametrize(
    "query", [{}, {"order": "oldest"}, {"class": "cat"}, {"from": "2020-01-01"}]
)
def test_a_page_is_read_along_the_index(
    user: Any, many: list[DetectionSession], query: dict[str, str]
) -> None:
    plan = explain(list_sessions(user, parse_filters(query))[48:72])
    if "class" not in query:  # the few that have one may be found first and sorted
        # Both are in the order of the list; which is cheaper depends on how much of it one owns.
        assert re.search("session_owner_newest|session_newest", plan), plan
        assert not re.search(r"TEMP B-TREE|\bSort\b", plan), plan
    assert not scans(plan, "detector_detectionsession"), plan
    if "class" in query:
        assert "object_class_session" in plan or "object_index_in_session" in plan, plan


def test_the_count_is_read_from_an_index(user: Any, many: list[DetectionSession]) -> None:
    pages = LimitedPaginator(list_sessions(user), 24)
    with CaptureQueriesContext(connection) as queries:
        assert pages.count == 2001
    plan = explain_sql(queries[0]["sql"])
    assert re.search(r"COVERING INDEX|Index (Only )?Scan", plan), plan
    assert not scans(plan, "detector_detectionsession"), plan


def test_objects_are_read_along_an_index(user: Any, many: list[DetectionSession]) -> None:
    plan = explain(list_objects(user).filter(class_name="cat").order_by("-id")[:100])
    assert not scans(plan, "detector_detectionsession"), plan
    assert not scans(plan, "detector_detectedobject"), plan


def test_the_home_page_counts_in_two_queries(user: Any, many: list[DetectionSession]) -> None:
    group_ids_of(user)  # asked once per request
    with CaptureQueriesContext(connection) as queries:
        totals = home_totals(user)
    assert len(queries) == 2
    assert totals["sessions"] == 2001
    assert totals["objects"] == 2 * 2000 + 3
    assert totals["pictures_today"] >= 1
    assert totals["top_classes"][0] == {"name": "person", "count": 2 * 999 + 2}


def test_a_result_page_is_two_queries(user: Any, session: DetectionSession) -> None:
    group_ids_of(user)  # asked once per request
    with CaptureQueriesContext(connection) as queries:
        session_overlay(get_session(user, session.pk))
    assert len(queries) == 2


def test_nobody_and_newcomers_see_nothing(other_user: Any, session: DetectionSession) -> None:
    from django.contrib.auth.models import AnonymousUser

    assert not list_sessions(AnonymousUser()).exists()
    assert home_totals(other_user) == {
        "sessions": 0,
        "objects": 0,
        "pictures_today": 0,
        "top_classes": [],
    }


def test_filters_narrow_as_they_say(user: Any) -> None:
    yard = make_session(user, name="Yard.jpg", task="detect")
    street = make_session(user, name="100%_street.jpg")
    street.job = Job.objects.create(kind="detector.detect", owner=user, state="running")
    street.save()
    old = make_session(user, name="old.jpg")
    DetectionSession.objects.filter(pk=old.pk).update(
        created_at=dt.datetime(2020, 5, 17, 23, 59, tzinfo=dt.UTC)
    )

    def names(**query: str) -> list[str]:
        filters = parse_filters({key.rstrip("_"): value for key, value in query.items()})
        return [entry.name for entry in list_sessions(user, filters)]

    assert names(q="yard") == ["Yard.jpg"]
    assert names(q="0%_") == ["100%_street.jpg"]
    assert names(status="done") == ["Yard.jpg", "old.jpg"]
    assert names(status="running") == ["100%_street.jpg"]
    assert names(task="detect") == ["Yard.jpg"]
    assert names(model="yolov8n-seg") == ["100%_street.jpg", "old.jpg"]
    assert names(from_="2020-05-17", to="2020-05-17") == ["old.jpg"]
    assert names(from_="2020-05-18", to="2020-06-01") == []
    assert names(order="oldest")[0] == "old.jpg"
    assert names(class_="dog", q="yard") == ["Yard.jpg"]
    assert names(class_="unicorn") == []
    assert yard.pk


def test_a_page_forgives_filters_that_make_no_sense() -> None:
    filters = parse_filters({"status": "asleep", "order": "?", "from": "soon", "q": "\x00 "})
    assert filters == SessionFilters()
    assert not filters.is_active

"""The figures are those of the rows, whatever happens to the rows, and whoever asks."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zoneinfo
from bisect import bisect_right
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from common.permissions import visible
from detector.analytics.days import DayRange, merge_days, today
from detector.analytics.figures import BINS, EDGES
from detector.analytics.filters import AnalyticsFilters, parse_filters
from detector.analytics.selectors import models_seen, read_figures
from detector.analytics.services import rebuild, refresh
from detector.analytics.summary import summarise
from detector.models import ChangedSession, DailyFigures, DetectedObject, DetectionSession
from integration.conftest import make_user
from tests.integration.detector.conftest import make_session

pytestmark = pytest.mark.django_db

MODELS = (("yolov8n", "openvino", "bf16"), ("yolov8n", "torch", "fp32"), ("fallback", "opencv", ""))
CLASSES = ("person", "dog", "car")
QUERIES: tuple[dict[str, str], ...] = (
    {"range": "all"},
    {"range": "7d"},
    {"range": "all", "owner": "me"},
    {"range": "all", "owner": "others"},
    {"range": "all", "model": "yolov8n"},
    {"range": "30d", "class": "dog"},
    {"range": "all", "class": "person", "owner": "others", "model": "fallback"},
)


def figures(user: Any, **query: str) -> dict[str, Any]:
    """What the API would answer."""
    filters = parse_filters({key.rstrip("_"): value for key, value in query.items()})
    return summarise(read_figures(fresh(user), filters), filters)


def fresh(user: Any) -> Any:
    """The user as another request would have it."""
    return type(user).objects.get(pk=user.pk)


def brute_force(user: Any, query: dict[str, str]) -> dict[str, Any]:
    """The same from the rows, one by one and in plain Python."""
    filters = parse_filters(query)
    sessions = [
        row for row in visible(user, DetectionSession.objects.all()) if wanted(row, filters)
    ]
    if filters.owner:
        sessions = [row for row in sessions if (row.owner_id == user.pk) == (filters.owner == "me")]
    timed = sessions
    objects = {
        row.pk: [
            found
            for found in row.detected_objects.all()
            if filters.class_name in ("", found.class_name)
        ]
        for row in sessions
    }
    if filters.class_name:
        sessions = [row for row in sessions if objects[row.pk]]
    every = [(row, found) for row in sessions for found in objects[row.pk]]
    bins = [0] * BINS
    for _, found in every:
        bins[min(max(bisect_right(EDGES, found.confidence) - 1, 0), BINS - 1)] += 1
    days = sorted({local_day(row) for row in sessions})
    return {
        "totals": {
            "sessions": len(sessions),
            "objects": len(every),
            "mean_confidence": mean([found for _, found in every]),
            **times(timed),
        },
        "classes": {
            name: (
                sum(found.class_name == name for _, found in every),
                len({row.pk for row, found in every if found.class_name == name}),
            )
            for name in {found.class_name for _, found in every}
        },
        "days": {
            day.isoformat(): (
                sum(local_day(row) == day for row in sessions),
                sum(local_day(row) == day for row, _ in every),
            )
            for day in days
        },
        "confidence": bins,
        "models": {
            key: (
                len([row for row in sessions if model_of(row) == key]),
                len([row for row, _ in every if model_of(row) == key]),
                mean([found for row, found in every if model_of(row) == key]),
                times([row for row in timed if model_of(row) == key]),
            )
            for key in {model_of(row) for row in sessions}
        },
    }


def in_its_shape(document: dict[str, Any]) -> dict[str, Any]:
    """An answer in the shape of `brute_force`."""
    return {
        "totals": document["totals"],
        "classes": {row["class"]: (row["objects"], row["sessions"]) for row in document["classes"]},
        "days": {},
        "confidence": [row["objects"] for row in document["confidence"]],
        "models": {
            (row["model"], row["backend"], row["precision"]): (
                row["sessions"],
                row["objects"],
                row["mean_confidence"],
                {"median_ms": row["median_ms"], "p95_ms": row["p95_ms"]},
            )
            for row in document["models"]
        },
    }


def wanted(row: DetectionSession, filters: AnalyticsFilters) -> bool:
    day = local_day(row)
    return (
        row.model != ""
        and filters.model in ("", row.model)
        and (filters.first is None or day >= filters.first)
        and day <= filters.last
    )


def local_day(row: DetectionSession) -> dt.date:
    return timezone.localtime(row.created_at, timezone.get_default_timezone()).date()


def model_of(row: DetectionSession) -> tuple[str, str, str]:
    return row.model, row.backend, row.precision


def mean(found: list[DetectedObject]) -> float | None:
    if not found:
        return None
    return round(sum(round(one.confidence * 1e6) for one in found) / len(found) / 1e6, 4)


def times(rows: list[DetectionSession]) -> dict[str, float | None]:
    values = [row.timings_ms["total"] for row in rows if "total" in row.timings_ms]
    if not values:
        return {"median_ms": None, "p95_ms": None}
    median, slow = np.percentile(values, (50, 95))
    return {"median_ms": pytest.approx(median, abs=0.011), "p95_ms": pytest.approx(slow, abs=0.011)}


def add(
    owner: Any,
    upload: Any,
    *,
    at: dt.datetime | None = None,
    group: Any = None,
    model: int = 0,
    total: float | None = 12.5,
    found: tuple[tuple[str, float], ...] = (("person", 0.9),),
) -> DetectionSession:
    """A session with objects, written as any part of the product might."""
    name, backend, precision = MODELS[model]
    made = DetectionSession.objects.create(
        owner=owner,
        upload=upload,
        shared_with=group,
        name="a",
        requested_model="yolov8n",
        model=name,
        backend=backend,
        precision=precision,
        object_count=len(found),
        timings_ms={} if total is None else {"total": total},
        created_at=at or timezone.now(),
    )
    add_objects(made, found)
    return made


def add_objects(session: DetectionSession, found: tuple[tuple[str, float], ...]) -> None:
    DetectedObject.objects.bulk_create(
        DetectedObject(
            session=session,
            index=index,
            class_id=0,
            class_name=name,
            confidence=confidence,
            x=0,
            y=0,
            width=1,
            height=1,
        )
        for index, (name, confidence) in enumerate(found)
    )


@pytest.fixture
def team(user: Any, other_user: Any) -> Group:
    """A group of both."""
    group = Group.objects.create(name="team")
    group.user_set.add(user, other_user)
    return group


@pytest.fixture
def upload(user: Any) -> Any:
    """A stored picture."""
    return make_session(user).upload


confidences = st.one_of(st.sampled_from(EDGES), st.floats(0, 1, width=32))
found = st.lists(st.tuples(st.sampled_from(CLASSES), confidences), max_size=5).map(tuple)
sessions = st.tuples(
    st.integers(0, 2),  # whose
    st.integers(0, 2),  # shared with
    st.integers(0, 60 * 24 * 40),  # minutes ago
    st.integers(0, len(MODELS) - 1),
    st.one_of(st.none(), st.integers(0, 10_000).map(lambda value: value / 100)),
    found,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), sessions),
        st.tuples(st.just("delete"), st.integers(0, 50)),
        st.tuples(st.just("share"), st.tuples(st.integers(0, 50), st.integers(0, 2))),
        st.tuples(st.just("again"), st.tuples(st.integers(0, 50), found)),
        st.tuples(st.just("refresh"), st.none()),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=steps)
def test_figures_equal_those_of_the_rows_after_any_history(
    zone: str, history: Any, user: Any, other_user: Any, upload: Any, team: Group, settings: Any
) -> None:
    settings.TIME_ZONE = zone
    people = [user, other_user, make_user_once("carol")]
    groups = [None, team, Group.objects.get_or_create(name="elsewhere")[0]]
    DetectionSession.objects.all().delete()
    for action, given_to_it in history:
        act(action, given_to_it, people, groups, upload)
    for query in QUERIES:
        for person in people:
            person = fresh(person)
            expected = brute_force(person, query)
            document = figures(person, **query)
            days = expected.pop("days")
            assert in_its_shape(document) == {**expected, "days": {}}, (query, person)
            timeline = document["timeline"]
            assert sum(step["sessions"] for step in timeline) == sum(n for n, _ in days.values())
            assert sum(step["objects"] for step in timeline) == sum(n for _, n in days.values())
            if document["range"]["step"] == "day":
                assert days == {
                    step["from"]: (step["sessions"], step["objects"])
                    for step in timeline
                    if step["sessions"]
                }


def make_user_once(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.filter(username=name).first() or make_user(name, "viewer")


def act(action: str, arguments: Any, people: list[Any], groups: list[Any], upload: Any) -> None:
    if action == "refresh":
        refresh()
    elif action == "add":
        owner, group, minutes, model, total, objects = arguments
        at = timezone.now() - dt.timedelta(minutes=minutes)
        add(
            people[owner], upload, at=at, group=groups[group], model=model, total=total,
            found=objects,
        )  # fmt: skip
    elif action == "delete":
        rows = list(DetectionSession.objects.order_by("created_at"))
        if rows:
            rows[arguments % len(rows)].delete()
    elif action == "share":
        chosen, group = arguments
        rows = list(DetectionSession.objects.order_by("created_at"))
        if rows:
            one = DetectionSession.objects.filter(pk=rows[chosen % len(rows)].pk)
            one.update(shared_with=groups[group])
    else:  # the job ran again: other objects, written in one transaction with the session
        chosen, objects = arguments
        rows = list(DetectionSession.objects.order_by("created_at"))
        if rows:
            row = rows[chosen % len(rows)]
            row.detected_objects.all().delete()
            add_objects(row, objects)
            row.object_count = len(objects)
            row.save(update_fields=["object_count"])


def test_a_counted_day_is_read_from_its_figures_alone(user: Any, upload: Any) -> None:
    add(user, upload, at=timezone.now() - dt.timedelta(days=3))
    refresh()
    assert not ChangedSession.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        assert figures(user)["totals"]["sessions"] == 2
    assert not any("detector_detectedobject" in query["sql"] for query in queries)


@pytest.mark.slow
def test_queries_are_as_many_for_ten_sessions_as_for_five_hundred(user: Any, upload: Any) -> None:
    def queries_of(query: dict[str, str]) -> int:
        person = fresh(user)
        filters = parse_filters(query)
        with CaptureQueriesContext(connection) as queries:
            summarise(read_figures(person, filters), filters)
        return len(queries)

    def fill(sessions: int) -> None:
        for number in range(sessions):
            add(user, upload, at=timezone.now() - dt.timedelta(hours=number), model=number % 3)
        refresh()

    fill(10)
    few = [queries_of(query) for query in QUERIES]
    fill(490)
    assert [queries_of(query) for query in QUERIES] == few
    assert max(few) <= 8


@pytest.mark.parametrize("change", ["delete", "share", "model", "owner's end"])
def test_every_way_to_change_a_session_leaves_a_mark(
    change: str, user: Any, upload: Any, team: Group
) -> None:
    old = add(user, upload, at=timezone.now() - dt.timedelta(days=5), group=team)
    refresh()
    rows = DetectionSession.objects.filter(pk=old.pk)
    if change == "delete":
        with connection.cursor() as cursor:  # beside all of our code
            cursor.execute("DELETE FROM detector_detectedobject")
            cursor.execute("DELETE FROM detector_detectionsession")
    elif change == "share":
        rows.update(shared_with=None)
    elif change == "model":
        rows.update(model="yolov8s")
    else:
        DetectionSession.objects.all().delete()
        upload.delete()
        user.delete()
    assert ChangedSession.objects.filter(group_id=team.pk, owner_id=old.owner_id).exists()


def test_a_new_name_marks_nothing(user: Any, upload: Any) -> None:
    refresh()
    DetectionSession.objects.update(name="other")
    assert not ChangedSession.objects.exists()


def test_what_is_not_answered_yet_is_not_counted(user: Any, upload: Any) -> None:
    refresh()
    DetectionSession.objects.create(
        owner=user, upload=upload, name="queued", requested_model="yolov8n"
    )
    assert not ChangedSession.objects.exists()
    assert figures(user)["totals"]["sessions"] == 1


def test_another_time_zone_moves_midnight_for_what_is_stored_too(
    user: Any, upload: Any, settings: Any
) -> None:
    DetectionSession.objects.all().delete()
    add(user, upload, at=dt.datetime(2026, 3, 28, 23, 30, tzinfo=dt.UTC))
    query = {"from_": "2026-03-20", "to": "2026-03-31"}
    refresh()
    assert [s["from"] for s in figures(user, **query)["timeline"] if s["sessions"]] == [
        "2026-03-28"
    ]
    settings.TIME_ZONE = "Europe/Berlin"  # whose clocks change on the 29th
    for _ in range(2):
        assert days_with_sessions(user, query) == ["2026-03-29"]
        refresh()
    assert DailyFigures.objects.get(owner_id=user.pk).day == dt.date(2026, 3, 29)


def days_with_sessions(user: Any, query: dict[str, str]) -> list[str]:
    return [step["from"] for step in figures(user, **query)["timeline"] if step["sessions"]]


def test_days_with_a_clock_change_have_their_own_length(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    for day, hours in ((dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25)):
        span = DayRange(day, day)
        assert span.end - span.begin == dt.timedelta(hours=hours)
        assert span.begin.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).hour == 0


def test_charts_have_steps_that_fit_their_range() -> None:
    last = dt.date(2026, 7, 15)
    for days, step, bars in ((7, "day", 7), (31, "day", 31), (90, "week", 14), (365, "week", 53)):
        span = DayRange(last - dt.timedelta(days=days - 1), last)
        listed = list(span.steps())
        assert (span.step, len(listed)) == (step, bars)
        assert listed[0].first == span.first
        assert listed[-1].last == last
        assert sum(part.days for part in listed) == days
    assert DayRange(dt.date(2024, 1, 31), last).step == "month"
    assert [s.first.day for s in DayRange(dt.date(2024, 1, 31), last).steps()][1:3] == [1, 1]
    assert merge_days([last, last, last - dt.timedelta(days=1)]) == [
        DayRange(last - dt.timedelta(days=1), last)
    ]


def test_the_command_counts_everything_again(user: Any, upload: Any, capsys: Any) -> None:
    refresh()
    DailyFigures.objects.update(sessions=99)  # as a fault might
    assert figures(user)["totals"]["sessions"] == 99
    call_command("analytics", rebuild=True)
    assert "Counted 1 days" in capsys.readouterr().out
    assert figures(user)["totals"]["sessions"] == 1
    assert refresh() == 0


def test_counting_twice_changes_nothing(user: Any, upload: Any) -> None:
    refresh()
    before = figures(user, range="all")
    rebuild()
    assert figures(user, range="all") == before
    refresh()
    assert figures(user, range="all") == before


def test_models_are_named_as_soon_as_they_have_answered(user: Any, upload: Any) -> None:
    assert models_seen(user) == ["yolov8n-seg"]
    refresh()
    add(user, upload, model=2)
    assert models_seen(user) == ["fallback", "yolov8n-seg"]


def test_nobody_and_newcomers_see_nothing(other_user: Any, upload: Any) -> None:
    refresh()
    document = figures(other_user, range="all")
    assert document["totals"]["sessions"] == 0
    assert document["classes"] == document["models"] == []
    assert document["timeline"] == [
        {"from": str(today()), "to": str(today()), "sessions": 0, "objects": 0}
    ]
    other_user.is_active = False
    assert read_figures(other_user, parse_filters({})).rows == []


# ---------------------------------------------------------------- page, REST and files


def test_the_page_shows_figures_and_leads_to_sessions(signed_in: Client, upload: Any) -> None:
    page = signed_in.get(reverse("analytics:analytics"), {"class": "dog"})
    text = page.content.decode()
    assert page.status_code == 200
    assert '<script id="figures" type="application/json">' in text
    assert "/sessions/?status=done" in text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    charts = signed_in.get(reverse("analytics:analytics"), headers={"HX-Request": "true"})
    assert b"<html" not in charts.content


def test_the_empty_page_says_what_helps(db: None, client: Client) -> None:
    for role, words in (("operator", "Add pictures"), ("viewer", "Ask somebody to share")):
        client.force_login(make_user(f"new-{role}", role))
        page = client.get(reverse("analytics:analytics"), {"range": "all"})
        assert words in page.content.decode()
        page = client.get(reverse("analytics:analytics"), {"class": "dog"})
        assert "Show all time" in page.content.decode()


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get(reverse("analytics:analytics")).status_code == 302
    assert client.get(reverse("analytics:export", args=["models"])).status_code == 302
    assert APIClient().get("/api/analytics/").status_code == 401


def test_rest_gives_the_same_figures(api: APIClient, user: Any, upload: Any) -> None:
    answer = api.get("/api/analytics/", {"range": "all"})
    assert answer.status_code == 200
    assert answer.json() == figures(user, range="all")
    assert answer.json()["classes"][0] == {
        "class": "person", "objects": 2, "sessions": 1, "mean_confidence": 0.68,
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {"range": "week"},
        {"owner": "bob"},
        {"from": "soon"},
        {"from": "9999-12-31"},
        {"to": "0001-01-01"},
        {"from": "2026-02-02", "to": "2026-02-01"},
    ],
)
def test_rest_names_what_makes_no_sense_and_the_page_forgives_it(
    query: dict[str, str], api: APIClient, signed_in: Client
) -> None:
    answer = api.get("/api/analytics/", query)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) <= set(query)
    assert signed_in.get(reverse("analytics:analytics"), query).status_code == 200


@pytest.mark.parametrize("table", ["classes", "timeline", "confidence", "models"])
def test_each_table_can_be_taken_away(
    table: str, signed_in: Client, user: Any, upload: Any
) -> None:
    file = signed_in.get(reverse("analytics:export", args=[table]), {"range": "all"})
    assert file.headers["Content-Disposition"].startswith(
        f'attachment; filename="analytics-{table}'
    )
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    shown = figures(user, range="all")[table]
    assert [set(row) for row in rows] == [set(row) for row in shown]
    assert rows[0]["objects"] == str(shown[0]["objects"])


def test_a_name_that_a_spreadsheet_would_run_is_escaped(
    signed_in: Client, user: Any, upload: Any
) -> None:
    add(user, upload, found=(("=1+1", 0.9),) * 9)
    file = signed_in.get(reverse("analytics:export", args=["classes"]))
    assert b"\n'=1+1," in file.content.replace(b"\r", b"")


def test_another_table_is_not_there(signed_in: Client) -> None:
    assert signed_in.get("/analytics/secrets.csv").status_code == 404

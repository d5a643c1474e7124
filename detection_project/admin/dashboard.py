"""What an operator looks at in the morning: what failed, what waits, what is nearly full.

A dozen questions, each answered by an index or by few rows: it is the page that must still open
when everything else is slow.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from knox.models import AuthToken

from common.inference import loaded_models
from common.jobs.selectors import list_queues, list_workers
from common.models import AuditEntry, Job, RetentionPolicy, Upload
from common.storage.disk import disk_space
from detection_project.admin.navigation import address_of
from detector.models import DetectionSession
from detector.services.catalog import list_models
from detector.templatetags.sightline import file_size

HOURS = 24
DAY = timedelta(hours=HOURS)
WEEK = timedelta(days=7)
LATE = timedelta(minutes=5)  # a job that has waited so long wants to be looked at
SHOWN = 6


@dataclass(frozen=True)
class Tile:
    """One question and its answer.

    Attributes:
        title: The question.
        value: The answer, in as few characters as it takes.
        note: What stands below it.
        tone: "good", "warn", "bad" or "" for neither.
        link: Where to act on it.
        rows: Details: what, why, where.
    """

    title: str
    value: str
    note: str = ""
    tone: str = ""
    link: str = ""
    rows: list[tuple[str, str, str]] = field(default_factory=list)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the admin's first page."""
    now = timezone.now()
    tiles = [tile for make in TILES for tile in make(now)]
    return {
        **context,
        "title": "Overview",
        "alarms": [tile for tile in tiles if tile.tone == "bad"],
        "tiles": tiles,
        "hours": _pictures_by_hour(now),
        "made_at": now,
    }


def _failed_jobs(now: datetime) -> Iterable[Tile]:
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gte=now - DAY).order_by()
    reasons = failed.values("error_code").annotate(
        number=Count("pk"), why=Max("error_message"), last=Max("finished_at")
    )
    by_number = sorted(reasons, key=lambda reason: -reason["number"])
    number = sum(reason["number"] for reason in by_number)
    jobs = address_of("admin:common_job_changelist")
    rows = [
        (
            f"{reason['number']} {reason['error_code'] or 'without a reason'}",
            reason["why"],
            f"{jobs}?{urlencode({'state__exact': 'failed', 'q': reason['error_code']})}",
        )
        for reason in by_number[:SHOWN]
    ]
    yield Tile(
        title="Jobs failed in 24 hours",
        value=str(number),
        note="Retry them from the list once the reason is gone." if number else "None.",
        tone="bad" if number else "good",
        link=f"{jobs}?state__exact=failed",
        rows=rows,
    )


def _waiting_jobs(now: datetime) -> Iterable[Tile]:
    queues = list_queues()
    waiting = sum(queue.queued for queue in queues)
    running = sum(queue.running for queue in queues)
    oldest = min((queue.oldest_at for queue in queues if queue.oldest_at), default=None)
    late = oldest is not None and now - oldest > LATE
    yield Tile(
        title="Jobs waiting",
        value=str(waiting),
        note=f"{running} running"
        + (f", the oldest has waited {_since(oldest, now)}" if oldest else ""),
        tone="warn" if late else "",
        link=f"{address_of('admin:common_job_changelist')}?state__exact=queued",
        rows=[
            (queue.name, f"{queue.queued} waiting, {queue.running} running", "")
            for queue in queues[:SHOWN]
        ],
    )


def _workers(now: datetime) -> Iterable[Tile]:
    workers = [worker for worker in list_workers() if worker.state not in ("stopped", "gone")]
    alive = sum(worker.is_alive for worker in workers)
    deaf = sum(worker.state == "silent" for worker in workers)
    yield Tile(
        title="Workers alive",
        value=str(alive),
        note=f"{deaf} up but silent: they hear no message."
        if deaf
        else "All of them answer."
        if workers
        else "Nothing works on jobs; start a worker.",
        tone="bad" if deaf or not alive else "good",
        link=address_of("jobs:workers"),
        rows=[
            (worker.host, f"{worker.state}, {_ago(worker.last_sign_at, now)}", "")
            for worker in workers[:SHOWN]
        ],
    )


def _models(now: datetime) -> Iterable[Tile]:
    models = [model for model in list_models() if model["default"]]
    missing = [model["name"] for model in models if not model["installed"]]
    stands_in = {name: info["reason"] for name, info in loaded_models().items() if info["fallback"]}
    wrong = bool(stands_in or missing)
    yield Tile(
        title="Models",
        value="Fallback in use" if stands_in else "Weights missing" if missing else "Ready",
        note="OpenCV's people and faces answer instead of a network."
        if stands_in
        else "They are fetched when first asked for, where that is allowed."
        if missing
        else "",
        tone="bad" if stands_in else "warn" if wrong else "good",
        link="",
        rows=[(name, reason, "") for name, reason in stands_in.items()]
        or [(model["name"], _model_state(model), "") for model in models],
    )


def _model_state(model: dict[str, Any]) -> str:
    if model["loaded"]:
        return "loaded: " + ", ".join(str(part) for part in model["loaded"].values())
    return "installed" if model["installed"] else "not installed"


def _disk(now: datetime) -> Iterable[Tile]:
    space = disk_space()
    share = space.free / space.total if space.total else 0.0
    recent = Upload.objects.filter(created_at__gte=now - WEEK, removed_at=None)
    grown = recent.aggregate(bytes=Sum("size", default=0), pictures=Count("pk"))
    days = space.free * 7 / grown["bytes"] if grown["bytes"] else None
    yield Tile(
        title="Disk free",
        value=file_size(space.free),
        note=f"{share:.0%} of {file_size(space.total)}",
        tone="bad" if space.is_low else "warn" if share < 0.1 else "good",
        link=address_of("storage:storage"),
        rows=[
            (
                "Grown in 7 days",
                f"{file_size(grown['bytes'])}, pictures: {grown['pictures']:,}",
                "",
            ),
            *([("Full in", f"{days:,.0f} days at this rate", "")] if days and days < 3650 else []),
        ],
    )


def _retention(now: datetime) -> Iterable[Tile]:
    policy = RetentionPolicy.objects.filter(pk=1).first()
    kept = policy is None or not (policy.picture_days or policy.result_days)
    yield Tile(
        title="Retention",
        value="Everything is kept" if kept or policy is None else _ago(policy.last_run_at, now),
        note="" if kept else "the last run",
        tone="warn"
        if policy and not kept and (policy.last_run_at or now - 3 * DAY) < now - 2 * DAY
        else "",
        link=address_of("storage:storage"),
        rows=[
            (name, f"{days} days", "")
            for name, days in (
                ("Pictures", policy.picture_days if policy else None),
                ("Results", policy.result_days if policy else None),
            )
            if days
        ],
    )


def _sign_ins(now: datetime) -> Iterable[Tile]:
    failed = AuditEntry.objects.filter(
        action=AuditEntry.Action.SIGN_IN_FAILED, at__gte=now - DAY
    ).order_by()
    by_address = failed.values("address").annotate(number=Count("pk")).order_by("-number")
    addresses = list(by_address[:SHOWN])
    number = failed.count() if len(addresses) == SHOWN else sum(a["number"] for a in addresses)
    log = address_of("audit:log")
    yield Tile(
        title="Failed sign-ins in 24 hours",
        value=str(number),
        note="Mistyped, or somebody is guessing." if number else "None.",
        tone="bad" if number >= 100 else "warn" if number >= 10 else "",
        link=f"{log}?action={AuditEntry.Action.SIGN_IN_FAILED}" if log else "",
        rows=[
            (entry["address"] or "unknown address", f"{entry['number']} times", "")
            for entry in addresses
        ],
    )


def _tokens(now: datetime) -> Iterable[Tile]:
    ending = AuthToken.objects.filter(expiry__gt=now, expiry__lte=now + WEEK)
    number = ending.count()
    rows = ending.select_related("user", "details").order_by("expiry")[:SHOWN] if number else []
    yield Tile(
        title="Tokens that end within 7 days",
        value=str(number),
        note="Their programs will be refused then." if number else "None.",
        tone="warn" if number else "",
        link=address_of("admin:knox_authtoken_changelist"),
        rows=[
            (
                f"{getattr(getattr(token, 'details', None), 'name', token.token_key)}",
                f"{token.user}, in {_until(token.expiry, now)}",
                "",
            )
            for token in rows
        ],
    )


TILES: list[Callable[[datetime], Iterable[Tile]]] = [
    *(_failed_jobs, _waiting_jobs, _workers, _models),
    *(_disk, _retention, _sign_ins, _tokens),
]


def _pictures_by_hour(now: datetime) -> dict[str, Any]:
    """Pictures per hour, the present hour last, as the chart takes them."""
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    rows = (
        DetectionSession.objects.filter(created_at__gte=first)
        .order_by()
        .annotate(hour=TruncHour("created_at", tzinfo=now.tzinfo))
        .values_list("hour")
        .annotate(number=Count("pk"))
    )
    counts = dict(rows)
    hours = [first + timedelta(hours=number) for number in range(HOURS)]
    values = [counts.get(hour, 0) for hour in hours]
    chart = {
        "labels": [f"{timezone.localtime(hour):%H:%M}" for hour in hours],
        "datasets": [
            {
                "label": "pictures",
                "data": values,
                "backgroundColor": "var(--color-primary-600)",
                "borderRadius": 4,
                "barThickness": "flex",
                "barPercentage": 0.9,
                "categoryPercentage": 0.9,
                "displayYAxis": True,
                "maxTicksXLimit": 12,
            }
        ],
    }
    return {"chart": json.dumps(chart), "total": sum(values), "most": max(values)}


def _ago(moment: datetime | None, now: datetime) -> str:
    return f"{_since(moment, now)} ago" if moment else "never"


def _since(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    return f"{max(0, seconds):.0f} s" if seconds < 60 else str(timesince(moment, now, depth=1))


def _until(moment: datetime, now: datetime) -> str:
    return str(timesince(now, moment, depth=1))

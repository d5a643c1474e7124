"""A company's year in PostgreSQL: 100,000 sessions with 2,000,000 objects, 2,000 people.

Written by COPY, drawn from a seed, so that every run has the same rows. One owner has four fifths
of everything, a group of 500 people sees a tenth of it, the rest is spread thin; a fifth of all
sessions is shared.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection, models, transaction
from django.utils import timezone

from common.models import Account, AuditEntry, Job, Upload
from detector.models import DetectedObject, DetectionSession
from vision.weights.cards import COCO_CLASSES

DAYS = 365
BUSY_OWNER, READER, ADMINISTRATOR = "olga", "grace", "amir"
BIG_GROUP = "Everybody"
BUSY_SHARE = 0.8
SHARED = {True: 0.15, False: 0.40}  # of the busy owner's sessions, of everybody else's
MODELS = (
    ("yolov8n", "openvino", "bf16", 0.70, 9.0),
    ("yolov8n-seg", "openvino", "bf16", 0.22, 19.0),
    ("opencv-fallback", "opencv", "fp32", 0.08, 60.0),
)
STATES = (("", 0.30), ("done", 0.66), ("failed", 0.03), ("cancelled", 0.01))
UNANSWERED = ("failed", "cancelled")
PLACES = ("yard", "gate", "dock", "aisle", "street", "office", "park", "kitchen")


@dataclass(frozen=True)
class Size:
    """How much is written."""

    sessions: int = 100_000
    objects: int = 2_000_000
    people: int = 2_000
    audit_lines: int = 500_000


def fill(size: Size) -> None:
    """Write everything into an empty database."""
    random = np.random.default_rng(8)
    with transaction.atomic():
        people, groups = _write_people(size, random)
        _write_sessions(size, random, people, groups)
        _write_audit_log(size, random)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _write_people(size: Size, random: np.random.Generator) -> tuple[list[int], list[int]]:
    """People, their roles, and groups; the big group comes first."""
    users = get_user_model().objects
    special = {
        BUSY_OWNER: Account.Role.OPERATOR,
        READER: Account.Role.VIEWER,
        ADMINISTRATOR: Account.Role.ADMINISTRATOR,
    }
    names = [*special, *(f"person{number:04d}" for number in range(size.people - len(special)))]
    users.bulk_create(users.model(username=name, password="!") for name in names)
    users.filter(username=ADMINISTRATOR).update(is_staff=True, is_superuser=True)
    people = list(users.order_by("id").filter(username__in=names).values_list("id", flat=True))
    Account.objects.bulk_create(
        Account(user_id=pk, role=special.get(name, Account.Role.OPERATOR))
        for pk, name in zip(people, names, strict=True)
    )
    teams = [BIG_GROUP, *(f"Team {number}" for number in range(size.people - 1))]
    groups = [group.pk for group in Group.objects.bulk_create(Group(name=name) for name in teams)]
    members = {(pk, groups[0]) for pk in people[: max(3, size.people // 4)]}
    for group in groups[1:]:
        members |= {(int(pk), group) for pk in random.choice(people[3:], 4)}
    through = users.model.groups.through
    through.objects.bulk_create(
        through(user_id=user, group_id=group) for user, group in sorted(members)
    )
    return people, groups


def _write_sessions(
    size: Size, random: np.random.Generator, people: list[int], groups: list[int]
) -> None:
    count = size.sessions
    ids, uploads, jobs = (_uuids(count, random) for _ in range(3))
    moments = _moments(count, random)
    busy = random.random(count) < BUSY_SHARE
    owners = np.where(busy, people[0], random.choice(people[2:], count)).tolist()
    shared = random.random(count) < np.where(busy, SHARED[True], SHARED[False])
    teams = np.where(random.random(count) < 0.5, groups[0], random.choice(groups[1:], count))
    models_of = random.choice(len(MODELS), count, p=[row[3] for row in MODELS])
    states = random.choice([name for name, _ in STATES], count, p=[share for _, share in STATES])
    weights = random.gamma(2.0, size=count) * ~np.isin(states, UNANSWERED)
    counts = random.multinomial(size.objects, weights / weights.sum())
    found = _Objects(counts, random)

    copy_rows(
        Upload,
        (
            {
                "id": uploads[n],
                "owner_id": owners[n],
                "file": f"uploads/{n}.jpg",
                "thumbnail": f"thumbnails/{n}.jpg",
                "name": _name(n),
                "sha256": f"{n:064x}",
                "size": 200_000 + n,
                "media_type": "image/jpeg",
                "width": 1280,
                "height": 720,
                "created_at": moments[n],
            }
            for n in range(count)
        ),
    )
    copy_rows(
        Job,
        (
            {
                "id": jobs[n],
                "kind": "detector.detect",
                "owner_id": owners[n],
                "state": states[n],
                "progress": 1.0,
                "attempt": 1,
                "created_at": moments[n],
                "started_at": moments[n],
                "finished_at": moments[n],
            }
            for n in range(count)
            if states[n]
        ),
    )
    times = random.lognormal(0.0, 0.35, count)
    sessions = (
        _session_row(
            n,
            id=ids[n],
            owner_id=owners[n],
            shared_with_id=int(teams[n]) if shared[n] else None,
            upload_id=uploads[n],
            job_id=jobs[n] if states[n] else None,
            created_at=moments[n],
            state=states[n],
            model=MODELS[models_of[n]],
            slowness=times[n],
            found=found,
        )
        for n in range(count)
    )
    copy_rows(DetectionSession, sessions)
    _copy(
        DetectedObject,
        (
            *("session_id", "index", "class_id", "class_name", "confidence"),
            *("x", "y", "width", "height"),
        ),
        found.lines(ids),
    )


def _session_row(
    number: int,
    *,
    state: str,
    model: tuple[Any, ...],
    slowness: float,
    found: _Objects,
    **columns: Any,
) -> dict[str, Any]:
    name, backend, precision, _, milliseconds = model
    answered = state not in UNANSWERED
    total = round(float(milliseconds * slowness), 2)
    return {
        **columns,
        "name": _name(number),
        "task": "segment" if name.endswith("-seg") else "detect",
        "source": "api" if state == "" else "browser",
        "requested_model": "yolov8n" if name == "opencv-fallback" else name,
        "model": name if answered else "",
        "backend": backend if answered else "",
        "device": "cpu" if answered else "",
        "precision": precision if answered else "",
        "object_count": int(found.counts[number]) if answered else 0,
        "class_counts": found.class_counts(number) if answered else {},
        "timings_ms": {"inference": round(total * 0.7, 2), "total": total} if answered else {},
        "finished_at": columns["created_at"],
    }


class _Objects:
    """What is found in every picture: mostly a few classes, seldom one of the other seventy."""

    def __init__(self, counts: np.ndarray, random: np.random.Generator) -> None:
        total = int(counts.sum())
        frequency = 1.0 / np.arange(1, len(COCO_CLASSES) + 1)
        self.counts = counts
        self.ends = np.cumsum(counts)
        self.classes = random.choice(len(COCO_CLASSES), total, p=frequency / frequency.sum())
        strength = 0.25 + 0.72 * random.beta(1.6, 1.2, total)
        self.confidence = strength.astype(np.float32).astype(np.float64)
        self.boxes = random.integers(1, 640, (total, 4))

    def _span(self, number: int) -> tuple[int, int]:
        end = int(self.ends[number])
        return end - int(self.counts[number]), end

    def class_counts(self, number: int) -> dict[str, int]:
        start, end = self._span(number)
        found = np.bincount(self.classes[start:end], minlength=len(COCO_CLASSES))
        order = np.argsort(-found, kind="stable")
        return {COCO_CLASSES[at]: int(found[at]) for at in order if found[at]}

    def lines(self, ids: Sequence[str]) -> Iterator[str]:
        for number, session in enumerate(ids):
            start, end = self._span(number)
            order = start + np.argsort(-self.confidence[start:end], kind="stable")
            rows = zip(
                self.classes[order].tolist(),
                self.confidence[order].tolist(),
                self.boxes[order].tolist(),
                strict=True,
            )
            yield "".join(
                f"{session}\t{index}\t{kind}\t{COCO_CLASSES[kind]}\t{confidence!r}\t"
                f"{x}\t{y}\t{width}\t{height}\n"
                for index, (kind, confidence, (x, y, width, height)) in enumerate(rows)
            )


def _write_audit_log(size: Size, random: np.random.Generator) -> None:
    actions = random.choice(AuditEntry.Action.values, size.audit_lines)
    actors = random.integers(0, size.people, size.audit_lines)
    moments = _moments(size.audit_lines, random)
    copy_rows(
        AuditEntry,
        (
            {
                "at": moments[n],
                "action": actions[n],
                "actor_id": int(actors[n]),
                "actor_name": f"person{actors[n]:04d}",
                "object_type": "session",
                "object_id": str(n),
                "object_name": _name(n),
                "address": "192.0.2.1",
                "via": "browser",
            }
            for n in range(size.audit_lines)
        ),
    )


def copy_rows(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows by COPY; a column that a row does not name gets its field's default."""
    fields = [
        field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)
    ]
    standard = {field.column: _text(field.get_default()) for field in fields}
    columns = list(standard)
    lines = (
        "\t".join(_text(row[name]) if name in row else standard[name] for name in columns) + "\n"
        for row in rows
    )
    _copy(model, columns, lines)


def _copy(model: type[models.Model], columns: Sequence[str], lines: Iterable[str]) -> None:
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for line in lines:
            copy.write(line)


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _moments(count: int, random: np.random.Generator) -> list[dt.datetime]:
    """Moments of the last year, the oldest first; nights and the last minute are quieter."""
    now = timezone.now()
    days = np.sort(random.integers(1, DAYS, count))
    hours = np.clip(random.normal(13, 4, count), 0, 23.99)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return sorted(
        midnight - dt.timedelta(days=DAYS - float(day)) + dt.timedelta(hours=float(hour))
        for day, hour in zip(days, hours, strict=True)
    )


def _uuids(count: int, random: np.random.Generator) -> list[str]:
    return [str(uuid.UUID(bytes=random.bytes(16), version=4)) for _ in range(count)]


def _name(number: int) -> str:
    return f"{PLACES[number % len(PLACES)]} {number:06d}.jpg"

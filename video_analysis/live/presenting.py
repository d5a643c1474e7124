"""The shapes of events and of figures, one for REST and the sockets."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from video_analysis.cameras.models import Camera
from video_analysis.live.reasons import public_reason
from video_analysis.models import CameraEvent, CameraState

RATES = ("in", "processed", "gated", "dropped")
AGES = ("p50", "p95", "newest")
STAGES = ("decode", "wait", "gate", "detect", "track", "events", "encode", "total")
# Figures are written every two seconds: without any for so long, nobody looks at the camera.
STALE_SECONDS = 10.0

Kind = CameraEvent.Kind


# ---------------------------------------------------------------- events
def event_facts(event: CameraEvent) -> dict[str, Any]:
    """One event in the shape of the API; camera with area, zone and line should be loaded."""
    camera = event.camera
    return {
        "id": str(event.pk),
        "sequence": event.sequence,
        "kind": event.kind,
        "camera": {"id": camera.pk, "name": camera.name},
        "area": camera.area.name if camera.area is not None else None,
        "zone": _named(event.zone),
        "line": _named(event.line),
        "place": event.place,
        "direction": event.direction,
        "label": event.label,
        "track": event.track_number,
        "start": moment(event.start),
        "end": moment(event.end),
        "ongoing": event.end is None,
        "value": event.value,
        "confidence": event.confidence,
        "box": event.box,
        "snapshot": snapshot_address(event),
        "sentence": sentence_of(event),
    }


def snapshot_address(event: CameraEvent) -> str | None:
    """Where its picture is; None where there is none."""
    return reverse("live-api:event-snapshot", args=[event.pk]) if event.picture else None


def sentence_of(event: CameraEvent) -> str:
    """What happened, in words."""
    return _SENTENCES[Kind(event.kind)](event)


def moment(at: dt.datetime | None) -> str | None:
    """A moment as JSON carries it: ISO 8601 in UTC, to the millisecond."""
    if at is None:
        return None
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """A duration as people say it: "42 s", "3 min 5 s", "2 h 10 min"."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _who(event: CameraEvent) -> str:
    name = (event.label or "object").replace("_", " ")
    name = name[:1].upper() + name[1:]
    return name if event.track_number is None else f"{name} {event.track_number}"


def _where(event: CameraEvent) -> str:
    return event.place or event.camera.name


def _entry(event: CameraEvent) -> str:
    return f"{_who(event)} entered {_where(event)}"


def _exit(event: CameraEvent) -> str:
    return f"{_who(event)} left {_where(event)}"


def _dwell(event: CameraEvent) -> str:
    stayed = "stayed" if event.end is not None else "has stayed"
    return f"{_who(event)} {stayed} {duration(event.value or 0)} at {_where(event)}"


def _crossing(event: CameraEvent) -> str:
    direction = f" ({event.direction})" if event.direction else ""
    return f"{_who(event)} crossed {_where(event)}{direction}"


def _occupancy(event: CameraEvent) -> str:
    so_far = "" if event.end is not None else " so far"
    return f"{round(event.value or 0)} at most in {_where(event)}{so_far}"


_SENTENCES = {
    Kind.ENTRY: _entry,
    Kind.EXIT: _exit,
    Kind.DWELL: _dwell,
    Kind.CROSSING: _crossing,
    Kind.OCCUPANCY: _occupancy,
}


def _named(row: Any) -> dict[str, Any] | None:
    return None if row is None else {"id": row.pk, "name": row.name}


# ---------------------------------------------------------------- figures
def camera_facts(camera: Camera, now: dt.datetime, *, in_full: bool) -> dict[str, Any]:
    """How one camera is; its state should be loaded.

    What nobody has measured is 0, and what was measured too long ago is ``stale``.

    Args:
        camera: The caller has judged the permission.
        now: What ages are measured by.
        in_full: Whether the reason names addresses and files: for administrators only.
    """
    facts = _camera_facts(camera, now)
    return facts if in_full else without_addresses(facts)


def without_addresses(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a camera for those who only watch it: its reason names no host and no file."""
    return {**facts, "reason": public_reason(facts["code"]) if facts["reason"] else ""}


def _camera_facts(camera: Camera, now: dt.datetime) -> dict[str, Any]:
    state: CameraState | None = getattr(camera, "state", None)
    # A row that does not exist yet says what a new one would.
    state = state or CameraState(camera=camera, since=camera.created_at)
    figures: Mapping[str, Any] = state.figures if isinstance(state.figures, dict) else {}
    return {
        "id": camera.pk,
        "name": camera.name,
        "state": state.state,
        "code": state.code,
        "reason": state.reason,
        "since": moment(state.since),
        "codec": state.codec,
        "width": state.width,
        "height": state.height,
        "fps": _numbers(figures, "fps", RATES),
        "age_ms": _numbers(figures, "age_ms", AGES),
        "ms": _numbers(figures, "ms", STAGES),
        "counts": _counts(figures.get("counts")),
        "tracks": int(_number(figures.get("tracks"))),
        "occupancy": _counts(figures.get("occupancy")),
        "model": str(figures.get("model") or ""),
        "notice": str(figures.get("reason") or ""),
        "stale": _is_stale(state, now),
    }


def stats_of(cameras: Sequence[dict[str, Any]], *, at: dt.datetime) -> dict[str, Any]:
    """Figures of some cameras and of all of them together; see ``camera_facts``."""
    fresh = [facts for facts in cameras if not facts["stale"]]
    models = Counter(facts["model"] for facts in fresh if facts["model"])
    return {
        "at": moment(at),
        "cameras": list(cameras),
        "global": {
            "cameras": len(cameras),
            "live": sum(facts["state"] == CameraState.State.LIVE for facts in fresh),
            "fps": {name: _total(fresh, name) for name in RATES},
            "age_ms": {"p95": max((facts["age_ms"]["p95"] for facts in fresh), default=0.0)},
            "ms": {name: _mean(fresh, name) for name in STAGES},
            "counts": _sum_of_counts(fresh),
        },
        "model": models.most_common(1)[0][0] if models else "",
    }


def _is_stale(state: CameraState, now: dt.datetime) -> bool:
    return state.updated_at is None or (now - state.updated_at).total_seconds() > STALE_SECONDS


def _numbers(figures: Mapping[str, Any], name: str, parts: Sequence[str]) -> dict[str, float]:
    found = figures.get(name)
    found = found if isinstance(found, dict) else {}
    return {part: _number(found.get(part)) for part in parts}


def _number(value: Any) -> float:
    return round(float(value), 4) if isinstance(value, float | int) else 0.0


def _counts(value: Any) -> dict[str, int]:
    return (
        {str(key): int(_number(n)) for key, n in value.items()} if isinstance(value, dict) else {}
    )


def _total(cameras: Sequence[dict[str, Any]], name: str) -> float:
    total: float = sum(facts["fps"][name] for facts in cameras)
    return round(total, 2)


def _mean(cameras: Sequence[dict[str, Any]], stage: str) -> float:
    """The mean over processed frames: a camera counts as often as it processes some."""
    frames: float = sum(facts["fps"]["processed"] for facts in cameras)
    spent: float = sum(facts["ms"][stage] * facts["fps"]["processed"] for facts in cameras)
    return round(spent / frames, 2) if frames else 0.0


def _sum_of_counts(cameras: Sequence[dict[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for facts in cameras:
        total.update(facts["counts"])
    return dict(sorted(total.items()))

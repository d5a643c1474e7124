"""Writing what cameras have seen: each call is one short transaction that may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.models import (
    CameraChunk,
    CameraEvent,
    CameraState,
    CameraTrack,
    EventSequence,
)
from video_analysis.services.live.changes import (
    Change,
    ClosedEvents,
    EventChange,
    StateRow,
    TrackBatch,
)
from video_analysis.services.live.keeping import EventPictures

ROWS = 200
WRITTEN = (
    *("kind", "camera_id", "zone_id", "line_id", "place", "direction", "label", "track"),
    *("track_number", "start", "end", "value", "confidence", "box"),
)
CHANGING = ("sequence", "end", "value", "confidence", "box", "picture")
STATE_FIELDS = (
    *("state", "since", "code", "reason", "codec", "width", "height", "figures", "updated_at"),
)
MayWrite = Callable[[int, float], bool]
"""Takes a camera that is not ours any more and when something was noticed there; says whether it
was ours then."""


def store_changes(
    changes: Sequence[Change], *, runner: str, may_write: MayWrite, pictures: EventPictures
) -> int | None:
    """Write changes in their order; what they say already is left as it is.

    Changes of cameras that are gone are dropped, and those that were noticed when the camera was
    another runner's.

    Args:
        changes: Of any cameras.
        runner: Who has noticed them.
        may_write: See `MayWrite`.
        pictures: Stores those of events.

    Returns:
        The highest event number, or None when no event has changed.

    Raises:
        django.db.Error: Nothing was written.
    """
    pictures.store([change for change in changes if isinstance(change, EventChange)])
    with transaction.atomic():
        known = _Known(changes, runner, may_write)
        number = None
        for kind, group in _runs(changes):
            if kind is EventChange:
                number = _store_events([item for item in group if known.has(item)], known) or number
            elif kind is ClosedEvents:
                ours = [item for item in group if known.is_ours(item.camera_id)]
                number = _close_events(ours) or number
            elif kind is TrackBatch:
                _store_tracks([item for item in group if known.has(item)])
            else:
                _release([item.camera_id for item in group], runner)
        unused = [change for change in changes if isinstance(change, EventChange)]
        unused = [change for change in unused if change.picture and not known.has(change)]
    for change in unused:
        pictures.drop(change.picture)
    return number


def store_states(rows: Sequence[StateRow], *, runner: str) -> None:
    """Write how cameras go, those that are still ours.

    Raises:
        django.db.Error: Nothing was written.
    """
    states = [CameraState(camera_id=row.camera_id, **row.fields) for row in rows]
    ours = CameraState.objects.filter(runner=runner)
    if states:
        ours.bulk_update(states, STATE_FIELDS, batch_size=ROWS)


class _Known:
    """Which cameras, zones and lines are still there, and which cameras are ours."""

    def __init__(self, changes: Sequence[Change], runner: str, may_write: MayWrite) -> None:
        cameras = {change.camera_id for change in changes}
        self._may_write = may_write
        self._cameras = _existing(Camera, cameras)
        ours = CameraState.objects.filter(camera_id__in=cameras, runner=runner)
        self._ours = set(ours.values_list("camera_id", flat=True))
        events = [change for change in changes if isinstance(change, EventChange)]
        self.zones = _existing(Zone, {event.zone_id for event in events})
        self.lines = _existing(CountingLine, {event.line_id for event in events})

    def is_ours(self, camera: int) -> bool:
        """Tell whether a camera is ours now."""
        return camera in self._ours

    def has(self, change: EventChange | TrackBatch) -> bool:
        """Tell whether a change is to be written."""
        camera = change.camera_id
        if camera not in self._cameras:
            return False
        return camera in self._ours or self._may_write(camera, change.noticed)


def _existing(model: type[Model], ids: Collection[int | None]) -> set[int]:
    wanted = {number for number in ids if number is not None}
    if not wanted:
        return set()
    return set(model._default_manager.filter(pk__in=wanted).values_list("pk", flat=True))


def _runs(changes: Sequence[Change]) -> list[tuple[type, list[Any]]]:
    """Return changes of one kind that follow each other as groups."""
    runs: list[tuple[type, list[Any]]] = []
    for change in changes:
        if runs and runs[-1][0] is type(change):
            runs[-1][1].append(change)
        else:
            runs.append((type(change), [change]))
    return runs


def _store_events(changes: Sequence[EventChange], known: _Known) -> int | None:
    newest: dict[UUID, EventChange] = {}
    pictures: dict[UUID, str] = {}
    for change in changes:
        newest.pop(change.id, None)  # at the place of its last change
        newest[change.id] = change
        if change.picture:
            pictures[change.id] = change.picture
    if not newest:
        return None
    last = _take_numbers(len(newest))
    there = CameraEvent.objects.in_bulk(list(newest))
    made: list[CameraEvent] = []
    changed: list[CameraEvent] = []
    for number, change in enumerate(newest.values(), last - len(newest) + 1):
        row = _event_row(change, known)
        before = there.get(change.id)
        row.sequence = number
        row.end = _end_of(change, before, known)
        row.picture = pictures.get(change.id) or (before.picture.name if before else "")
        (made if before is None else changed).append(row)
    CameraEvent.objects.bulk_create(made, batch_size=ROWS)
    if changed:
        CameraEvent.objects.bulk_update(changed, CHANGING, batch_size=ROWS)
    return last


def _end_of(change: EventChange, before: CameraEvent | None, known: _Known) -> datetime | None:
    """Return when an event ended: what has ended does not go on again.

    Nobody ends the open events of a camera that we have lost but whoever took it, and that may
    have happened already.
    """
    end = change.end or (before.end if before is not None else None)
    if end is None and not known.is_ours(change.camera_id):
        ago = timedelta(seconds=time.monotonic() - change.noticed)
        end = max(change.start, timezone.now() - ago)
    return end


def _event_row(change: EventChange, known: _Known) -> CameraEvent:
    row = CameraEvent(pk=change.id, **{name: getattr(change, name) for name in WRITTEN})
    # An event outlives its zone and its line.
    row.zone_id = change.zone_id if change.zone_id in known.zones else None
    row.line_id = change.line_id if change.line_id in known.lines else None
    return row


def _close_events(closings: Sequence[ClosedEvents]) -> int | None:
    ends: dict[int, datetime] = {}
    for closing in closings:
        ends.setdefault(closing.camera_id, closing.at)
    rows = list(CameraEvent.objects.filter(camera_id__in=ends, end=None).order_by("start", "pk"))
    if not rows:
        return None
    last = _take_numbers(len(rows))
    for number, row in enumerate(rows, last - len(rows) + 1):
        row.sequence = number
        row.end = max(row.start, ends[row.camera_id])
    CameraEvent.objects.bulk_update(rows, ("sequence", "end"), batch_size=ROWS)
    return last


def _take_numbers(count: int) -> int:
    """Raise the one counter, whose row is ours until the transaction ends; return its value."""
    row = EventSequence.objects.filter(pk=1)
    if not row.update(value=F("value") + count):
        EventSequence.objects.get_or_create(pk=1)
        row.update(value=F("value") + count)
    return int(row.values_list("value", flat=True).get())


def _store_tracks(batches: Sequence[TrackBatch]) -> None:
    for batch in batches:
        first = batch.tracks[0].id
        if CameraTrack.objects.filter(pk=first).exists():  # written before the connection broke
            continue
        chunk = CameraChunk.objects.create(
            camera_id=batch.camera_id,
            start=batch.start,
            end=batch.end,
            width=batch.width,
            height=batch.height,
            points=batch.points,
            data=batch.data,
        )
        CameraTrack.objects.bulk_create(
            [
                CameraTrack(
                    id=track.id,
                    camera_id=batch.camera_id,
                    chunk=chunk,
                    position=position,
                    number=track.number,
                    class_name=track.class_name,
                    start=track.start,
                    end=track.end,
                    points=track.points,
                    confidence=track.confidence,
                )
                for position, track in enumerate(batch.tracks)
            ],
            batch_size=ROWS,
        )


def _release(cameras: Sequence[int], runner: str) -> None:
    CameraState.objects.filter(camera_id__in=cameras, runner=runner).update(
        runner="",
        lease_expires_at=None,
        state=CameraState.State.WAITING,
        since=timezone.now(),
        code="",
        reason="",
    )

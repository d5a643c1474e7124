"""Zones and counting lines of a camera: singly, and all at once as the editor saves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from django.db import transaction

from video_analysis.cameras.errors import ConfigurationError, GoneError
from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.cameras.services import drawing
from video_analysis.cameras.services.noting import (
    announce,
    hold,
    note,
    note_deleted,
    raise_revision,
)

Region: TypeAlias = Zone | CountingLine
RegionT = TypeVar("RegionT", Zone, CountingLine)
Spec: TypeAlias = Mapping[str, Any]
MOST: Final = 50
"""Zones, and lines, of one camera."""


def create_zone(
    *, actor: Any, camera: Camera, name: str, polygon: Any, threshold_sec: float = 10.0
) -> Zone:
    """Add a zone.

    Args:
        actor: Who draws it.
        camera: In whose picture it lies.
        name: Unlike every other zone's of the camera.
        polygon: [[x, y], …], 3 corners and more, 0..1 from the upper left corner.
        threshold_sec: Who stays so many seconds has dwelt.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
        GoneError: The camera was deleted.
    """
    zone = Zone(camera=camera)
    values = {"name": name, "polygon": polygon, "threshold_sec": threshold_sec}
    return _save_one(actor, zone, values, "zone added")


def update_zone(*, actor: Any, zone: Zone, **changes: Any) -> Zone:
    """Change ``name``, ``polygon`` or ``threshold_sec``; errors as those of `create_zone`."""
    return _save_one(actor, zone, changes, "zone changed")


def delete_zone(*, actor: Any, zone: Zone) -> None:
    """Delete a zone; what happened in it stays recorded."""
    _delete_one(actor, zone)


def create_line(
    *,
    actor: Any,
    camera: Camera,
    name: str,
    points: Any,
    forward: str = "in",
    backward: str = "out",
) -> CountingLine:
    """Add a counting line.

    Args:
        actor: Who draws it.
        camera: In whose picture it lies.
        name: Unlike every other line's of the camera.
        points: [[x, y], [x, y]], 0..1 from the upper left corner.
        forward: What crossing from the left to the right side is called, seen from the first
            point to the second.
        backward: What the other direction is called.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
        GoneError: The camera was deleted.
    """
    line = CountingLine(camera=camera)
    values = {"name": name, "points": points, "forward": forward, "backward": backward}
    return _save_one(actor, line, values, "line added")


def update_line(*, actor: Any, line: CountingLine, **changes: Any) -> CountingLine:
    """Change ``name``, ``points``, ``forward`` or ``backward``; errors as of `create_line`."""
    return _save_one(actor, line, changes, "line changed")


def delete_line(*, actor: Any, line: CountingLine) -> None:
    """Delete a line; who crossed it stays recorded."""
    _delete_one(actor, line)


def replace_regions(
    *,
    actor: Any,
    camera: Camera,
    zones: Sequence[Spec] | None = None,
    lines: Sequence[Spec] | None = None,
    revision: int | None = None,
) -> Camera:
    """Set all zones and all lines of a camera; return it with its new revision.

    Args:
        actor: Who draws.
        camera: Whose.
        zones: Of each ``name``, ``polygon``, ``threshold_sec``, and ``id`` where it is there
            already; without one, the zone of that name is meant. What keeps its id keeps its
            history. None leaves all zones as they are.
        lines: The same with ``name``, ``points``, ``forward``, ``backward``.
        revision: Of the camera that the caller has started from; None sets them in any case.

    Raises:
        ConfigurationError: ``fields`` are named ``zones.0.polygon``, ``lines.2.name``, ….
        ChangedMeanwhileError: The camera has another revision by now.
        GoneError: The camera was deleted.
    """
    with transaction.atomic():
        held, anything = replace(
            actor=actor, camera=camera, zones=zones, lines=lines, revision=revision
        )
        if anything:
            announce()
    return held


def replace(
    *,
    actor: Any,
    camera: Camera,
    zones: Sequence[Spec] | None = None,
    lines: Sequence[Spec] | None = None,
    revision: int | None = None,
) -> tuple[Camera, bool]:
    """Do that in the caller's transaction; return whether anything is different, too."""
    held = hold(camera, revision)
    plans, fields = [], dict[str, str]()
    for part, specs, rows in (
        ("zones", zones, Zone.objects.filter(camera=held)),
        ("lines", lines, CountingLine.objects.filter(camera=held)),
    ):
        if specs is None:
            continue
        if len(specs) > MOST:
            fields[part] = f"A camera has at most {MOST} {part}."
            continue
        plan = drawing.plan(part, list(specs), list(rows.order_by("pk")), held)
        fields |= plan.fields
        plans.append(plan)
    if fields:
        raise ConfigurationError(fields)
    details: dict[str, Any] = {}
    for plan in plans:
        details |= plan.carry_out()
    if details:
        raise_revision(held)
        note(actor=actor, obj=held, change="drawn", details=details)
    return held, bool(details)


def _save_one(actor: Any, row: RegionT, values: Spec, what: str) -> RegionT:
    with transaction.atomic():
        held = hold(row.camera)
        row = _current(row, held)
        before = drawing.values_of(row) if row.pk is not None else None
        fields = drawing.set_values(row, values)
        others = type(row).objects.filter(camera=held).exclude(pk=row.pk)
        if "name" not in fields and others.filter(name=row.name).exists():
            fields["name"] = drawing.TAKEN
        if fields:
            raise ConfigurationError(fields)
        if drawing.values_of(row) != before:
            row.save()
            raise_revision(held)
            note(actor=actor, obj=held, change=what, details={"name": row.name})
            announce()
    return row


def _current(row: RegionT, held: Camera) -> RegionT:
    """Return a row as it is now, or the one that is not stored yet."""
    model = type(row)
    if row.pk is not None:
        found = model.objects.filter(pk=row.pk, camera=held).first()
        if found is None:
            raise GoneError("zone or line")
        row = found
    elif model.objects.filter(camera=held).count() >= MOST:
        raise ConfigurationError({"name": f"A camera has at most {MOST} of these."})
    row.camera = held
    return row


def _delete_one(actor: Any, row: Region) -> None:
    with transaction.atomic():
        held = hold(row.camera)
        found = type(row).objects.filter(pk=row.pk).first()
        if found is not None:
            note_deleted(actor=actor, obj=found, details={"camera": held.name})
            found.delete()
            raise_revision(held)
            announce()

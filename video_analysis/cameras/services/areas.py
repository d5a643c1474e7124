"""Areas: made, changed, deleted."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from video_analysis.cameras.errors import ConfigurationError, GoneError
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.services.checking import clean_name, judge_row, raise_for
from video_analysis.cameras.services.noting import announce, differences, note, note_deleted

TAKEN: Final = "There is an area of this name already."

FACE_SETTINGS: Final = (
    "recognise",
    "consent_required",
    "group_unknown",
    "mood",
    "absence_minutes",
)
"""Fields of an area that say what may be done with faces there."""


def create_area(*, actor: Any, name: str, **settings: Any) -> Area:
    """Add an area.

    Args:
        actor: Who adds it.
        name: Of at most 100 characters, unlike every other area's.
        **settings: Of `FACE_SETTINGS`; what is left out has the model's default.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
    """
    with transaction.atomic():
        area = add(actor=actor, name=name, **settings)
        announce()
    return area


def update_area(*, actor: Any, area: Area, **changes: Any) -> Area:
    """Change an area and return it as it is then; what is left out stays as it was.

    Args:
        actor: Who changes it.
        area: Which one.
        **changes: Of `FACE_SETTINGS`, and ``name``.

    Raises:
        ConfigurationError: With a sentence for every field that is wrong.
        GoneError: It was deleted.
    """
    with transaction.atomic():
        held, changed = change(actor=actor, area=area, **changes)
        if changed:
            announce()
    return held


def rename_area(*, actor: Any, area: Area, name: str) -> Area:
    """Give an area another name; see `update_area`."""
    return update_area(actor=actor, area=area, name=name)


def add(*, actor: Any, name: str, **settings: Any) -> Area:
    """Add an area in the caller's transaction and tell nobody; see `create_area`."""
    _known(settings)
    area = Area(name=clean_name(name), **settings)
    raise_for(judge_row(area, ["name", *settings]))
    try:
        with transaction.atomic():
            area.save(force_insert=True)
            usual, values = _values(Area(name=area.name)), _values(area)
            unusual = {name: value for name, value in values.items() if value != usual[name]}
            note(actor=actor, obj=area, change="created", details=unusual)
    except IntegrityError:
        raise ConfigurationError({"name": TAKEN}) from None
    return area


def change(*, actor: Any, area: Area, **changes: Any) -> tuple[Area, list[str]]:
    """Change an area in the caller's transaction; return it and the names of what is different.

    See `update_area`. What may be done with faces is a matter of its cameras: their revisions
    grow with it, so that whoever looks at them takes it on.
    """
    _known(set(changes) - {"name"})
    held = _hold(area)
    before = _values(held)
    for name, value in changes.items():
        setattr(held, name, clean_name(value) if name == "name" else value)
    raise_for(judge_row(held, list(changes)))
    after = _values(held)
    changed = [name for name in before if after[name] != before[name]]
    if not changed:
        return held, []
    try:
        with transaction.atomic():
            held.save(update_fields=changed)
    except IntegrityError:
        raise ConfigurationError({"name": TAKEN}) from None
    if changed == ["name"]:
        note(actor=actor, obj=held, change="renamed", details={"before": before["name"]})
    else:
        Camera.objects.filter(area=held).update(revision=F("revision") + 1)
        details = differences(before, after, changed)
        note(actor=actor, obj=held, change="changed", details=details)
    return held, changed


def _known(names: Any) -> None:
    unknown = sorted(set(names) - set(FACE_SETTINGS))
    if unknown:
        raise TypeError(f"an area has no {', '.join(unknown)} to be set")


def _values(area: Area) -> dict[str, Any]:
    return {name: getattr(area, name) for name in ("name", *FACE_SETTINGS)}


def delete_area(*, actor: Any, area: Area) -> None:
    """Delete an area; its cameras stay, without one."""
    with transaction.atomic():
        held = Area.objects.select_for_update().filter(pk=area.pk).first()
        if held is not None:
            note_deleted(actor=actor, obj=held)
            held.delete()
            announce()


def _hold(area: Area) -> Area:
    held = Area.objects.select_for_update().filter(pk=area.pk).first()
    if held is None:
        raise GoneError("area")
    return held

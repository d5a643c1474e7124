"""Areas: made, renamed, deleted."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from video_analysis.cameras.errors import ConfigurationError, GoneError
from video_analysis.cameras.models import Area
from video_analysis.cameras.services.checking import clean_name, judge_row, raise_for
from video_analysis.cameras.services.noting import announce, note, note_deleted

TAKEN = "There is an area of this name already."


def create_area(*, actor: Any, name: str) -> Area:
    """Add an area.

    Raises:
        ConfigurationError: The name is empty, too long or taken.
    """
    with transaction.atomic():
        area = add(actor=actor, name=name)
        announce()
    return area


def add(*, actor: Any, name: str) -> Area:
    """Add an area in the caller's transaction and tell nobody; see `create_area`."""
    area = Area(name=clean_name(name))
    raise_for(judge_row(area, ["name"]))
    try:
        with transaction.atomic():
            area.save(force_insert=True)
            note(actor=actor, obj=area, change="created")
    except IntegrityError:
        raise ConfigurationError({"name": TAKEN}) from None
    return area


def rename_area(*, actor: Any, area: Area, name: str) -> Area:
    """Give an area another name.

    Raises:
        ConfigurationError: The name is empty, too long or taken.
        GoneError: It was deleted.
    """
    try:
        with transaction.atomic():
            held = _hold(area)
            before, held.name = held.name, clean_name(name)
            if held.name != before:
                raise_for(judge_row(held, ["name"]))
                held.save(update_fields=["name"])
                note(actor=actor, obj=held, change="renamed", details={"before": before})
                announce()
    except IntegrityError:
        raise ConfigurationError({"name": TAKEN}) from None
    return held


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

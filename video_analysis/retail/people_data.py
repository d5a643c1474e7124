"""Visits of people: for erasing, counting and exporting them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from common.people import ExportWriter, PersonData, register_person_data
from video_analysis.retail.models import Visit

FIELDS = (
    *("id", "entry", "last_seen", "exit", "waiting_seconds", "interactions"),
    *("last_interaction_at", "sightings", "mood"),
)


def _erase(person: UUID) -> Mapping[str, int]:
    return {"visits": Visit.objects.filter(profile=person).delete()[0]}


def _remaining(person: UUID) -> Mapping[str, int]:
    return {"visits": Visit.objects.filter(profile=person).count()}


def _export(person: UUID, writer: ExportWriter) -> None:
    rows = Visit.objects.filter(profile=person).select_related("area")
    writer.add_rows(
        "visits",
        [{name: getattr(row, name) for name in FIELDS} | {"area": row.area.name} for row in rows],
    )


register_person_data(
    PersonData(
        name="visits",
        models=("retail.visit",),
        erase=_erase,
        remaining=_remaining,
        export=_export,
        order=15,
    )
)

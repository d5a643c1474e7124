"""Cameras as a document: taken in as a difference, all of it or nothing, and given out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.auth.models import Group
from django.db import transaction

from common.audit.models import AuditEntry
from common.audit.services import record
from video_analysis.cameras.documents.judging import judge, raise_problems
from video_analysis.cameras.documents.lines import Located, path_text
from video_analysis.cameras.documents.writing import write
from video_analysis.cameras.errors import ConfigurationError, Problem
from video_analysis.cameras.models import Area, Camera
from video_analysis.cameras.selectors import all_cameras
from video_analysis.cameras.services import areas, cameras, drawing, regions
from video_analysis.cameras.services.areas import FACE_SETTINGS
from video_analysis.cameras.services.checking import SETTINGS, clean_name
from video_analysis.cameras.services.noting import announce

# What a document calls a field, where it is not the field's own name.
KEYS: Final[Mapping[str, str]] = {"address": "inputs", "forget_credentials": "password"}
PARTS: Final = ("zones", "lines")
_GIVEN: Final = ("inputs", "area", "groups", "username", "password", *SETTINGS)


@dataclass
class ImportReport:
    """What an import has done, or would do.

    Attributes:
        dry_run: Whether nothing was written.
        created: Names of cameras that are new.
        changed: What is different, by the name of the camera.
        unchanged: Names of cameras that are as the document says already.
        areas: Names of areas that are new.
        changed_areas: What is different, by the name of the area.
    """

    dry_run: bool
    created: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    changed_areas: dict[str, list[str]] = field(default_factory=dict)

    @property
    def anything(self) -> bool:
        """Whether anything is written at all."""
        return bool(self.created or self.changed or self.areas or self.changed_areas)


def import_cameras(*, actor: Any, text: str | bytes, dry_run: bool = False) -> ImportReport:
    """Add and change cameras as a YAML document says; see docs/cameras.md.

    Cameras are found by their names. What the document does not say stays as it is, and cameras
    that it does not name stay.

    Args:
        actor: Who imports.
        text: The document.
        dry_run: Only tell what would be done.

    Raises:
        DocumentError: With every mistake and its line, up to 20; nothing was written.
    """
    found = judge(text)
    with transaction.atomic():
        work = _Import(actor, found, ImportReport(dry_run=dry_run))
        work.run()
        if dry_run:
            # It was all done, so that what is told is true; now it never was.
            transaction.set_rollback(True)
        elif work.report.anything:
            announce()
    return work.report


def export_cameras(*, actor: Any, cameras: Iterable[Camera]) -> str:
    """Return cameras as a YAML document, which `import_cameras` takes; without credentials.

    Args:
        actor: Who exports.
        cameras: With their zones, lines and groups prefetched, as `selectors.list_cameras` does.
    """
    listed = list(cameras)
    details = {"cameras": [camera.name for camera in listed][:100], "count": len(listed)}
    record(action=AuditEntry.Action.EXPORTED, actor=actor, details={"what": "cameras", **details})
    named = {camera.area.name: camera.area for camera in listed if camera.area}
    return write(
        (describe(camera) for camera in listed),
        (describe_area(named[name]) for name in sorted(named)),
    )


def describe_area(area: Area) -> dict[str, Any]:
    """Return an area as the document describes it."""
    return {"name": area.name, **{name: getattr(area, name) for name in FACE_SETTINGS}}


def describe(camera: Camera) -> dict[str, Any]:
    """Return a camera as the document describes it, without credentials."""
    described: dict[str, Any] = {
        "name": camera.name,
        "area": camera.area.name if camera.area else None,
        "inputs": camera.address,
        "groups": sorted(group.name for group in camera.groups.all()),
    }
    described |= {name: getattr(camera, name) for name in SETTINGS}
    for part in PARTS:
        described[part] = [drawing.values_of(row) for row in getattr(camera, part).all()]
    return described


def _is_so(camera: Camera, entry: Mapping[str, Any]) -> bool:
    """Tell, without asking the database, whether a camera is as a document says already."""
    if "username" in entry or "password" in entry:
        return False
    wanted = dict(entry)
    if isinstance(wanted["inputs"], list):
        (wanted["inputs"],) = wanted["inputs"]
    if "groups" in wanted:
        wanted["groups"] = sorted(wanted["groups"])
    for part in PARTS:
        if part in wanted:
            wanted[part] = [drawing.with_defaults(part, spec) for spec in wanted[part]]
    return {**describe(camera), **wanted} == describe(camera)


class _Import:
    """One import within its transaction."""

    def __init__(self, actor: Any, found: Located, report: ImportReport) -> None:
        self.actor = actor
        self.found = found
        self.report = report
        self.problems: list[Problem] = []
        self.areas = {area.name: area for area in Area.objects.all()}
        self.groups = {group.name: group for group in Group.objects.all()}
        self.there: dict[str, Camera] = {}

    def run(self) -> None:
        """Do all of it, or raise with all that is wrong."""
        for number, entry in enumerate(self.found.value.get("areas", ())):
            try:
                with transaction.atomic():
                    self._take_area(entry)
            except ConfigurationError as error:
                self._note("areas", number, error)
        # Read now: a change of an area is one of its cameras.
        self.there = {camera.name: camera for camera in all_cameras()}
        for number, entry in enumerate(self.found.value["cameras"]):
            there = self.there.get(clean_name(entry["name"]))
            if there is not None and _is_so(there, entry):
                self.report.unchanged.append(there.name)
                continue
            try:
                with transaction.atomic():
                    self._take(entry)
            except ConfigurationError as error:
                self._note("cameras", number, error)
        raise_problems(self.problems)

    def _take_area(self, entry: Mapping[str, Any]) -> None:
        """Add or change one area."""
        name = clean_name(entry["name"])
        given = {key: entry[key] for key in FACE_SETTINGS if key in entry}
        there = self.areas.get(name)
        if there is None:
            self.areas[name] = areas.add(actor=self.actor, name=name, **given)
            self.report.areas.append(name)
            return
        self.areas[name], changed = areas.change(actor=self.actor, area=there, **given)
        if changed:
            self.report.changed_areas[name] = changed

    def _take(self, entry: Mapping[str, Any]) -> None:
        """Add or change one camera; raise with all that is wrong with it, drawings included."""
        fields: dict[str, str] = {}
        values = self._values(entry, fields)
        camera: Camera | None = None
        try:
            camera = self._store(clean_name(entry["name"]), values)
        except ConfigurationError as error:
            fields |= error.fields
        drawn = {part: entry.get(part) for part in PARTS}
        if fields or camera is None:
            for part, specs in drawn.items():
                fields |= drawing.plan(part, specs or [], [], Camera()).fields
            raise ConfigurationError(fields)
        regions.replace(actor=self.actor, camera=camera, **drawn)
        self._report(camera)

    def _store(self, name: str, values: dict[str, Any]) -> Camera:
        there = self.there.get(name)
        if there is None:
            return cameras.add(actor=self.actor, name=name, **values)
        return cameras.change(actor=self.actor, camera=there, **values)[0]

    def _report(self, camera: Camera) -> None:
        there = self.there.get(camera.name)
        if there is None:
            self.report.created.append(camera.name)
            return
        after = all_cameras().get(pk=camera.pk)
        if after.revision == there.revision:
            self.report.unchanged.append(camera.name)
            return
        old, new = describe(there), describe(after)
        keys = [key for key in new if new[key] != old[key]]
        if bytes(after.credentials or b"") != bytes(there.credentials or b""):
            keys.append("credentials")
        self.report.changed[camera.name] = keys

    def _values(self, entry: Mapping[str, Any], fields: dict[str, str]) -> dict[str, Any]:
        """Return what the services take; say what areas and groups there are not."""
        values = {name: entry[name] for name in _GIVEN if name in entry}
        inputs = values.pop("inputs")
        values["address"] = inputs[0] if isinstance(inputs, list) else inputs
        if "area" in values:
            values["area"] = self._area(values["area"], fields)
        if "groups" in values:
            names = values["groups"]
            unknown = [name for name in names if name not in self.groups]
            if unknown:
                fields["groups"] = f"There is no group {', '.join(unknown)}."
            values["groups"] = [self.groups[name] for name in names if name in self.groups]
        return values

    def _area(self, name: str | None, fields: dict[str, str]) -> Area | None:
        name = clean_name(name)
        if name and name not in self.areas:
            try:
                self.areas[name] = areas.add(actor=self.actor, name=name)
            except ConfigurationError as error:
                fields["area"] = error.message
                return None
            self.report.areas.append(name)
        return self.areas.get(name)

    def _note(self, part: str, number: int, error: ConfigurationError) -> None:
        for name, sentence in error.fields.items():
            steps = [KEYS.get(step, step) for step in name.split(".")]
            path = (part, number, *(int(step) if step.isdigit() else step for step in steps))
            line = self.found.line(path)
            self.problems.append(Problem(line=line, path=path_text(path), message=sentence))

"""What is drawn in a camera's picture: judging it, and finding out what is new, changed, gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from video_analysis.cameras.models import Camera, CountingLine, Zone
from video_analysis.cameras.services.checking import clean_name, judge_row
from vision.analytics.regions import RegionError, check_line, check_polygon

TAKEN: Final = "This name is given twice."
FURTHEST: Final = 1e6  # what lies outside of the picture is refused later, with a better sentence
NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    Zone: ("name", "polygon", "threshold_sec"),
    CountingLine: ("name", "points", "forward", "backward"),
}
_MODELS: Final[Mapping[str, type[Zone | CountingLine]]] = {"zones": Zone, "lines": CountingLine}


def values_of(row: Any) -> dict[str, Any]:
    """Return what a person has set of a zone or a line."""
    return {name: getattr(row, name) for name in NAMES[type(row)]}


def set_values(row: Any, values: Mapping[str, Any]) -> dict[str, str]:
    """Set a zone's or a line's values, not saving it; return what is wrong, by field."""
    unknown = sorted(set(values) - set(NAMES[type(row)]) - {"id"})
    fields = {str(name): "There is no such setting." for name in unknown}
    for name in NAMES[type(row)]:
        if name in values:
            setattr(row, name, _clean(name, values[name]))
    shape = "polygon" if isinstance(row, Zone) else "points"
    sentence = _judge_shape(row, shape)
    if sentence:
        fields[shape] = sentence
    if isinstance(row, CountingLine) and row.forward.casefold() == row.backward.casefold():
        fields["backward"] = "The two directions must have different names."
    others = [name for name in NAMES[type(row)] if name != shape]
    return {**judge_row(row, others), **fields}


@dataclass
class Plan:
    """What becomes of a camera's zones, or of its lines.

    Attributes:
        part: ``zones`` or ``lines``.
        fields: What is wrong, as ``zones.0.name``; nothing may be carried out then.
        gone: Rows that nobody asked for any more.
        changed: Rows with new values.
        added: Rows that are new.
    """

    part: str
    fields: dict[str, str] = field(default_factory=dict)
    gone: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)

    def carry_out(self) -> dict[str, Any]:
        """Write it, in the caller's transaction; return what was done, by name."""
        model = _MODELS[self.part]
        model.objects.filter(pk__in=[row.pk for row in self.gone]).delete()
        # Two may have exchanged their names: no two rows ever have the same one in between.
        for row in self.changed:
            model.objects.filter(pk=row.pk).update(name=f"\x7f{row.pk}")
        for row in (*self.changed, *self.added):
            row.save()
        groups = {"added": self.added, "changed": self.changed, "deleted": self.gone}
        return {
            f"{self.part} {what}": [row.name for row in rows]
            for what, rows in groups.items()
            if rows
        }


def plan(
    part: str, specs: Sequence[Mapping[str, Any]], rows: Sequence[Any], camera: Camera
) -> Plan:
    """Compare what is wanted with what there is; `specs` as those of `replace_regions`."""
    made = Plan(part)
    left = {row.pk: row for row in rows}
    names: set[str] = set()
    if not all(isinstance(spec, Mapping) for spec in specs):
        made.fields[part] = f"Each of the {part} must be an object."
        return made
    chosen = _match(specs, left, made)
    for number, spec in enumerate(specs):
        row = chosen.get(number)
        new = row is None
        if row is None:
            row = _MODELS[part](camera=camera)
        before = None if new else values_of(row)
        wrong = set_values(row, with_defaults(part, spec))
        if row.name in names:
            wrong["name"] = TAKEN
        names.add(row.name)
        made.fields |= {f"{part}.{number}.{name}": text for name, text in wrong.items()}
        if new:
            made.added.append(row)
        elif values_of(row) != before:
            made.changed.append(row)
    made.gone = list(left.values())
    return made


def _match(specs: Sequence[Mapping[str, Any]], left: dict[int, Any], made: Plan) -> dict[int, Any]:
    """Find the row that each is about, by id or else by name; ``left`` loses them."""
    chosen: dict[int, Any] = {}
    for number, spec in enumerate(specs):
        if spec.get("id") is None:
            continue
        row = left.pop(spec["id"], None) if isinstance(spec["id"], int) else None
        if row is None:
            made.fields[f"{made.part}.{number}.id"] = "There is none with this id, or it is twice."
        else:
            chosen[number] = row
    by_name = {row.name: row for row in left.values()}
    for number, spec in enumerate(specs):
        row = by_name.pop(clean_name(spec.get("name")), None) if spec.get("id") is None else None
        if row is not None:
            chosen[number] = left.pop(row.pk)
    return chosen


def with_defaults(part: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is wanted of a zone or a line; what is not said is as in the model."""
    blank = _MODELS[part]()
    values = {name: getattr(blank, name) for name in NAMES[_MODELS[part]]}
    return {**values, **spec}


def _clean(name: str, value: Any) -> Any:
    if name in ("name", "forward", "backward"):
        return clean_name(value)
    if name == "threshold_sec":
        return _number(value)
    return [list(point) for point in value] if _is_points(value) else value


def _number(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and -FURTHEST <= value <= FURTHEST else value


def _is_points(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(point, list | tuple)
        and len(point) == 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in point)
        and all(-FURTHEST <= n <= FURTHEST for n in point)  # which nan and inf are not
        for point in value
    )


def _judge_shape(row: Any, shape: str) -> str:
    value = getattr(row, shape)
    if not _is_points(value):
        return "Points are pairs of numbers: [[x, y], …], 0..1 from the upper left corner."
    try:
        (check_polygon if isinstance(row, Zone) else check_line)(value)
    except RegionError as error:
        return error.message
    setattr(row, shape, [[float(x), float(y)] for x, y in value])
    return ""

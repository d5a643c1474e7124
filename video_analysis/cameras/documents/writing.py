"""Plain values to YAML, as a person would write it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from video_analysis.cameras.documents.schema import VERSION

HEADER: Final = """\
# Cameras of Sightline, to be imported again. User names and passwords are not in here: they never
# leave the installation. Cameras that are there keep theirs; new ones need username and password.
"""


class _Flow(list[Any]):
    """A list that is written in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes what `yaml.safe_load` reads; never an alias, which the import refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists below their key."""
        super().increase_indent(flow, False)


def _write_flow(dumper: yaml.SafeDumper, data: _Flow) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Dumper.add_representer(_Flow, _write_flow)


def write(cameras: Iterable[Mapping[str, Any]], areas: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return a document of cameras and areas, each as the schema describes it."""
    plain: dict[str, Any] = {"version": VERSION}
    if listed := [dict(area) for area in areas]:
        plain["areas"] = listed
    plain["cameras"] = [_arranged(camera) for camera in cameras]
    body: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEADER + body


def _arranged(camera: Mapping[str, Any]) -> dict[str, Any]:
    """Put points and short lists into one line each."""
    arranged = dict(camera)
    for name in ("groups", "classes"):
        arranged[name] = _Flow(camera[name])
    for part, shape in (("zones", "polygon"), ("lines", "points")):
        arranged[part] = [
            {**region, shape: _Flow([_Flow(point) for point in region[shape]])}
            for region in camera[part]
        ]
    return arranged

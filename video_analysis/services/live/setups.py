"""What a camera's rows ask for, in the words of the engine."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from django.conf import settings

from video_analysis.cameras.models import Camera
from video_analysis.cameras.models import CountingLine as LineRow
from video_analysis.cameras.models import Zone as ZoneRow
from vision.analytics.regions import CountingLine, Zone
from vision.errors import VisionError
from vision.pipeline.config import PipelineConfig
from vision.structures import Priority
from vision.weights.cards import get_card, resolve_classes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceSetup:
    """What a change of means connecting anew.

    Attributes:
        address: Without credentials.
        credentials: Encrypted, or None.
        fps: Most frames a second.
    """

    address: str
    credentials: bytes | None = field(repr=False)
    fps: float


@dataclass(frozen=True)
class FaceSetup:
    """What may be done with the faces that a camera sees; nothing at all by default.

    Attributes:
        area_id: Where it looks.
        recognise: Whether people are recognised there, and sightings of them are kept.
        consented_only: Whether only people count who have agreed.
        group_unknown: Whether unknown faces are told apart.
        mood: Whether moods of customers are estimated.
        asks: Whether people may be shown a face of which nobody is certain: not where the camera
            hides faces, or people.
        clears: Whether it has to be known who has agreed, because all others are blurred.
    """

    area_id: int | None = None
    recognise: bool = False
    consented_only: bool = True
    group_unknown: bool = False
    mood: bool = False
    asks: bool = False
    clears: bool = False

    @property
    def looks(self) -> bool:
        """Whether faces are looked at."""
        return self.recognise or self.clears


@dataclass(frozen=True)
class Place:
    """A zone or line as events name it.

    Attributes:
        id: Its row.
        name: What it is called.
        directions: What a line calls ``forward`` and ``backward``.
    """

    id: int
    name: str
    directions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CameraSetup:
    """One camera at one revision of its configuration.

    Attributes:
        config: What the pipeline looks for.
        error: Why nothing can be looked for, or None.
    """

    id: int
    revision: int
    name: str
    source: SourceSetup
    config: PipelineConfig
    zone_rows: tuple[ZoneRow, ...] = ()
    line_rows: tuple[LineRow, ...] = ()
    faces: FaceSetup = FaceSetup()
    error: VisionError | None = None

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        """The zones for the watcher, by the ids of their rows."""
        return tuple(
            Zone(str(row.pk), np.asarray(row.polygon, np.float64), float(row.threshold_sec))
            for row in self.zone_rows
        )

    @cached_property
    def lines(self) -> tuple[CountingLine, ...]:
        """The lines for the watcher, by the ids of their rows."""
        return tuple(
            CountingLine(str(row.pk), _point(row.points[0]), _point(row.points[1]))
            for row in self.line_rows
        )

    @cached_property
    def zone_places(self) -> Mapping[str, Place]:
        """By the zone's key."""
        return {str(row.pk): Place(row.pk, row.name) for row in self.zone_rows}

    @cached_property
    def line_places(self) -> Mapping[str, Place]:
        """By the line's key."""
        return {
            str(row.pk): Place(row.pk, row.name, {"forward": row.forward, "backward": row.backward})
            for row in self.line_rows
        }

    @cached_property
    def regions(self) -> tuple[object, ...]:
        """What a change of means watching anew, to compare."""
        zones = tuple((row.pk, str(row.polygon), row.threshold_sec) for row in self.zone_rows)
        return (zones, tuple((row.pk, str(row.points)) for row in self.line_rows))


def read_setups(ids: Iterable[int]) -> dict[int, CameraSetup]:
    """Read cameras with their zones and lines; three queries. Those that are gone are left out."""
    rows = Camera.objects.filter(pk__in=list(ids)).select_related("area")
    cameras = rows.prefetch_related("zones", "lines")
    return {camera.pk: make_setup(camera) for camera in cameras}


def make_setup(camera: Camera) -> CameraSetup:
    """Return what a camera's rows ask for; what cannot be had is told by ``error``."""
    error: VisionError | None = None
    ids: tuple[int, ...] | None = None
    model = camera.model or settings.SIGHTLINE_LIVE_MODEL
    names = ("person",) if camera.people_only else tuple(str(name) for name in camera.classes)
    try:
        card = get_card(model)
        if names:
            ids = tuple(resolve_classes(card, names))
            names = tuple(card.classes[number] for number in ids)
    except VisionError as wrong:
        error = wrong
    credentials = camera.credentials
    return CameraSetup(
        id=camera.pk,
        revision=camera.revision,
        name=camera.name,
        source=SourceSetup(
            address=camera.address,
            credentials=bytes(credentials) if credentials else None,
            fps=float(camera.fps),
        ),
        config=PipelineConfig(
            model=model,
            confidence=float(camera.detector_conf),
            input_size=settings.SIGHTLINE_LIVE_INPUT_SIZE,
            classes=ids,
            class_names=names,
            tracker=camera.tracker,
            patience=float(camera.tracker_max_age),
            minimum_hits=int(camera.tracker_min_hits),
            gate=camera.motion_gate,
            hide_people=camera.hide_people,
            hide_faces="asked" if camera.faces else "",
            priority=Priority.LIVE,
        ),
        zone_rows=tuple(camera.zones.all()),
        line_rows=tuple(camera.lines.all()),
        faces=_faces_of(camera),
        error=error,
    )


def _faces_of(camera: Camera) -> FaceSetup:
    """Return what the camera's area allows; without an area nobody is recognised."""
    clears = camera.faces == Camera.Faces.CONSENTED
    area = camera.area
    if area is None or not area.recognise:
        return FaceSetup(area_id=camera.area_id, clears=clears)
    return FaceSetup(
        area_id=area.pk,
        recognise=True,
        consented_only=area.consent_required,
        group_unknown=area.group_unknown,
        mood=area.mood,
        asks=not camera.faces and not camera.hide_people,
        clears=clears,
    )


def _point(pair: Iterable[float]) -> tuple[float, float]:
    x, y = pair
    return float(x), float(y)

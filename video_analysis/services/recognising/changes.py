"""What is on its way into the database about people who are seen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from recognition.index import Match
from vision.faces.voting import KeptFace


@dataclass(slots=True, eq=False)
class SightingChange:
    """A sighting as it is now, whole: written later or twice, it is the same row.

    Attributes:
        id: Of its row.
        place: Where it is, in words for people who review it.
        state: Of `Sighting.State`.
        match: Who it is, or may be.
        consented_only: Whether nobody is written who has not agreed.
        model: The network of the faces.
        kept: Faces, without pictures: of a visitor the best ones, for a review that which is shown.
        crop: A picture of it, as JPEG.
        decided_at: When it was decided.
        mood: Shares of moods over all of it.
        mood_now: The same since it was last told.
        ended: Whether it is over.
        refuse: Called, in the writer's thread, when there must be no such row, or not any more.
    """

    id: uuid.UUID
    camera_id: int
    area_id: int | None
    place: str
    track: uuid.UUID
    track_number: int
    state: str
    match: Match
    start: datetime
    end: datetime
    consented_only: bool
    model: str
    faces: int
    kept: tuple[KeptFace, ...] = field(default=(), repr=False)
    crop: bytes = field(default=b"", repr=False)
    decided_at: datetime = field(default_factory=timezone.now)
    mood: Mapping[str, float] = field(default_factory=dict)
    mood_now: Mapping[str, float] = field(default_factory=dict)
    ended: bool = False
    refuse: Callable[[], None] = lambda: None

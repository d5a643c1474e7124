"""What is known of one track: its best faces, and who it is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recognition.index import Match
from video_analysis.models import Sighting
from video_analysis.services.recognising.storing import CROP_QUALITY
from vision.encoding.images import encode_jpeg
from vision.faces.voting import KeptFace, TrackVotes

LOOK_SECONDS: Final = 0.4
AGAIN_SECONDS: Final = 5.0
"""Who is known is looked at again so often: two tracks may have swapped their numbers."""
CLEARED_SECONDS: Final = 1.0
"""The same where the faces of others are blurred: nobody else's may be shown for long."""
UNKNOWN_SECONDS: Final = 2.0
SETTLE_FACES: Final = 5
SETTLE_SECONDS: Final = 3.0
"""What is not certain is not told before there were so many faces in so much time."""
STRIKES: Final = 2
SAME: Final = 0.6
OTHER: Final = 0.7
"""A face farther than this from all faces of its track is somebody else's."""
PATIENT_LOOKS: Final = 6
LAZY_SECONDS: Final = 1.2


class MeanMood:
    """The mean shares of moods over several looks."""

    def __init__(self) -> None:
        self._looks = 0
        self._sums: dict[str, float] = {}

    def add(self, shares: Mapping[str, float]) -> None:
        """Take a look in."""
        self._looks += 1
        for name, share in shares.items():
            self._sums[name] = self._sums.get(name, 0.0) + share

    def shares(self) -> dict[str, float]:
        """Return the mean, empty without a look."""
        return {name: round(total / self._looks, 3) for name, total in self._sums.items()}


@dataclass(slots=True, eq=False)
class Decision:
    """Who a track is.

    Attributes:
        sighting_id: Of its row, whether there is one or not.
        state: Of `Sighting.State`.
        consented: Monotonic seconds at which they were last known to have agreed to be recognised.
        agreed: Monotonic seconds of the last face that agreed.
        agreed_at: The same by the clock.
        strikes: Faces in a row that were somebody else's.
        decided_at: When it was decided.
        told: Monotonic seconds at which it was last written.
        mood: Shares of moods over all looks.
        mood_now: The same over the looks since they were last told.
    """

    state: str
    match: Match
    staff: bool = False
    consented: float = float("-inf")
    agreed: float = 0.0
    agreed_at: datetime | None = None
    strikes: int = 0
    decided_at: datetime = field(default_factory=timezone.now)
    told: float = 0.0
    mood: MeanMood = field(default_factory=MeanMood)
    mood_now: MeanMood = field(default_factory=MeanMood)
    sighting_id: uuid.UUID = field(default_factory=uuid.uuid4)

    def add_mood(self, shares: Mapping[str, float]) -> None:
        """Take the moods of another look in."""
        self.mood.add(shares)
        self.mood_now.add(shares)

    def take_mood(self) -> dict[str, float]:
        """Return the shares since the last time; empty where nobody has looked since."""
        mood, self.mood_now = self.mood_now, MeanMood()
        return mood.shares()


@dataclass(slots=True, eq=False)
class SeenTrack:
    """A person whom a camera follows.

    Attributes:
        id: Of the track's row.
        number: The tracker's.
        start: When it was first seen.
        end: When it was last seen.
        seen: The same as monotonic seconds.
        due: Monotonic seconds from which on its face is worth a look.
        over: Whether it has ended.
        groups: Whether it may become a visitor without a name; not who was erased while they were
            seen, or does not agree any more.
    """

    id: uuid.UUID
    number: int
    start: datetime
    end: datetime
    seen: float
    due: float = 0.0
    over: bool = False
    groups: bool = True
    votes: TrackVotes = field(default_factory=TrackVotes)
    decision: Decision | None = None
    misses: int = 0

    def note_miss(self, now: float) -> None:
        """Note that no face could be seen; who does not show one is looked at less often."""
        self.misses += 1
        self.due = now + (LAZY_SECONDS if self.misses > PATIENT_LOOKS else 0.0)

    def is_settled(self) -> bool:
        """Tell whether there were faces enough to say also what is not certain."""
        faces = self.votes.faces
        if self.over or len(faces) < SETTLE_FACES:
            return self.over
        return faces[-1].timestamp - faces[0].timestamp >= SETTLE_SECONDS

    def forget(self) -> None:
        """Begin anew, as if nobody had been seen yet."""
        self.decision = None
        self.votes = TrackVotes()
        self.misses = 0
        self.due = 0.0

    def faces_of(self, state: str) -> tuple[tuple[KeptFace, ...], bytes]:
        """Return the faces that are written with a decision, and a picture to ask about, as JPEG.

        There may be thousands while the database is away: pictures that nobody asks for stay here.
        """
        faces = self.votes.faces
        if state == Sighting.State.VISITOR:
            return tuple(replace(face, crop=None) for face in faces), b""
        if state != Sighting.State.UNCERTAIN or not faces:
            return (), b""
        best = max(faces, key=lambda face: (face.crop is not None, face.weight))
        crop = b"" if best.crop is None else encode_jpeg(best.crop, CROP_QUALITY)
        return (replace(best, crop=None),), crop

    def distance_to(self, embedding: NDArray[np.float32]) -> float:
        """Return how far a face is from the nearest of the track; infinity without any."""
        faces = [face.embedding for face in self.votes.faces]
        if not faces:
            return float("inf")
        return float(np.linalg.norm(np.stack(faces) - embedding, axis=1).min())

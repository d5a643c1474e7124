"""Who is seen in an analysed video: one decision per track, over all of it."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import numpy as np
from django.db import Error, connection
from django.utils import timezone
from numpy.typing import NDArray

from recognition.errors import GoneError
from recognition.index import Match, decide_track, match_faces
from recognition.models import Consent, FaceReview, PrivacySettings, Profile
from recognition.services.holding import hold_profiles
from recognition.services.reviews import open_review
from video_analysis.models import Sighting, VideoAnalysis
from video_analysis.services.recognising.asking import reviews_of
from video_analysis.services.recognising.looking import (
    People,
    SeenFace,
    look_at_faces,
    people_in,
)
from video_analysis.services.recognising.storing import (
    CROP_QUALITY,
    RefusedError,
    held_profile,
    named_by,
)
from video_analysis.services.recognising.tracks import LOOK_SECONDS
from video_analysis.services.recognising.uploads import may_recognise_uploads
from vision.encoding.images import encode_jpeg
from vision.engine import Engine
from vision.errors import VisionError
from vision.faces import FaceQuality
from vision.faces.voting import KEPT, TrackVotes, weigh
from vision.pipeline.results import FrameResult
from vision.structures import Frame, Priority

logger = logging.getLogger(__name__)

LAZY_SECONDS: Final = 2.0
"""Between looks at somebody of whom there are faces enough."""
CLEAR_SECONDS: Final = 1.5
"""So long after the last face that was theirs a person's face is shown where others are blurred."""


@dataclass(slots=True, eq=False)
class VideoTrack:
    """A person in a video. Only the best face is kept as a picture: there may be thousands."""

    number: int
    start: float
    end: float
    due: float = float("-inf")
    votes: TrackVotes = field(default_factory=TrackVotes)
    weight: float = 0.0
    crop: bytes = b""

    def add(self, face: SeenFace, timestamp: float) -> None:
        """Take a face in."""
        self.votes.add(face.embedding, face.quality, timestamp)
        if face.crop is not None:
            self.weight = weigh(face.quality)
            self.crop = encode_jpeg(face.crop, CROP_QUALITY)


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A track of whom it is known who it is, or that a person should say."""

    track: VideoTrack
    match: Match


class VideoFaces:
    """Looks at the faces of a video while it is analysed.

    Args:
        engine: Finds and embeds faces.
        recognise: Whether sightings are wanted.
        consented_only: Whether only people count who have agreed.
        clears: Whether it has to be known at once who has agreed, because others are blurred.
        asks: Whether people may be shown a face of which nobody is certain.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        recognise: bool = True,
        consented_only: bool = True,
        clears: bool = False,
        asks: bool = True,
    ) -> None:
        self._engine = engine
        self._recognise = recognise
        self._consented_only = consented_only
        self._clears = clears
        self._asks = asks
        self._shown: set[UUID] = set()
        self._may_show = True
        self._cleared_until: dict[int, float] = {}
        self._tracks: dict[int, VideoTrack] = {}
        self._looked = float("-inf")
        self._now = 0.0
        self._model = ""
        self._decided: list[Decided] = []

    def see(self, result: FrameResult) -> None:
        """Take a frame, before anything is drawn or blurred in it.

        Raises:
            VisionError: The engine cannot answer.
        """
        if not self._recognise and not self._clears:
            return
        now = self._now = result.frame.timestamp
        people = people_in(result.detections, detected=result.detected)
        tracks = [self._track(number, now) for number in people.numbers.tolist()]
        if now - self._looked < LOOK_SECONDS:
            return
        due = np.array([track.due <= now for track in tracks], bool)
        if not due.any():
            return
        self._looked = now
        for face in self._look(result.frame, people, due, tracks):
            track = tracks[face.person]
            track.add(face, now)
            enough = len(track.votes) >= KEPT and not self._clears
            track.due = now + (LAZY_SECONDS if enough else 0.0)
            if self._clears:
                self._clear(track, face)

    def cleared(self) -> frozenset[int]:
        """Return the numbers of tracks whose faces may be shown in the newest frame."""
        for number, until in list(self._cleared_until.items()):
            if self._now > until:
                del self._cleared_until[number]
        return frozenset(self._cleared_until)

    def decide(self) -> None:
        """Say who everybody was, by all that was seen; to be called again if the database is away.

        Raises:
            django.db.Error: It is away.
        """
        decided = []
        for track in self._tracks.values() if self._recognise else ():
            if not len(track.votes):
                continue
            match = decide_track(
                track.votes, model=self._model, consented_only=self._consented_only
            )
            if match is not None and match.state in ("known", "uncertain"):
                decided.append(Decided(track, match))
        # In one order, whoever stores: people are held while their rows are written.
        self._decided = sorted(decided, key=lambda one: str(one.match.profile_id))

    def hold(self) -> bool:
        """Hold everybody who is about to be named, in the caller's transaction, before the rows.

        Whom people are asked about is held as they are asked.

        Returns:
            Whether everybody whose face was shown, because they had agreed, still may be shown.
        """
        hold_profiles(named_by(one.match for one in self._known()) | self._shown)
        agreed = Consent.objects.filter(profile__in=self._shown, withdrawn_at=None)
        there = set(agreed.order_by().values_list("profile_id", flat=True))
        self._may_show = not self._shown or (there == self._shown and may_recognise_uploads())
        return self._may_show

    def store(self, analysis: VideoAnalysis) -> None:
        """Write who was recognised, after `hold`, to an analysis without sightings."""
        if not may_recognise_uploads():  # switched off while it ran
            return  # `hold` has said that nobody may be shown
        for decided in self._known():
            try:
                self._store(analysis, decided)
            except (RefusedError, GoneError):  # erased, or does not agree any more
                continue
        if self._may_show:  # otherwise there are no such pictures
            self._store_shown(analysis)

    @property
    def doubts(self) -> list[Decided]:
        """Tracks about which a person is to be asked."""
        return [one for one in self._decided if one.match.state != "known"] if self._asks else []

    def ask(self, analysis: VideoAnalysis, doubt: Decided) -> None:
        """Write a track that waits for an answer, each in a transaction of its own.

        They write a file and read what is asked already: in one transaction they would hold up
        everybody else who writes.

        Raises:
            RefusedError: Who it may be was erased, or does not agree any more.
            GoneError: Likewise.
        """
        if may_recognise_uploads():
            self._store(analysis, doubt)

    def _known(self) -> list[Decided]:
        return [one for one in self._decided if one.match.state == "known"]

    def _store_shown(self, analysis: VideoAnalysis) -> None:
        """Write whose face is shown without a name: by these rows its pictures are found again."""
        there = Profile.objects.filter(pk__in=self._shown).order_by("pk")
        known = Sighting.objects.filter(analysis=analysis, state=Sighting.State.KNOWN)
        named = set(known.order_by().values_list("profile_id", flat=True))
        Sighting.objects.bulk_create(
            Sighting(analysis=analysis, state=Sighting.State.SHOWN, profile_id=key)
            for key in there.values_list("pk", flat=True)
            if key not in named
        )

    def _store(self, analysis: VideoAnalysis, decided: Decided) -> None:
        track, match = decided.track, decided.match
        profile_id = held_profile(match, self._consented_only)
        known = match.state == "known"
        row = Sighting(
            pk=uuid.uuid4(),
            analysis=analysis,
            track_number=track.number,
            state=Sighting.State.KNOWN if known else Sighting.State.UNCERTAIN,
            profile_id=profile_id if known else None,
            start_seconds=round(track.start, 3),
            end_seconds=round(track.end, 3),
            faces=track.votes.seen,
            distance=match.distance,
            probability=match.probability,
            runner_up_distance=match.runner_up_distance,
        )
        if not known and not self._ask(row, analysis, decided):
            return
        row.save(force_insert=True)

    def _ask(self, row: Sighting, analysis: VideoAnalysis, decided: Decided) -> bool:
        """Have a person decide; return False where the same doubt waits for an answer already."""
        best = decided.track.votes.best
        assert best is not None
        review = open_review(
            origin=FaceReview.Origin.VIDEO,
            origin_id=str(row.pk),
            place=analysis.session.name,
            embedding=best.embedding,
            model=self._model,
            crop=decided.track.crop,
            quality=best.quality.as_data(),
            match=decided.match,
            seen_at=timezone.now(),
            among=reviews_of(Sighting.objects.filter(analysis=analysis)),
        )
        return review.origin_id == str(row.pk)

    def _look(
        self,
        frame: Frame,
        people: People,
        due: NDArray[np.bool_],
        tracks: list[VideoTrack],
    ) -> list[SeenFace]:
        def is_best(person: int, quality: FaceQuality) -> bool:
            return self._asks and weigh(quality) > tracks[person].weight

        try:
            faces = self._engine.faces
            self._model = faces.embedder
            return look_at_faces(
                faces, frame, people, due, priority=Priority.BATCH, needs_crop=is_best
            )
        except VisionError:
            if self._recognise:
                raise
            return []  # nobody's face is shown then

    def _track(self, number: int, now: float) -> VideoTrack:
        track = self._tracks.get(number)
        if track is None:
            track = self._tracks[number] = VideoTrack(number, now, now)
        track.end = now
        return track

    def _clear(self, track: VideoTrack, face: SeenFace) -> None:
        """Say for how long a face may be shown; when in doubt, not at all."""
        self._cleared_until.pop(track.number, None)
        try:
            match = decide_track(track.votes, model=self._model, consented_only=True)
            (now,) = match_faces([face.embedding], model=self._model, consented_only=True)
        except Error as error:
            logger.warning("Nobody's face is shown while the database is away: %s", error)
            connection.close()
            return
        if match is None or match.state != "known" or now.state == "unknown":
            return
        if now.profile_id == match.profile_id:
            self._cleared_until[track.number] = self._now + CLEAR_SECONDS
            self._shown.add(match.profile_id)


def make_video_faces(engine: Engine, *, recognise: bool, hiding: str) -> VideoFaces:
    """Return what looks at the faces of a video; at nothing where nobody wants that, or may.

    Args:
        engine: Finds and embeds faces.
        recognise: Whether the analysis was asked to.
        hiding: The style that hides people or faces, empty for none. Where there is one no face is
            shown to whoever could say whose it is; ``faces-consented`` shows those who have agreed.
    """
    settings = PrivacySettings.objects.filter(pk=1).first() or PrivacySettings()
    allowed = settings.recognise_uploads
    return VideoFaces(
        engine,
        recognise=recognise and allowed,
        consented_only=settings.uploads_need_consent or not recognise,
        clears=hiding == "faces-consented" and allowed,
        asks=not hiding,
    )

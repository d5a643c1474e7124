"""The one thread of this process that looks at faces, and decides who they are."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from django.db import Error, connection

from recognition.index import Match, decide_track, match_faces, still_there
from recognition.models import Profile
from video_analysis.models import Sighting
from video_analysis.services.recognising import metrics
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.clearing import set_cleared
from video_analysis.services.recognising.looking import SeenFace, look_at_faces
from video_analysis.services.recognising.moods import Moods
from video_analysis.services.recognising.scenes import Look, SceneFaces
from video_analysis.services.recognising.tracks import (
    AGAIN_SECONDS,
    CLEARED_SECONDS,
    OTHER,
    SAME,
    STRIKES,
    UNKNOWN_SECONDS,
    Decision,
    SeenTrack,
)
from video_analysis.services.recognising.writer import SightingWriter
from vision.engine import Engine
from vision.errors import VisionError
from vision.faces import FaceQuality
from vision.faces.voting import TrackVotes, weigh
from vision.structures import Priority

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
NEWS_SECONDS: Final = 10.0
CLEAR_SECONDS: Final = 3.0
"""So long after the last face that was theirs a person's face may be shown."""
PAUSE_SECONDS: Final = 5.0
REST: Final = 1.0
"""Seconds of rest for each second of work: the detector has the machine for itself meanwhile."""
MOST_REST: Final = 0.5
COMPLAIN_SECONDS: Final = 60.0


class FaceWorker:
    """Looks at the newest frame of each camera in turn; what does not fit is dropped and counted.

    Args:
        engine: Makes the engine.
        writer: Takes what is to be written.
    """

    def __init__(self, engine: Callable[[], Engine], writer: SightingWriter) -> None:
        self._get_engine = engine
        self._writer = writer
        self._moods = Moods()
        self._waiting: OrderedDict[int, Look] = OrderedDict()
        self._ended: deque[tuple[SceneFaces, list[SeenTrack]]] = deque()
        self._scenes: dict[int, SceneFaces] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._model = ""
        self._tick_at = 0.0
        self._pause_until = 0.0
        self._complain_at = 0.0
        self._thread = threading.Thread(target=self._run, name="face-worker", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Decide what can be decided, and end; return whether that was done in time."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # ------------------------------------------------------------ from the threads that look
    def follow(self, camera_id: int, scene: SceneFaces) -> None:
        """Look after the tracks of a camera from now on."""
        with self._changed:
            self._scenes[camera_id] = scene

    def leave(self, camera_id: int, scene: SceneFaces) -> None:
        """Look after them no more."""
        with self._changed:
            if self._scenes.get(camera_id) is scene:
                del self._scenes[camera_id]
            set_cleared(camera_id, {})

    def hand(self, look: Look) -> None:
        """Give a frame to be looked at; it takes the place of an older one of its camera."""
        camera = look.scene.setup
        with self._changed:
            before = self._waiting.get(camera.id)
            self._waiting[camera.id] = look
            self._changed.notify_all()
        if before is not None:
            metrics.looks.labels(camera.name, "dropped").inc()

    def end(self, scene: SceneFaces, tracks: list[SeenTrack]) -> None:
        """Tell that tracks are over."""
        if tracks:
            with self._changed:
                self._ended.append((scene, tracks))
                self._changed.notify_all()

    # ------------------------------------------------------------ the thread
    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                self._attempt(self._turn)
                rest = min(MOST_REST, REST * (time.monotonic() - began))
                with self._changed:
                    self._changed.wait_for(self._stopping.is_set, rest)
                    idle = not (self._waiting or self._ended or self._stopping.is_set())
                    if idle:
                        left = max(0.0, self._tick_at - time.monotonic())
                        self._changed.wait(left)
            self._attempt(self._end_tracks)
        finally:
            connection.close()

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Error as error:
            self._complain(f"Who is seen cannot be looked up: {error}", trace=False)
            connection.close()
        except VisionError as error:
            self._pause_until = time.monotonic() + PAUSE_SECONDS
            self._complain(f"Faces cannot be looked at: {error}", trace=False)
        except Exception:
            self._complain("Faces could not be looked at", trace=True)

    def _complain(self, what: str, *, trace: bool) -> None:
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAIN_SECONDS
            logger.warning("%s", what, exc_info=trace)

    def _turn(self) -> None:
        self._end_tracks()
        now = time.monotonic()
        if now >= self._tick_at:
            self._tick_at = now + TICK_SECONDS
            self._look_after(now)
        with self._changed:
            look = self._waiting.popitem(last=False)[1] if self._waiting else None
        if look is not None and not look.scene.over and now >= self._pause_until:
            fate = "failed"
            try:
                self._look(look)
                fate = "looked"
            finally:
                metrics.looks.labels(look.scene.setup.name, fate).inc()

    def _look(self, look: Look) -> None:
        engine = self._get_engine()
        faces = engine.faces
        self._model = faces.embedder
        found = look_at_faces(
            faces,
            look.frame,
            look.people,
            look.due,
            priority=Priority.LIVE,
            needs_crop=partial(_needs_crop, look),
        )
        now = time.monotonic()
        seen = {face.person: face for face in found}
        for place, track in enumerate(look.tracks):
            if not look.due[place] or track.over:
                continue
            face = seen.get(place)
            if face is None:
                self._miss(look.scene, track, now)
            elif track.decision is None:
                self._add(look, track, face, now)
            else:
                self._confirm(look, track, face, now)
        self._estimate_moods(engine, look, found)
        if look.scene.setup.faces.clears:
            self._clear(look.scene, now)

    def _miss(self, scene: SceneFaces, track: SeenTrack, now: float) -> None:
        track.note_miss(now)
        if track.decision is not None:
            track.due = now + _again(scene)

    def _add(self, look: Look, track: SeenTrack, face: SeenFace, now: float) -> None:
        track.misses = 0
        track.votes.add(face.embedding, face.quality, look.frame.timestamp, face.crop)
        track.due = now
        self._judge(look.scene, track, now)

    def _judge(self, scene: SceneFaces, track: SeenTrack, now: float) -> None:
        """Decide who a track is, once there is enough to tell."""
        allowed = scene.setup.faces
        match = decide_track(track.votes, model=self._model, consented_only=allowed.consented_only)
        if match is None:
            return
        if match.state == "known":
            self._recognise(scene, track, match, now)
        elif track.is_settled() and allowed.recognise:
            if match.state == "uncertain" and allowed.asks:
                self._decide(scene, track, Decision(Sighting.State.UNCERTAIN, match), now)
                track.due = float("inf")  # a person has been asked
            elif match.state == "unknown" and self._may_group(scene, track):
                self._decide(scene, track, Decision(Sighting.State.VISITOR, match), now)
            else:
                track.due = now + UNKNOWN_SECONDS

    def _may_group(self, scene: SceneFaces, track: SeenTrack) -> bool:
        """Tell whether a track may become a visitor: not who is known, but has not agreed."""
        allowed = scene.setup.faces
        if not allowed.group_unknown or not track.groups:
            return False
        if not allowed.consented_only:
            return True
        match = decide_track(track.votes, model=self._model)
        return match is not None and match.state == "unknown"

    def _recognise(self, scene: SceneFaces, track: SeenTrack, match: Match, now: float) -> None:
        kinds = Profile.objects.filter(pk=match.profile_id).values_list("kind", flat=True)
        kind = kinds.first()
        assert match.profile_id is not None
        if kind is None:  # erased since
            track.forget()
            track.groups = False
            return
        decision = Decision(Sighting.State.KNOWN, match, staff=kind == Profile.Kind.STAFF)
        if scene.setup.faces.clears and still_there([match.profile_id], consented_only=True):
            decision.consented = now
        self._decide(scene, track, decision, now)

    def _decide(self, scene: SceneFaces, track: SeenTrack, decision: Decision, now: float) -> None:
        decision.agreed, decision.agreed_at = now, track.end
        track.decision = decision
        track.due = now + _again(scene)
        self._write(scene, track, now)

    def _confirm(self, look: Look, track: SeenTrack, face: SeenFace, now: float) -> None:
        """See whether a face is still that of who it was; numbers of tracks may swap."""
        decision = track.decision
        assert decision is not None
        near = track.distance_to(face.embedding)
        if decision.state == Sighting.State.KNOWN:
            allowed = look.scene.setup.faces
            (match,) = match_faces(
                [face.embedding], model=self._model, consented_only=allowed.consented_only
            )
            same = match.profile_id == decision.match.profile_id and match.state != "unknown"
            other = (match.state == "known" and not same) or (not same and near > OTHER)
        else:
            same, other = near <= SAME, near > OTHER
        if same:
            decision.strikes = 0
            decision.agreed, decision.agreed_at = now, look.frame.wall_clock
            track.votes.add(face.embedding, face.quality, look.frame.timestamp, face.crop)
        elif other:
            decision.strikes += 1
        if decision.strikes >= STRIKES:
            self._withdraw(look.scene, track, now)
            return
        track.due = now if decision.strikes else now + _again(look.scene)

    def _withdraw(self, scene: SceneFaces, track: SeenTrack, now: float) -> None:
        """Say that a track is not that person any more; it was until a face last agreed."""
        decision = track.decision
        if decision is None:
            return
        self._write(scene, track, now, ended=True)
        track.forget()
        self._clear(scene, now)

    # ------------------------------------------------------------ what goes on
    def _end_tracks(self) -> None:
        while self._ended:
            scene, tracks = self._ended.popleft()
            now = time.monotonic()
            for track in tracks:
                if track.decision is None and len(track.votes) and self._model:
                    self._attempt(partial(self._judge, scene, track, now))
                if track.decision is not None:
                    self._write(scene, track, now, ended=True)
                track.votes = TrackVotes()  # what waits to be written holds on to the track
            if scene.setup.faces.clears:
                self._clear(scene, now)

    def _look_after(self, now: float) -> None:
        """Forget who may not be recognised any more, and tell of who still is here."""
        with self._changed:
            scenes = list(self._scenes.values())
        for scene in scenes:
            tracks = [track for track in scene.tracks if track.decision is not None]
            self._check_people(scene, tracks)
            for track in tracks:
                decision = track.decision
                if decision is not None and now - decision.told >= NEWS_SECONDS:
                    self._write(scene, track, now)
            if scene.setup.faces.clears:
                self._clear(scene, now)

    def _check_people(self, scene: SceneFaces, tracks: Iterable[SeenTrack]) -> None:
        """Withdraw decisions about people who were erased, or agree no longer."""
        known = {
            track: _person(track.decision)
            for track in tracks
            if track.decision is not None and track.decision.state == Sighting.State.KNOWN
        }
        if not known:
            return
        allowed, now = scene.setup.faces, time.monotonic()
        there = still_there(known.values(), consented_only=allowed.consented_only)
        consented = still_there(known.values(), consented_only=True) if allowed.clears else set()
        for track, person in known.items():
            if person not in there:
                self._withdraw(scene, track, now)
                track.groups = False
            elif track.decision is not None:
                track.decision.consented = now if person in consented else float("-inf")

    def _write(
        self, scene: SceneFaces, track: SeenTrack, now: float, *, ended: bool = False
    ) -> None:
        decision = track.decision
        allowed = scene.setup.faces
        if decision is None:
            return
        # Where nobody is recognised no name is told, but pictures that show somebody are found.
        state = decision.state if allowed.recognise else Sighting.State.SHOWN
        kept, crop = track.faces_of(state)
        decision.told = now
        end = track.end
        if ended and decision.strikes and decision.agreed_at is not None:
            end = max(track.start, decision.agreed_at)
        self._writer.add(
            SightingChange(
                id=decision.sighting_id,
                camera_id=scene.setup.id,
                area_id=allowed.area_id if allowed.recognise else None,
                place=scene.setup.name,
                track=track.id,
                track_number=track.number,
                state=state,
                match=decision.match,
                start=track.start,
                end=end,
                consented_only=allowed.consented_only,
                model=self._model,
                faces=track.votes.seen,
                kept=kept,
                crop=crop,
                decided_at=decision.decided_at,
                mood=decision.mood.shares(),
                mood_now=decision.take_mood(),
                ended=ended,
                refuse=partial(_refuse, track, decision.sighting_id),
            )
        )

    def _estimate_moods(self, engine: Engine, look: Look, found: Sequence[SeenFace]) -> None:
        """Add to the moods of customers; never of staff, nor of anybody who is not known."""
        if not look.scene.setup.faces.mood:
            return
        wanted = []
        for face in found:
            decision = look.tracks[face.person].decision
            if decision is None or decision.staff or decision.strikes:
                continue
            told = decision.state in (Sighting.State.KNOWN, Sighting.State.VISITOR)
            if told and face.crop is not None:
                wanted.append((decision, face.crop))
        shares = self._moods.estimate(engine, [crop for _, crop in wanted])
        for (decision, _), share in zip(wanted, shares, strict=False):  # or there are none
            decision.add_mood(share)

    def _clear(self, scene: SceneFaces, now: float) -> None:
        """Say whose faces may be shown: people who have agreed and were seen a moment ago.

        It holds for as long only: where the database is away nothing else would take it back.
        """
        cleared: dict[int, float] = {}
        for track in scene.tracks:
            decision = track.decision
            if decision is not None and not decision.strikes:
                until = min(decision.agreed, decision.consented) + CLEAR_SECONDS
                if now <= until:
                    cleared[track.number] = until
        with self._changed:
            if not scene.over:
                set_cleared(scene.setup.id, cleared)


def _needs_crop(look: Look, person: int, quality: FaceQuality) -> bool:
    """Tell whether a face may be shown in a review, or has a mood to be estimated."""
    track, allowed = look.tracks[person], look.scene.setup.faces
    best = track.votes.best
    is_best = track.decision is None and (best is None or weigh(quality) >= best.weight)
    return (is_best and allowed.recognise and allowed.asks) or allowed.mood


def _again(scene: SceneFaces) -> float:
    return CLEARED_SECONDS if scene.setup.faces.clears else AGAIN_SECONDS


def _person(decision: Decision) -> UUID:
    assert decision.match.profile_id is not None
    return decision.match.profile_id


def _refuse(track: SeenTrack, sighting_id: UUID) -> None:
    """Take a decision back that must not be kept; who was asked about before is left alone."""
    decision = track.decision
    if decision is None or decision.sighting_id != sighting_id:
        return
    if decision.state == Sighting.State.UNCERTAIN:
        decision.told = float("inf")
    else:
        track.forget()
        track.groups = False

"""Activities from joints and trajectory, by rules."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.activity.features import Column, measure
from vision.activity.people import find_people
from vision.activity.rules import CERTAIN, RuleSettings, Verdict, judge
from vision.activity.types import UNSURE, ActivityRecognizer, ActivityState
from vision.activity.whereabouts import Whereabouts
from vision.activity.window import USUAL_NOISE, Floats, Window, measure_noise, summarise
from vision.errors import VisionError
from vision.structures import Frame

__all__ = ["PoseActivityRecognizer", "RecognizerSettings", "create_recognizer"]

_INTERVAL = 0.06  # seconds between samples: about 15 a second, whatever the source's rate
_HEIGHT_INTERVAL = 0.25
_HEIGHTS = 40  # ten seconds: who falls is still measured by how tall they stood
_TRUST = 0.05
_MOST_NOISE = 0.04  # body heights
_TALL = 0.8  # the percentile of them that counts


@dataclass(frozen=True, slots=True)
class RecognizerSettings:
    """How a recogniser judges.

    Attributes:
        window: Seconds that movements are judged by, 1 to 2.
        hold: Seconds that a new activity must last before it is believed.
        loitering_seconds: Who stays in one place for so long, loiters.
        loitering_radius: The place's radius, in body heights.
        forget_after: Seconds after which a track that is not seen is forgotten.
    """

    window: float = 1.8
    hold: float = 0.4
    loitering_seconds: float = 30.0
    loitering_radius: float = 1.5
    forget_after: float = 4.0


def create_recognizer(settings: RecognizerSettings | None = None) -> ActivityRecognizer:
    """Return a recogniser for one source.

    Raises:
        VisionError: ``bad_activity_settings``: a setting is out of its range.
    """
    return PoseActivityRecognizer(settings or RecognizerSettings())


class PoseActivityRecognizer:
    """Judges each person by the last one to two seconds; implements ``ActivityRecognizer``.

    Not thread safe: one source, one thread. Memory is bounded by the tracks of the last seconds.

    Args:
        settings: How it judges.

    Raises:
        VisionError: ``bad_activity_settings``.
    """

    def __init__(self, settings: RecognizerSettings) -> None:
        _check(settings)
        self._settings = settings
        self._rules = RuleSettings(settings.loitering_seconds)
        self._tracks: dict[int, _Track] = {}

    def update(self, detections: sv.Detections, frame: Frame) -> Sequence[ActivityState]:
        """Return the state of every tracked person; see ``ActivityRecognizer``."""
        now = frame.timestamp
        people = find_people(detections)
        keypoints = _keypoints(detections)
        tracks = [self._track(person.track_id) for person in people]
        posed = [keypoints is not None and _has_joints(keypoints[one.row]) for one in people]
        due = [i for i, track in enumerate(tracks) if track.is_due(now, posed[i])]
        if due:
            rows = [people[i].row for i in due]
            joints = None if keypoints is None else keypoints[rows]
            boxes = detections.xyxy[rows].astype(np.float32, copy=False)
            for i, row in zip(due, measure(now, boxes, joints), strict=True):
                tracks[i].add(row, posed[i], self._rules)
        for track in tracks:
            track.seen = max(track.seen, now)
        self._forget(now)
        return [track.state for track in tracks]

    def reset(self) -> None:
        """Forget every track."""
        self._tracks.clear()

    def _track(self, track_id: int) -> "_Track":
        track = self._tracks.get(track_id)
        if track is None:
            track = self._tracks[track_id] = _Track(track_id, self._settings)
        return track

    def _forget(self, now: float) -> None:
        oldest = now - self._settings.forget_after
        for track_id in [key for key, track in self._tracks.items() if track.seen < oldest]:
            del self._tracks[track_id]


class _Track:
    """The past of one person, and what is believed of them."""

    def __init__(self, track_id: int, settings: RecognizerSettings) -> None:
        self.state = ActivityState(track_id, UNSURE, 0.0, "seen for the first time")
        self.seen = -math.inf
        self._hold = settings.hold
        self._window = Window(settings.window)
        self._places = Whereabouts(settings.loitering_seconds, settings.loitering_radius)
        self._heights: deque[float] = deque(maxlen=_HEIGHTS)
        self._body_height = 0.0
        self._noise = USUAL_NOISE
        self._height_at = self._sampled_at = self._posed_at = -math.inf
        self._candidate = UNSURE
        self._since = -math.inf

    def is_due(self, now: float, posed: bool) -> bool:
        """Return whether a frame is far enough from the last one that was looked at."""
        last = self._posed_at if posed else self._sampled_at
        return now >= last + _INTERVAL and now > self._sampled_at

    def add(self, row: Floats, posed: bool, rules: RuleSettings) -> None:
        """Take a row of measurements and judge anew."""
        now = float(row[Column.TIME])
        self._sampled_at = now
        if posed:
            self._posed_at = now
        if posed or math.isinf(self._posed_at):
            self._grow(now, float(row[Column.BODY_HEIGHT]))
        self._window.add(row)
        height = self._body_height
        stayed = self._places.add(now, float(row[Column.X]), float(row[Column.Y]), height)
        past = self._window.rows
        self._settle(measure_noise(past, height))
        seen = summarise(past, height, stayed=stayed, noise=self._noise)
        self._believe(judge(seen, rules, self.state.label), now)

    def _grow(self, now: float, height: float) -> None:
        if now < self._height_at + _HEIGHT_INTERVAL and self._body_height:
            return
        self._height_at = now
        self._heights.append(max(height, 1.0))
        ordered = sorted(self._heights)
        self._body_height = ordered[int(_TALL * (len(ordered) - 1))]

    def _settle(self, noise: float) -> None:
        """Take what a window says of the noise: little, because it says it inexactly."""
        if not math.isnan(noise):
            self._noise += _TRUST * (min(noise, _MOST_NOISE) - self._noise)

    def _believe(self, verdict: Verdict, now: float) -> None:
        """Change the state once another verdict has lasted, so that labels do not flicker."""
        if verdict.label != self._candidate:
            self._candidate, self._since = verdict.label, now
        held = now - self._since
        if verdict.label != self.state.label and held < self._hold - 1e-6:
            return
        score = verdict.score if verdict.label != UNSURE else min(verdict.score, CERTAIN - 0.01)
        reason = verdict.reason
        if verdict.lasting and held > 0:
            reason = f"{reason} for {held:.1f} s"
        self.state = ActivityState(self.state.track_id, verdict.label, score, reason)


def _keypoints(detections: sv.Detections) -> NDArray[np.float32] | None:
    keypoints = detections.data.get("keypoints")
    if keypoints is None or not len(detections):
        return None
    array = np.asarray(keypoints, np.float32)
    if array.shape[1:] != (17, 3):
        raise VisionError(
            "bad_keypoints", f"Expected keypoints (N, 17, 3), got {tuple(array.shape)}."
        )
    return array


def _has_joints(keypoints: NDArray[np.float32]) -> bool:
    return bool((keypoints[:, 2] > 0).any())


def _check(settings: RecognizerSettings) -> None:
    if not 1.0 <= settings.window <= 2.0:
        _refuse(f"The window must be 1 to 2 seconds, not {settings.window}.")
    if not 0.0 <= settings.hold <= 2.0:
        _refuse(f"An activity must be held 0 to 2 seconds, not {settings.hold}.")
    if not settings.loitering_seconds >= 1.0:
        _refuse(f"Loitering takes at least 1 second, not {settings.loitering_seconds}.")
    if not settings.loitering_radius > 0.0:
        _refuse(f"The radius of loitering must be positive, not {settings.loitering_radius}.")
    if not settings.forget_after > 0.0:
        _refuse(f"Tracks must be kept for some time, not {settings.forget_after} seconds.")


def _refuse(sentence: str) -> None:
    raise VisionError("bad_activity_settings", sentence)

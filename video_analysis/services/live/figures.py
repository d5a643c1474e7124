"""How one camera goes: rates, ages and milliseconds over the last seconds."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv

from vision.sources.cameras import CaptureStatus

RATE_SECONDS = 5.0
AGE_SECONDS = 10.0
STAGES = ("decode", "wait", "gate", "detect", "track", "events", "encode", "total")
WHO = ("model", "backend", "device", "precision", "reason")


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Where the time of one frame went.

    Attributes:
        done: Monotonic seconds at which all was done.
        gated: Whether the detector rested.
        stages: Milliseconds of ``decode``, ``wait``, ``gate``, ``detect``, ``track``, ``events``
            and ``total``, in this order.
    """

    done: float
    gated: bool
    stages: tuple[float, float, float, float, float, float, float]


class Figures:
    """Collects frames as they are done; read from another thread every few seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[FrameTimes] = deque()
        self._drops: deque[tuple[float, int]] = deque()
        self._encoded: deque[tuple[float, float]] = deque()
        self._began = time.monotonic()
        self._shown: sv.Detections | None = None
        self._occupancy: Mapping[str | None, int] = {}
        self._answered: Mapping[str, str] = {}
        self.misses_faces = False
        """Whether faces are to be hidden, and nothing could look for them the last time."""

    def add(
        self,
        times: FrameTimes,
        shown: sv.Detections,
        occupancy: Mapping[str | None, int],
        answered: Mapping[str, str],
    ) -> None:
        """Note a frame that is done.

        Args:
            times: Where its time went.
            shown: Its tracked objects.
            occupancy: How many objects are where.
            answered: Who looked at it; empty where nobody did.
        """
        with self._lock:
            self._frames.append(times)
            while self._frames[0].done < times.done - AGE_SECONDS:
                self._frames.popleft()
            self._shown, self._occupancy = shown, occupancy
            if answered:
                self._answered = answered

    def note_encoded(self, milliseconds: float) -> None:
        """Note that a picture was made for those who watch."""
        now = time.monotonic()
        with self._lock:
            self._encoded.append((now, milliseconds))
            while self._encoded[0][0] < now - AGE_SECONDS:
                self._encoded.popleft()

    def forget_scene(self) -> None:
        """Note that nothing is known of what is in the picture."""
        with self._lock:
            self._shown = None
            self._occupancy = {}

    def read(self, status: CaptureStatus) -> dict[str, Any]:
        """Return the figures as JSON values; called by one thread."""
        now = time.monotonic()
        with self._lock:
            frames = [frame for frame in self._frames if frame.done >= now - AGE_SECONDS]
            encoded = [took for at, took in self._encoded if at >= now - AGE_SECONDS]
            shown, occupancy, answered = self._shown, self._occupancy, self._answered
        looked = [frame for frame in frames if not frame.gated]
        return {
            "fps": self._rates(frames, status, now),
            "age_ms": _ages(looked),
            "ms": _stages(looked or frames, encoded),
            "counts": _counts(shown),
            "tracks": 0 if shown is None else len(shown),
            "occupancy": {key or "": count for key, count in occupancy.items()},
            "epoch": status.epoch,
            **{name: answered.get(name, "") for name in WHO},
            **({"misses_faces": True} if self.misses_faces else {}),
        }

    def _rates(
        self, frames: list[FrameTimes], status: CaptureStatus, now: float
    ) -> dict[str, float]:
        seconds = min(RATE_SECONDS, max(1.0, now - self._began))
        lately = [frame.gated for frame in frames if frame.done >= now - seconds]
        self._drops.append((now, status.dropped))
        while len(self._drops) > 2 and self._drops[1][0] <= now - RATE_SECONDS:
            self._drops.popleft()
        (since, before), (_, after) = self._drops[0], self._drops[-1]
        # A capture that was opened anew counts from nothing.
        dropped = max(0, after - before) / (now - since) if now > since else 0.0
        return {
            "in": round(status.fps, 1),
            "processed": round(lately.count(False) / seconds, 1),
            "gated": round(lately.count(True) / seconds, 1),
            "dropped": round(dropped, 1),
        }


def _ages(looked: list[FrameTimes]) -> dict[str, float]:
    if not looked:
        return {"p50": 0, "p95": 0, "newest": 0}
    totals = np.array([frame.stages[-1] for frame in looked])
    p50, p95 = np.percentile(totals, (50, 95))
    return {"p50": round(p50), "p95": round(p95), "newest": round(totals[-1])}


def _stages(frames: list[FrameTimes], encoded: list[float]) -> dict[str, float]:
    if not frames:
        return dict.fromkeys(STAGES, 0.0)
    means = np.array([frame.stages for frame in frames]).mean(axis=0).round(2).tolist()
    *before, total = means
    encode = round(sum(encoded) / len(encoded), 2) if encoded else 0.0
    return dict(zip(STAGES, (*before, encode, total), strict=True))


def _counts(shown: sv.Detections | None) -> dict[str, int]:
    names = None if shown is None else shown.data.get("class_name")
    return {} if names is None else dict(Counter(str(name) for name in names).most_common())

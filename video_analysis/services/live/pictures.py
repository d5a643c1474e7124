"""Pictures for whoever watches: encoded once per frame and size, and only while somebody does.

A thread of its own encodes and writes, so that neither an encoder nor a Redis that hangs keeps a
camera waiting. Of each camera only the newest frame is waiting for it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from common.previews import Preview, is_watched, write_preview
from video_analysis.services.live.figures import Figures
from vision.encoding.scaled import encode_scaled
from vision.pipeline.results import Places
from vision.structures import Frame

logger = logging.getLogger(__name__)

SIZES: Final = {"small": (512, 70), "large": (1280, 80)}
"""Longest side and JPEG quality."""
LOOK_SECONDS = 0.25
STAGES: Final = ("decode", "wait", "gate", "detect", "track", "events")


def slot_name(camera_id: int, size: str) -> str:
    """Return the name of the slot in which a camera's newest picture lies."""
    return f"camera:{camera_id}:{size}"


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame that is done.

    Attributes:
        epoch: Of its capture.
        captured: Monotonic seconds.
        hide: Returns what is to be hidden. It may look for faces first: it is asked only when the
            picture is shown, by the thread that encodes it.
        stages: Milliseconds, as in `FrameTimes`.
        figures: Told what encoding took.
    """

    camera_id: int
    frame: Frame
    epoch: int
    captured: float
    detections: sv.Detections
    hide: Callable[[], Places | None]
    occupancy: Mapping[str | None, int]
    gated: bool
    stages: tuple[float, ...]
    figures: Figures


class PicturePublisher:
    """Puts the newest pictures of cameras into their slots."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, Shot] = {}
        self._wanted: dict[int, tuple[str, ...]] = {}
        self._numbers: dict[int, int] = {}
        self._stopping = False
        self._looked_at = 0.0
        self._thread = threading.Thread(target=self._run, name="live-pictures", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End; return whether it did in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def add(self, camera_id: int) -> None:
        """Look whether anybody watches this camera."""
        with self._changed:
            self._wanted[camera_id] = ()

    def remove(self, camera_id: int) -> None:
        """Look no longer."""
        with self._changed:
            self._wanted.pop(camera_id, None)
            self._waiting.pop(camera_id, None)

    def is_wanted(self, camera_id: int) -> bool:
        """Tell whether anybody watches a camera; costs nothing."""
        return bool(self._wanted.get(camera_id))

    def publish(self, shot: Shot) -> None:
        """Have a frame published; one of the same camera that still waits is left out."""
        with self._changed:
            if shot.camera_id in self._wanted:
                self._waiting[shot.camera_id] = shot
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._stopping:
                    self._changed.wait(LOOK_SECONDS)
                if self._stopping:
                    return
                shots, self._waiting = list(self._waiting.values()), {}
            self._look_who_watches()
            for shot in shots:
                try:
                    self._show(shot)
                except Exception:
                    logger.exception("A picture of camera %d was not shown", shot.camera_id)

    def _look_who_watches(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        for camera_id in list(self._wanted):
            sizes = tuple(size for size in SIZES if is_watched(slot_name(camera_id, size)))
            with self._changed:
                if camera_id in self._wanted:
                    self._wanted[camera_id] = sizes
        self._looked_at = time.monotonic()

    def _show(self, shot: Shot) -> None:
        sizes = self._wanted.get(shot.camera_id, ())
        if not sizes:
            return
        began = time.perf_counter()
        image = unrecognisable(shot.frame.image, shot.hide())
        number = max(_unix_ms(shot.frame), self._numbers.get(shot.camera_id, 0) + 1)
        self._numbers[shot.camera_id] = number
        for size in sizes:
            longest, quality = SIZES[size]
            jpeg = encode_scaled(image, longest=longest, quality=quality)
            took = (time.perf_counter() - began) * 1000.0
            write_preview(slot_name(shot.camera_id, size), Preview(number, jpeg, _meta(shot, took)))
        shot.figures.note_encoded((time.perf_counter() - began) * 1000.0)


def unrecognisable(image: NDArray[np.uint8], hidden: Places | None) -> NDArray[np.uint8]:
    """Return a picture in which places are blurred; the same where there are none.

    Args:
        image: (H, W, 3) uint8 BGR; it is not changed.
        hidden: What is to be hidden.
    """
    if hidden is None or not (len(hidden.people) or len(hidden.faces)):
        return image
    copy = image.copy()
    hidden.blur(copy)
    return copy


def _unix_ms(frame: Frame) -> int:
    return round(frame.wall_clock.timestamp() * 1000)


def _meta(shot: Shot, encode_ms: float) -> bytes:
    stages = dict(zip(STAGES, shot.stages, strict=False))
    total = (time.monotonic() - shot.captured) * 1000.0
    meta = {
        "camera": shot.camera_id,
        "at": _unix_ms(shot.frame),
        "epoch": shot.epoch,
        "width": shot.frame.width,
        "height": shot.frame.height,
        "objects": _objects(shot.detections, shot.frame),
        "occupancy": {key or "": count for key, count in shot.occupancy.items()},
        "gated": shot.gated,
        "ms": {
            name: round(value, 1)
            for name, value in {**stages, "encode": encode_ms, "total": total}.items()
        },
    }
    return json.dumps(meta, separators=(",", ":"), ensure_ascii=False).encode()


def _objects(detections: sv.Detections, frame: Frame) -> list[list[object]]:
    count = len(detections)
    if not count or detections.tracker_id is None:
        return []
    boxes = np.array(detections.xyxy, np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    boxes /= (frame.width, frame.height) * 2
    names = detections.data.get("class_name", [""] * count)
    sure = detections.confidence if detections.confidence is not None else np.ones(count)
    return [
        [number, str(name), round(confidence, 2), *box]
        for number, name, confidence, box in zip(
            detections.tracker_id.tolist(),
            names,
            sure.tolist(),
            boxes.round(4).tolist(),
            strict=True,
        )
    ]

"""Made-up people for the tests of the scene watcher: boxes at places, frame by frame."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import supervision as sv

from vision.analytics.watcher import SceneEvent, SceneWatcher
from vision.structures import Frame

WIDTH, HEIGHT, RATE = 640, 480, 10.0
TALL = 100.0
"""Pixels of a person's height."""

Place = tuple[float, float]
People = Mapping[int, Place]
"""Feet in pixels by track number."""

_BLANK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def make_frame(timestamp: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Frame:
    image = _BLANK if size == (WIDTH, HEIGHT) else np.zeros((size[1], size[0], 3), np.uint8)
    return Frame(image, 0, timestamp, datetime(2026, 1, 1, tzinfo=UTC), "test")


def make_people(
    people: People, *, tall: float = TALL, name: str = "person", predicted: bool = False
) -> sv.Detections:
    feet = np.array(list(people.values()), np.float64).reshape(-1, 2)
    x, y = feet[:, 0], feet[:, 1]
    n = len(feet)
    return sv.Detections(
        xyxy=np.column_stack((x - tall / 6, y - tall, x + tall / 6, y)).astype(np.float32),
        confidence=np.full(n, 0.8, np.float32),
        class_id=np.full(n, 0 if name == "person" else 2),
        tracker_id=np.array(list(people), np.int64),
        data={
            "class_name": np.array([name] * n, dtype=str),
            "predicted": np.full(n, predicted, np.bool_),
        },
    )


def watch(
    watcher: SceneWatcher,
    moments: Iterable[People],
    *,
    start: float = 0.0,
    rate: float = RATE,
    tall: float = TALL,
    finish: bool = True,
) -> list[SceneEvent]:
    """Show the watcher one frame after the other; return all its events."""
    events: list[SceneEvent] = []
    for index, people in enumerate(moments):
        found = make_people(people, tall=tall)
        events += watcher.update(found, make_frame(start + index / rate))
    return events + (watcher.finish() if finish else [])


def walk(*places: Place, speed: float = 80.0, rate: float = RATE, track: int = 1) -> list[People]:
    """Return the frames of one person who walks from place to place, in pixels per second."""
    moments: list[People] = [{track: places[0]}]
    for begin, end in itertools.pairwise(places):
        steps = max(1, round(np.hypot(end[0] - begin[0], end[1] - begin[1]) / speed * rate))
        for step in range(1, steps + 1):
            share = step / steps
            moments.append(
                {
                    track: (
                        begin[0] + share * (end[0] - begin[0]),
                        begin[1] + share * (end[1] - begin[1]),
                    )
                }
            )
    return moments


def of_kind(events: Sequence[SceneEvent], *kinds: str) -> list[SceneEvent]:
    return [event for event in events if event.kind in kinds]

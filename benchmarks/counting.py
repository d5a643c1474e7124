"""Events of zones and lines: what they cost, and what is counted of people who stand on a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.analytics.regions import CountingLine, Zone
from vision.analytics.watcher import SceneWatcher
from vision.structures import Frame

WIDTH, HEIGHT, RATE = 640, 480, 10.0
PEOPLE, ZONES, LINES, FRAMES = 20, 8, 4, 1000
TALL = 100.0
# Deviation of the foot from frame to frame, as a share of the height. Half the spread of a standing
# person's box is new in every frame; the rest stays from the frame before.
JITTER = (0.01, 0.02, 0.04)
SEEDS = range(20)
STANDING = 60.0  # seconds
WALKERS = 100  # per seed they are one after the other, every second one the other way
PATIENCE = 2.0

OURS, PEER = "SceneWatcher", "LineZone + PolygonZone"
LINE = CountingLine("line", (0.1, 0.5), (0.9, 0.5))
BLANK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
START = datetime(2026, 1, 1, tzinfo=UTC)

Moment = tuple[sv.Detections, Frame]


@dataclass(frozen=True)
class Counter:
    """Somebody who counts crossings of `LINE`; the number is that of both directions."""

    name: str
    count: Callable[[Sequence[Moment]], int]


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        "Zones and lines",
        (
            "contender",
            f"ms a frame, {ZONES} zones and {LINES} lines",
            *(f"counted, stands, {share:.0%}" for share in JITTER),
            "counted, walk over, 2%",
        ),
    )
    crowd = crowd_moments()
    rates = measure_interleaved(
        {OURS: lambda: _watch_crowd(crowd), PEER: lambda: _peer_crowd(crowd)}, rounds=rounds
    )
    names = {OURS: OURS, PEER: "LineZone, foot"}
    times = {names[name]: f"{rate.milliseconds:.3f}" for name, rate in rates.items()}
    for counter in counters():
        standing = [
            sum(counter.count(standing_moments(share, seed)) for seed in SEEDS) for share in JITTER
        ]
        walked = counter.count(walking_moments(JITTER[1], seed=1))
        section.rows.append(
            (counter.name, times.get(counter.name, ""), *map(str, standing), str(walked))
        )
    section.rows.append(("truth", "", *("0" for _ in JITTER), str(WALKERS)))
    section.notes += _notes(ratio(rates[OURS], rates[PEER]))
    return section


def counters() -> list[Counter]:
    """Return ours, and supervision's line with the same foot point."""
    foot, corners = [sv.Position.BOTTOM_CENTER], None
    return [
        Counter(OURS, _count_ours),
        Counter("LineZone, foot", lambda moments: _count_peer(moments, foot, 1)),
        Counter("LineZone, foot, 3 frames", lambda moments: _count_peer(moments, foot, 3)),
        Counter("LineZone, four corners", lambda moments: _count_peer(moments, corners, 1)),
    ]


def crowd_moments() -> list[Moment]:
    """People who walk about, bounce off the edges and jitter by 1%."""
    rng = np.random.default_rng(0)
    places = rng.uniform((0, TALL), (WIDTH, HEIGHT), (PEOPLE, 2))
    speeds = rng.normal(0, 40, (PEOPLE, 2))
    limits = np.array([WIDTH, HEIGHT])
    moments = []
    for index in range(FRAMES):
        places = places + speeds / RATE
        speeds = np.where((places < 0) | (places > limits), -speeds, speeds)
        places = places.clip(0, limits)
        jittered = places + rng.normal(0, 0.01 * TALL, places.shape)
        moments.append(_moment(index, jittered, np.arange(1, PEOPLE + 1)))
    return moments


def standing_moments(share: float, seed: int) -> list[Moment]:
    """One person whose feet are on the line for a minute; nobody crosses."""
    rng = np.random.default_rng([seed, round(1000 * share)])
    feet = _jitter(rng, share, round(STANDING * RATE))
    feet += np.array([WIDTH / 2, LINE.start[1] * HEIGHT])
    return [_moment(index, foot[None], np.ones(1, np.int64)) for index, foot in enumerate(feet)]


def walking_moments(share: float, seed: int) -> list[Moment]:
    """People who walk over the line one after the other, at 0.8 of their heights a second."""
    rng = np.random.default_rng([seed, 2])
    # Far enough for the upper corners of the boxes, too.
    way = np.arange(-TALL, 2 * TALL, 0.8 * TALL / RATE)
    moments: list[Moment] = []
    for walker in range(1, WALKERS + 1):
        y = LINE.start[1] * HEIGHT + (way if walker % 2 else way[::-1])
        feet = np.column_stack((np.full(len(way), WIDTH / 2), y)) + _jitter(rng, share, len(way))
        moments += [
            _moment(len(moments) + index, foot[None], np.array([walker]))
            for index, foot in enumerate(feet)
        ]
        # Away for long enough that the next one is somebody else.
        nobody = np.empty((0, 2))
        moments += [
            _moment(len(moments) + index, nobody, np.empty(0, np.int64))
            for index in range(round(2 * PATIENCE * RATE))
        ]
    return moments


def _jitter(rng: np.random.Generator, share: float, frames: int) -> NDArray[np.float64]:
    """Return (F, 2) pixels of noise that is in part that of the frame before."""
    noise = rng.normal(0, share * TALL, (frames, 2))
    for at in range(1, frames):
        noise[at] = np.sqrt(0.5) * (noise[at - 1] + noise[at])
    return noise


def _moment(index: int, feet: NDArray[np.float64], ids: NDArray[np.int64]) -> Moment:
    x, y = feet[:, 0], feet[:, 1]
    half = TALL / 6
    detections = sv.Detections(
        xyxy=np.column_stack((x - half, y - TALL, x + half, y)).astype(np.float32),
        confidence=np.full(len(ids), 0.8, np.float32),
        class_id=np.zeros(len(ids), np.int64),
        tracker_id=ids,
        data={"class_name": np.full(len(ids), "person")},
    )
    return detections, Frame(BLANK, index, index / RATE, START, "benchmark")


def _polygons() -> list[NDArray[np.float64]]:
    """Return hexagons in two rows."""
    shape = np.array([[0.0, 0.0], [0.2, 0.0], [0.22, 0.2], [0.2, 0.4], [0.0, 0.4], [0.03, 0.2]])
    corners = [(0.02 + 0.24 * (at % 4), 0.05 + 0.47 * (at // 4)) for at in range(ZONES)]
    return [shape + corner for corner in corners]


def _lines() -> list[CountingLine]:
    return [
        CountingLine(f"line {at}", (0.1, 0.2 + 0.2 * at), (0.9, 0.25 + 0.2 * at))
        for at in range(LINES)
    ]


def _watch_crowd(moments: Sequence[Moment]) -> int:
    zones = [Zone(f"zone {at}", one, 5.0) for at, one in enumerate(_polygons())]
    watcher = SceneWatcher(zones, _lines(), patience=PATIENCE)
    for detections, frame in moments:
        watcher.update(detections, frame)
    return len(moments)


def _peer_crowd(moments: Sequence[Moment]) -> int:
    zones = [sv.PolygonZone((one * (WIDTH, HEIGHT)).astype(np.int64)) for one in _polygons()]
    lines = [_line_zone(line, [sv.Position.BOTTOM_CENTER], 1) for line in _lines()]
    for detections, _ in moments:
        for region in (*zones, *lines):
            region.trigger(detections)
    return len(moments)


def _count_ours(moments: Sequence[Moment]) -> int:
    watcher = SceneWatcher([], [LINE], patience=PATIENCE)
    events = [event for moment in moments for event in watcher.update(*moment)]
    return sum(event.kind == "crossing" for event in events + watcher.finish())


def _count_peer(moments: Sequence[Moment], anchors: list[sv.Position] | None, frames: int) -> int:
    zone = _line_zone(LINE, anchors, frames)
    for detections, _ in moments:
        zone.trigger(detections)
    return zone.in_count + zone.out_count


def _line_zone(line: CountingLine, anchors: list[sv.Position] | None, frames: int) -> sv.LineZone:
    start, end = (sv.Point(x * WIDTH, y * HEIGHT) for x, y in (line.start, line.end))
    if anchors is None:
        return sv.LineZone(start, end, minimum_crossing_threshold=frames)
    return sv.LineZone(start, end, anchors, minimum_crossing_threshold=frames)


def _notes(faster: float) -> list[str]:
    return [
        f"Milliseconds: {PEOPLE} people; the peer is supervision {sv.__version__} with a "
        "PolygonZone for every zone, which tells who is inside and no more. Ours, which also tells "
        f"of stays and occupancy and waits for the lost, does {faster:.2f} times as many frames a "
        "second.",
        f"Counted: crossings in both directions; stands: {len(SEEDS)} seeds, each one person for "
        f"{STANDING:.0f} seconds at {RATE:g} frames a second with the feet on the line, whose box "
        f"jitters by so much of its height; walk over: {WALKERS} people, half of them each way. "
        "With four corners, as LineZone does by itself, a person counts when the whole box is "
        "across, a body height later than the feet.",
    ]

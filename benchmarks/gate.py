"""What the motion gate saves on a quiet scene, and whom it misses."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import supervision as sv

from benchmarks.engine import make_engine
from benchmarks.material import Material
from benchmarks.report import Section
from vision.engine import Engine
from vision.pipeline import FrameResult, Pipeline, PipelineConfig
from vision.structures import Frame
from vision.synthetic import GroundTruth, quiet_scene

SECONDS = 1800.0
RATE = 10.0
BATCH = 8  # frames given to the pipeline at once
PERSON = 0
FOUND_IN = 3  # frames in which a person must be tracked to count as found

Moment = tuple[Frame, GroundTruth]


@dataclass
class Contender:
    """A pipeline, the time its detector took and whom it tracked how often."""

    pipeline: Pipeline
    seconds: float = 0.0
    looked: int = 0
    motion: int = 0
    seen: Counter[int] = field(default_factory=Counter)

    def run(self, moments: Sequence[Moment]) -> None:
        prepared = self.pipeline.prepare([frame for frame, _ in moments])
        started = time.perf_counter()
        looked = self.pipeline.look(prepared)
        self.seconds += time.perf_counter() - started
        results = self.pipeline.follow(looked)
        for result, (_, truth) in zip(results, moments, strict=True):
            self.looked += result.detected
            self.motion += result.motion is not None and result.motion.moving
            self.seen.update(tracked_people(result, truth))

    @property
    def found(self) -> set[int]:
        return {person for person, frames in self.seen.items() if frames >= FOUND_IN}


def run(material: Material, cache: Path, *, rounds: int, seconds: float = SECONDS) -> Section:
    section = Section(
        "Motion gate on a generated quiet clip (seed 1), yolov8n and ByteTrack",
        ("contender", "frames looked at", "detector, s", "saved", "tracks found"),
    )
    if not material.real_weights:
        section.notes.append("Not measured: random weights find no people.")
        return section
    scene = quiet_scene(seed=1, seconds=seconds, rate=RATE)
    with make_engine(material, cache, "auto") as engine:
        engine.detect([np.zeros((*scene.size[::-1], 3), np.uint8)] * BATCH)  # loads the model
        always, gated = _contender(engine, gate=False), _contender(engine, gate=True)
        occupied = 0
        for moments in _batches(iter(scene)):
            occupied += sum(len(truth) > 0 for _, truth in moments)
            always.run(moments)
            gated.run(moments)
    section.rows += [
        _row("every frame", always, always, len(scene)),
        _row("gated by MOG2", gated, always, len(scene)),
    ]
    section.notes.append(
        f"{len(scene)} frames of 640x480 at {RATE:g} per second, somebody in "
        f"{100 * occupied / len(scene):.1f}% of them, motion reported in "
        f"{100 * gated.motion / len(scene):.1f}%; the rest is noise and light that drifts by 15%. "
        f"A track is a person whom the ungated run follows in {FOUND_IN} frames or more (IoU 0.5); "
        "found is who is among the tracks of the gated run, too."
    )
    return section


def tracked_people(result: FrameResult, truth: GroundTruth) -> list[int]:
    """Return the ids of the people whom a track covers with IoU 0.5 or more."""
    if not len(truth) or not len(result.detections):
        return []
    overlaps = sv.box_iou_batch(truth.boxes, result.detections.xyxy).max(axis=1)
    return [int(person) for person in truth.ids[overlaps >= 0.5]]


def _contender(engine: Engine, *, gate: bool) -> Contender:
    config = PipelineConfig(classes=(PERSON,), motion="mog2" if gate else None, gate=gate)
    return Contender(Pipeline(engine, config, rate=RATE))


def _batches(moments: Iterator[Moment]) -> Iterator[list[Moment]]:
    while batch := list(islice(moments, BATCH)):
        yield batch


def _row(name: str, contender: Contender, always: Contender, frames: int) -> tuple[str, ...]:
    both = always.found & contender.found
    share = f" ({100 * len(both) / len(always.found):.1f}%)" if always.found else ""
    return (
        name,
        f"{contender.looked} ({100 * contender.looked / frames:.1f}%)",
        f"{contender.seconds:.1f}",
        f"{always.seconds / max(contender.seconds, 1e-9):.1f}x",
        f"{len(both)} of {len(always.found)}{share}",
    )

"""Every tracker: how good on sequences with ground truth, how fast on public detections."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import supervision as sv

from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.timing import Rates, measure_interleaved
from vision.evaluation.tracking import (
    COMBINED,
    TrackedSequence,
    TrackingMetrics,
    evaluate_sequences,
)
from vision.evaluation.tracking_folder import MotSequence, read_sequences
from vision.evaluation.tracking_run import track
from vision.structures import Frame
from vision.tracking import TRACKERS

SEEDS = range(11, 21)  # the settings were chosen on others (1 to 6) and on TUD-Campus
SCENE_SECONDS = 20.0
SCENE_PEOPLE = 8
# A person who is hidden more than this is not missed by a tracker that loses him.
LEAST_VISIBLE = 0.25
CROWD = 100
BLANK = np.zeros((16, 16, 3), np.uint8)

Judged = tuple[str, Sequence[sv.Detections], Sequence[sv.Detections], Sequence[Frame], float]
"""A sequence's name, ground truth per frame, detections per frame, frames and frames per second."""


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", "")) / "mot"
    public = read_sequences(folder) if folder.is_dir() else []
    judged = [_judged(sequence) for sequence in public if sequence.truth and sequence.detections]
    timed = [sequence for sequence in public if not sequence.truth]
    groups = {"TUD-Campus": judged} if judged else {}
    groups[f"{len(SEEDS)} synthetic scenes"] = list(synthetic_sequences())
    scores = {name: compare(sequences) for name, sequences in groups.items()}
    rates = measure_interleaved(_contenders(timed), rounds=rounds)
    columns = ["tracker"]
    columns += [f"{kind}, {name}" for name in scores for kind in ("HOTA", "IDF1", "IDSW")]
    columns += [f"frames/s, {CROWD} objects"] + ["frames/s, MOT15"] * bool(timed)
    section = Section("Trackers", columns)
    for tracker in TRACKERS:
        cells = [_cells(table[tracker]) for table in scores.values()]
        section.rows.append((tracker, *(cell for part in cells for cell in part),
                             *_speeds(tracker, rates)))  # fmt: skip
    section.notes += _notes(timed, scores)
    return section


def compare(sequences: Sequence[Judged]) -> dict[str, TrackingMetrics]:
    """The measures of every tracker over sequences taken together."""
    answers = {}
    for tracker in TRACKERS:
        judged = {}
        for name, truth, detections, frames, rate in sequences:
            results, _ = track(tracker, detections, frames, rate=rate)
            judged[name] = TrackedSequence(truth, results)
        answers[tracker] = evaluate_sequences(judged)[COMBINED]
    return answers


def synthetic_sequences() -> Iterator[Judged]:
    """Scenes of known people, seen by a detector that errs; one for every seed."""
    from vision.synthetic import Scene, noisy_detections

    for seed in SEEDS:
        scene = Scene(seed=seed, seconds=SCENE_SECONDS, people=SCENE_PEOPLE)
        truth, detections, frames = [], [], []
        for frame, people in scene:
            truth.append(people.as_detections(least_visible=LEAST_VISIBLE))
            detections.append(noisy_detections(people, seed=seed, size=scene.size))
            # The camera stands still: nobody needs the pictures, which are gigabytes.
            frames.append(replace(frame, image=BLANK))
        yield f"seed {seed}", truth, detections, frames, scene.rate


def _judged(sequence: MotSequence) -> Judged:
    frames = list(sequence.blank_frames())
    return sequence.name, sequence.truth or [], sequence.detections or [], frames, sequence.rate


def _contenders(timed: Sequence[MotSequence]) -> dict[str, Callable[[], int]]:
    crowd, blank = _crowd()
    work = [
        (sequence.detections or [], list(sequence.blank_frames()), sequence.rate)
        for sequence in timed
    ]

    def over(name: str, parts: Sequence[tuple[Sequence[sv.Detections], Sequence[Frame], float]]):
        return lambda: sum(len(track(name, found, frames, rate=rate)[0])
                           for found, frames, rate in parts)  # fmt: skip

    contenders = {f"{name}, crowd": over(name, [(crowd, blank, 25.0)]) for name in TRACKERS}
    if work:
        contenders |= {f"{name}, MOT15": over(name, work) for name in TRACKERS}
    return contenders


def _crowd(frames: int = 100) -> tuple[list[sv.Detections], list[Frame]]:
    """People who wander in a wide picture, all of them found in every frame."""
    rng = np.random.default_rng(0)
    start, speed = rng.uniform(0, 1800, (CROWD, 2)), rng.normal(0, 2, (CROWD, 2))
    size = rng.uniform((20, 50), (50, 120), (CROWD, 2))
    found = []
    for index in range(frames):
        corner = start + speed * index + rng.normal(0, 0.5, (CROWD, 2))
        found.append(
            sv.Detections(
                xyxy=np.hstack((corner, corner + size)).astype(np.float32),
                confidence=rng.uniform(0.5, 0.9, CROWD).astype(np.float32),
                class_id=np.zeros(CROWD, np.int64),
            )
        )
    blank = MotSequence("crowd", 25.0, frames, None, None, None, (), None)
    return found, list(blank.blank_frames())


def _cells(metrics: TrackingMetrics) -> tuple[str, str, str]:
    return f"{100 * metrics.HOTA:.1f}", f"{100 * metrics.IDF1:.1f}", str(metrics.IDSW)


def _speeds(tracker: str, rates: dict[str, Rates]) -> list[str]:
    names = (f"{tracker}, crowd", f"{tracker}, MOT15")
    return [f"{rates[name].median:.0f}" for name in names if name in rates]


def _notes(timed: Sequence[MotSequence], scores: dict[str, object]) -> list[str]:
    notes = [
        f"Synthetic: {SCENE_SECONDS:.0f} seconds with {SCENE_PEOPLE} people at a time, found by a "
        "detector model that jitters, misses who is hidden and sees some who are not there; the "
        "measures are those of all seeds together. Speed is that of the tracker alone; BoT-SORT "
        "compensates the camera's motion where there are pictures; here it sees black ones. The "
        "settings of the trackers were chosen on TUD-Campus and on scenes of other seeds."
    ]
    if "TUD-Campus" in scores:
        notes.append("TUD-Campus: the public detections of MOT15, IoU 0.5 for IDF1.")
    if timed:
        frames = sum(sequence.frames for sequence in timed)
        names = ", ".join(sequence.name for sequence in timed)
        notes.append(f"MOT15: public detections of {names}, {frames} frames.")
    return notes

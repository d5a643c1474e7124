"""Activities: scripted people of whom the truth is known, clips of a webcam, walkers in a street.

The thresholds were set on the scripted people of seeds below 120; what is measured here are others.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import supervision as sv

from benchmarks.engine import make_engine
from benchmarks.material import Material
from benchmarks.report import Section
from vision.activity import ACTIVITIES, UNSURE, create_recognizer
from vision.activity.scripted import OTHER, SCRIPTS, play, random_camera
from vision.detection.keypoints import attach_keypoints
from vision.engine import Engine
from vision.structures import Frame
from vision.tracking import create_tracker

SEEDS = range(200, 220)
RATES = (5, 10, 25, 30)
LABELS = (*ACTIVITIES, UNSURE)
MODEL, DETECTOR = "yolov8n-pose", "yolov8n"
# What the clips show, seen frame by frame: words of a sign language, hands below the eyes.
CLIPS = {
    "no": "one hand at shoulder height, fingers snap",
    "thanks": "one hand moves from the chin downwards",
    "walk": "both hands move in turn before the chest",
    "yes": "one fist nods at shoulder height",
}
Counts = dict[str, Counter[str]]


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        "Activities: what was said (columns) of what people did (rows), % of the frames",
        ("truth", *(label.replace("_", " ") for label in LABELS), "frames", "reaction"),
    )
    said, reactions = play_scripts()
    for label in ACTIVITIES:
        waited = reactions.get(label, [])
        reaction = f"{statistics.median(waited):.1f} s" if waited else ""
        section.rows.append((label.replace("_", " "), *_shares(said[label]), reaction))
    section.rows.append(("crouching, bending", *_shares(said[OTHER]), ""))
    section.notes.append(
        f"Scripted people, {len(SEEDS)} seeds never used for tuning, at "
        f"{', '.join(map(str, RATES))} frames/s: seen from any side and up to 25° from above, "
        "noise of 1 to 3% of the body height on every joint, up to 15% of the joints missing, "
        "60 to 600 pixels tall. Two seconds after a change count for nothing; reaction: median "
        "time from the change to the right label. Who runs straight towards the camera is said "
        "to walk; at 5 frames/s most waving is too fast to be seen."
    )
    data = material.pictures_dir.parents[1] if material.pictures_dir else None
    if data is not None and (material.weights_dir / f"{MODEL}.pt").exists():
        with make_engine(material, cache, "auto") as engine:
            _add_clips(section, engine, data / "videos" / "gestures")
            _add_street(section, engine, data / "videos" / "vtest_480x360.mp4")
    section.notes.append(_describe_cost(max(1, rounds)))
    return section


def play_scripts() -> tuple[Counts, dict[str, list[float]]]:
    """Return what was said by truth, and how long it took by activity, in seconds."""
    said: Counts = defaultdict(Counter)
    reactions: dict[str, list[float]] = defaultdict(list)
    for seed in SEEDS:
        for rate in RATES:
            for name in SCRIPTS:
                if name != "loitering" or rate == 10:  # half a minute each: once is enough
                    _play(name, seed, rate, said, reactions)
    return said, reactions


def _play(name: str, seed: int, rate: int, said: Counts, reactions: dict[str, list[float]]) -> None:
    recognizer = create_recognizer()
    began: dict[str, float] = {}
    for label, start, _ in parts(name):
        began.setdefault(label, start)
    for moment in play(name, random_camera(seed, rate=rate)):
        (state,) = recognizer.update(moment.detections, moment.frame)
        if moment.truth is not None:
            said[moment.truth][state.label] += 1
        start = began.get(state.label)
        if start is not None and moment.frame.timestamp >= start:
            reactions[state.label].append(moment.frame.timestamp - start)
            del began[state.label]


def parts(name: str) -> Iterator[tuple[str, float, float]]:
    """Yield label, start and end of a script's parts, in seconds."""
    start = 0.0
    for label, seconds, _ in SCRIPTS[name]:
        yield label, start, start + seconds
        start += seconds


def _shares(counts: Counter[str]) -> tuple[str, ...]:
    total = sum(counts.values())
    shares = (100 * counts[label] / max(total, 1) for label in LABELS)
    return (*(f"{share:.1f}" if share else "0" for share in shares), str(total))


def _add_clips(section: Section, engine: Engine, folder: Path) -> None:
    """A webcam's view down to the hips: none of the eight can be seen, nor may be claimed."""
    for name, shown in CLIPS.items():
        path = folder / f"{name}.mkv"
        if path.exists():
            counts, _ = watch(engine, path, rate=30.0)
            section.rows.append((f"{name}.mkv", *_shares(counts), ""))
            section.notes.append(f"{name}.mkv: {shown}; a webcam's view, no knees in the picture.")
    section.notes.append(
        "The four clips show no waving and no hands up; whether somebody stands or sits cannot be "
        "seen: unsure is right, everything else would be wrong."
    )


def _add_street(section: Section, engine: Engine, path: Path) -> None:
    if not path.exists():
        return
    for detector in (MODEL, DETECTOR):
        counts, speed = watch(engine, path, rate=10.0, detector=detector)
        section.rows.append((f"{path.name}, {detector}", *_shares(counts), ""))
        section.notes.append(
            f"{path.name}, people found by {detector}: decoding, detection, poses, ByteTrack and "
            f"activities at {speed:.0f} frames/s."
        )
    section.notes.append(
        "The street has walkers 50 to 90 pixels tall, some of whom stand and talk; there is no "
        "truth, the shares show what is plausible. Of people that small the pose network finds few."
    )


def watch(
    engine: Engine, path: Path, *, rate: float, detector: str = MODEL
) -> tuple[Counter[str], float]:
    """Return what was said in a clip, by frame and person, and the frames/s of it all.

    A detector other than the pose network finds the people, who then get their joints from it.
    """
    recognizer, tracker = create_recognizer(), create_tracker("bytetrack", rate=rate)
    counts: Counter[str] = Counter()
    started, frames = time.perf_counter(), 0
    for frame in read(path):
        (found,) = engine.detect([frame.image], model=MODEL)
        if detector != MODEL:
            (people,) = engine.detect([frame.image], model=detector, classes=[0])
            found = attach_keypoints(people, found)
        for state in recognizer.update(tracker.update(found, frame), frame):
            counts[state.label] += 1
        frames += 1
    return counts, frames / (time.perf_counter() - started)


def read(path: Path) -> Iterator[Frame]:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            moment = float(picture.time or 0.0)
            image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
            yield Frame(image, index, moment, start + timedelta(seconds=moment), path.name)


def _describe_cost(rounds: int) -> str:
    alone, many = (_cost(people, rounds) for people in (1, 20))
    return (
        f"Cost of the recogniser at 30 frames/s: {alone:.3f} ms a frame with one person, "
        f"{many:.3f} ms per person and frame with twenty."
    )


def _cost(people: int, rounds: int) -> float:
    """Return milliseconds per person and frame, median of the rounds."""
    moments = list(play("walking", random_camera(1, rate=30)))
    crowd = []
    for moment in moments:
        crowded = sv.Detections.merge([moment.detections] * people)
        crowded.tracker_id = np.arange(1, people + 1)
        crowd.append(crowded)
    spent = []
    for _ in range(rounds):
        recognizer = create_recognizer()
        started = time.perf_counter()
        for detections, moment in zip(crowd, moments, strict=True):
            recognizer.update(detections, moment.frame)
        spent.append((time.perf_counter() - started) / len(moments) / people * 1000)
    return statistics.median(spent)

"""A whole video, from file to annotated file, against ``YOLO.track`` that writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from benchmarks.engine import make_engine
from benchmarks.material import Material
from benchmarks.peers import UltralyticsTracker
from benchmarks.raw import RawRuntime
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.encoding.trajectories import pack_trajectories
from vision.engine import Engine
from vision.pipeline.collect import EndedTrack
from vision.pipeline.config import PipelineConfig
from vision.pipeline.video import VideoTask, analyse_video

CLIP = "vtest_480x360.mp4"
PLAIN, ALL_CORES = "ultralytics track(), plain call", "ultralytics track(), torch on all cores"
ROUNDS = 3  # a round is minutes: every contender sees the whole clip


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    section = Section(
        f"Video, {CLIP}: decode, detect, ByteTrack, trajectories stored, annotated H.264 written",
        ("contender", "ms a frame", "frames/s", "x plain", "x all cores"),
    )
    clip = material.video(CLIP)
    if clip is None:
        section.notes.append(f"Not measured: SIGHTLINE_TEST_DATA has no videos/{CLIP}.")
        return section
    with ExitStack() as stack:
        weights = material.weights("yolov8n")
        plain = stack.enter_context(UltralyticsTracker(weights, clip))
        cores = stack.enter_context(UltralyticsTracker(weights, clip, all_cores=True))
        blank = np.zeros((360, 480, 3), np.uint8)
        contenders: dict[str, Callable[[], int]] = {PLAIN: plain.run, ALL_CORES: cores.run}
        for precision in ("auto", "fp32"):
            engine = make_engine(material, cache, precision)
            stack.callback(engine.close)
            info = engine.describe("yolov8n")
            engine.detect([blank] * 8)  # a round is a minute: nothing is run just to be warm
            for every, words in ((1, "every frame"), (2, "every second frame detected")):
                name = f"Sightline {info.backend} {info.precision}, {words}"
                contenders[name] = _analysis(engine, clip, cache, every)
        raw = RawRuntime("yolov8n", weights, cache, 480, 640)
        contenders["raw runtime of the default precision at 480x640, nothing else"] = raw.run
        rates = measure_interleaved(contenders, rounds=min(rounds, ROUNDS), warmup=0)
    for name, figures in rates.items():
        section.rows.append(
            (
                name,
                f"{figures.milliseconds:.1f}",
                f"{figures.median:.1f}",
                f"{ratio(figures, rates[PLAIN]):.2f}",
                f"{ratio(figures, rates[ALL_CORES]):.2f}",
            )
        )
    section.notes.append(
        'The peer is `YOLO("yolov8n.pt").track(clip, stream=True)`, which decodes, detects and '
        "tracks, and writes nothing. Ours writes trajectories into SQLite and an H.264 file with "
        "boxes and trails. Median of the rounds, the contenders taking turns."
    )
    return section


def _analysis(engine: Engine, clip: Path, cache: Path, every: int) -> Callable[[], int]:
    task = VideoTask(PipelineConfig(every=every))

    def run() -> int:
        with closing(database(cache / "tracks.sqlite3")) as tracks:

            def store(ended: list[EndedTrack]) -> None:
                data = pack_trajectories([track.trajectory for track in ended])
                tracks.execute("INSERT INTO chunk VALUES (?)", (data,))

            summary = analyse_video(
                clip, task, engine=engine, target=cache / "annotated.mp4", on_tracks=store
            )
            tracks.commit()
        return int(summary.statistics["frames"])

    return run


def database(path: Path) -> sqlite3.Connection:
    """A file with one table of packed trajectories."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE IF NOT EXISTS chunk (data BLOB)")
    return connection

"""Whether memory stays flat over hours: a clip that starts again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.engine import make_engine
from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.video import CLIP, database
from vision.encoding.trajectories import pack_trajectories
from vision.pipeline.collect import EndedTrack
from vision.pipeline.config import PipelineConfig
from vision.pipeline.progress import Progress
from vision.pipeline.video import VideoTask, analyse_source
from vision.sources.videos import VideoInfo, open_video
from vision.structures import Frame

HOURS = 2.0
MARKS = 8
EVERY = 8  # the detector's memory does not depend on how often it looks


class Looped:
    """A clip that is read from its beginning again until so many seconds have gone."""

    skipped = 0
    truncated = False

    def __init__(self, clip: Path, seconds: float) -> None:
        self._clip = clip
        with open_video(clip) as source:
            self._length = source.info.duration
            self.info: VideoInfo = replace(source.info, duration=seconds)
        self._seconds = seconds

    def __iter__(self) -> Iterator[Frame]:
        offset, count = 0.0, 0
        while offset < self._seconds:
            with open_video(self._clip) as source:
                for frame in source:
                    yield replace(frame, index=count, timestamp=frame.timestamp + offset)
                    count += 1
            offset += self._length

    @property
    def end(self) -> float:
        """Seconds that it lasts."""
        return self._seconds

    def close(self) -> None:
        """Nothing is held between two rounds of the clip."""


def run(material: Material, cache: Path, *, rounds: int, hours: float = HOURS) -> Section:
    section = Section(
        f"Memory over {hours:g} hours of video, {CLIP} looped",
        ("seconds of the video", "frames", "RSS, MB", "x first"),
    )
    clip = material.video(CLIP)
    if clip is None:
        section.notes.append(f"Not measured: SIGHTLINE_TEST_DATA has no videos/{CLIP}.")
        return section
    marks: list[tuple[float, int, float]] = []
    step = hours * 3600 / MARKS

    def watch(progress: Progress) -> None:
        if progress.timestamp >= step * (len(marks) + 1):
            gc.collect()
            rss = psutil.Process().memory_info().rss / 1e6
            marks.append((progress.timestamp, progress.frames, rss))

    with (
        make_engine(material, cache, "auto") as engine,
        closing(database(cache / "endurance.sqlite3")) as tracks,
    ):

        def store(ended: list[EndedTrack]) -> None:
            data = pack_trajectories([track.trajectory for track in ended])
            tracks.execute("INSERT INTO chunk VALUES (?)", (data,))
            tracks.commit()

        analyse_source(
            Looped(clip, hours * 3600),
            VideoTask(PipelineConfig(every=EVERY, motion="mog2"), styles=("boxes", "trails")),
            engine=engine,
            target=cache / "endurance.mp4",
            on_tracks=store,
            on_progress=watch,
        )
        points = tracks.execute("SELECT count(*), sum(length(data)) FROM chunk").fetchone()
    for at, frames, rss in marks:
        section.rows.append((f"{at:.0f}", str(frames), f"{rss:.0f}", f"{rss / marks[0][2]:.3f}"))
    section.notes.append(
        f"Decoded, tracked (the detector looks at every {EVERY}th frame), motion, drawn, encoded, "
        f"stored as {points[0]} chunks of {points[1] / 1e6:.1f} MB together."
    )
    return section

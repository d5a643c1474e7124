"""Stored trajectories: bytes a point, exactness, speed of writing, and a polygon asked over all.

Writing is compared with one row per box through Django's ``bulk_create``. It happens in a child
process with a SQLite file of its own, so that no settings of this process are touched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.timing import measure_interleaved, ratio
from vision.analytics.zones import points_in_polygon
from vision.encoding.trajectories import group_trajectories, pack_trajectories, unpack_points
from vision.structures.trajectories import Trajectory

POINTS = 1_000_000
SHORTEST = 40
ROWS_A_ROUND = 20_000
CORNERS = 12
WIDTH, HEIGHT, RATE = 1280, 720, 25


def run(material: Material, cache: Path, *, rounds: int) -> Section:
    tracks = list(make_tracks(POINTS))
    groups = list(group_trajectories(tracks))
    blobs = [pack_trajectories(group) for group in groups]
    points = sum(map(len, tracks))
    section = Section("Trajectories", ("what", "measured", "target"))
    section.rows.append(
        ("bytes a point, generated tracks", f"{sum(map(len, blobs)) / points:.2f}", "≤ 4.5")
    )
    for name, real in real_tracks():
        size = len(pack_trajectories(real)) / sum(map(len, real))
        section.rows.append((f"bytes a point, {name}, {len(real)} tracks", f"{size:.2f}", "≤ 4.5"))
    errors = [_error(blob, group) for blob, group in zip(blobs, groups, strict=True)]
    section.rows.append(("largest error of a coordinate", f"{max(errors):.3f} px", "≤ 0.25 px"))
    _add_writing(section, cache, rounds)
    _add_reading(section, blobs, points, rounds)
    section.notes.append(
        f"{points:,} points in {len(tracks):,} generated tracks of {SHORTEST} to 400 points, "
        "200 tracks a blob; boxes with the jitter of a detector. Written: packed and "
        "stored through the ORM, one row a blob, against one row a box through bulk_create; both "
        "in one transaction a round on a SQLite file."
    )
    return section


def make_tracks(points: int, seed: int = 0) -> Iterator[Trajectory]:
    """Yield people who walk with changes of speed, seen by a jittering detector."""
    rng = np.random.default_rng(seed)
    made = number = 0
    while made < points:
        length = min(int(rng.integers(SHORTEST, 400)), max(points - made, SHORTEST))
        number += 1
        made += length
        height = rng.uniform(60, 240)
        speed = rng.normal(0, 0.02 * height, 2) + np.cumsum(rng.normal(0, 0.05, (length, 2)), 0)
        centres = rng.uniform((0, 0), (WIDTH, HEIGHT)) + np.cumsum(speed, axis=0)
        half = np.array([0.2 * height, 0.5 * height])
        boxes = np.concatenate((centres - half, centres + half), axis=1)
        boxes += rng.normal(0, 0.006 * height, boxes.shape)
        scores = np.clip(rng.uniform(0.5, 0.9) + rng.normal(0, 0.04, length), 0, 1)
        yield Trajectory(
            track_id=number,
            class_id=0,
            class_name="person",
            times=(int(rng.integers(0, 90_000)) + np.arange(length)) / RATE,
            boxes=boxes.astype(np.float32),
            confidence=scores.astype(np.float32),
            detected=np.ones(length, np.bool_),
        )


def real_tracks() -> Iterator[tuple[str, list[Trajectory]]]:
    """Yield what ByteTrack makes of the public detections of MOT15 sequences, where they are."""
    from vision.evaluation.tracking_folder import read_sequences
    from vision.tracking import TrajectoryRecorder, create_tracker

    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", "")) / "mot"
    if not os.environ.get("SIGHTLINE_TEST_DATA") or not folder.is_dir():
        return
    found: list[Trajectory] = []
    for sequence in read_sequences(folder):
        tracker, recorder = create_tracker("bytetrack", rate=sequence.rate), TrajectoryRecorder()
        frames = sequence.blank_frames()
        for detections, frame in zip(sequence.detections or [], frames, strict=False):
            recorder.add(tracker.update(detections, frame), frame.timestamp)
        found += [track for track in recorder.finish() if len(track) >= SHORTEST]
    yield "MOT15 public detections", found


def _error(blob: bytes, group: Sequence[Trajectory]) -> float:
    stored = np.concatenate([track.boxes for track in group])
    return float(np.abs(unpack_points(blob).boxes - stored).max())


def _add_reading(section: Section, blobs: Sequence[bytes], points: int, rounds: int) -> None:
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    middle, reach = np.array([WIDTH, HEIGHT]) / 2, np.array([WIDTH, HEIGHT]) * 0.4
    polygon = middle + reach * np.stack((np.cos(turns), np.sin(turns)), axis=1)
    unpacked = [unpack_points(blob).foot_points for blob in blobs]

    def ask() -> int:
        for blob in blobs:
            points_in_polygon(unpack_points(blob).foot_points, polygon)
        return points

    def decode() -> int:
        for blob in blobs:
            unpack_points(blob)
        return points

    def reference() -> int:
        for feet in unpacked:
            _plain_polygon(feet, polygon)
        return points

    rates = measure_interleaved(
        {"ask": ask, "decode": decode, "reference": reference}, rounds=rounds
    )
    seconds = {name: POINTS / rate.median for name, rate in rates.items()}
    asked = f"a {CORNERS}-gon over 1,000,000 points"
    section.rows += [
        ("points read", f"{rates['decode'].median / 1e6:.0f} million/s", ""),
        (f"{asked}, decoding included", _ms(seconds["ask"]), "≤ 100 ms"),
        (f"{asked}, plain numpy on decoded points", _ms(seconds["reference"]), ""),
    ]


def _plain_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """The textbook formula on whole arrays, for comparison."""
    x, y = points[:, 0, None], points[:, 1, None]
    x1, y1 = polygon.T
    x2, y2 = np.roll(polygon, -1, axis=0).T
    crosses = ((y1 <= y) != (y2 <= y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return crosses.sum(axis=1) % 2 == 1


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _add_writing(section: Section, cache: Path, rounds: int) -> None:
    folder = cache / "trajectories"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.trajectories", str(folder), str(rounds)]
    root = Path(__file__).resolve().parents[1]
    answer = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    figures = json.loads(answer.stdout)
    section.rows += [
        ("points written, packed", f"{figures['packed'] / 1e6:.2f} million/s", ""),
        ("points written, a row each", f"{figures['rows'] / 1e6:.3f} million/s", ""),
        ("packed over rows", f"{figures['ratio']:.0f}x", "≥ 50x"),
        ("bytes a point in the database, packed", f"{figures['packed_bytes']:.1f}", ""),
        ("bytes a point in the database, rows", f"{figures['row_bytes']:.1f}", ""),
    ]


def _write_in_child(folder: Path, rounds: int) -> dict[str, float]:
    """Write both ways, in turn, to two SQLite files."""
    import django
    from django.conf import settings

    def database(name: str) -> dict[str, str]:
        path = folder / f"{name}.sqlite3"
        path.unlink(missing_ok=True)
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}

    settings.configure(
        DATABASES={"default": database("packed"), "rows": database("rows")},
        INSTALLED_APPS=[],
        USE_TZ=True,
    )
    django.setup()
    tracks = list(make_tracks(POINTS // 2))
    few = list(make_tracks(ROWS_A_ROUND, seed=1))
    contenders = {"packed": _packed_writer(tracks), "rows": _row_writer(few)}
    rates = measure_interleaved(contenders, rounds=rounds)
    runs = rounds + 1  # with the warm-up
    sizes = {name: (folder / f"{name}.sqlite3").stat().st_size for name in contenders}
    return {
        "packed": rates["packed"].median,
        "rows": rates["rows"].median,
        "ratio": ratio(rates["packed"], rates["rows"]),
        "packed_bytes": sizes["packed"] / runs / sum(map(len, tracks)),
        "row_bytes": sizes["rows"] / runs / sum(map(len, few)),
    }


def _packed_writer(tracks: Sequence[Trajectory]) -> Callable[[], int]:
    from django.db import connections, models, transaction

    class Chunk(models.Model):  # noqa: DJ008
        content = models.BinaryField()

        class Meta:
            app_label = "bench"

    with connections["default"].schema_editor() as editor:
        editor.create_model(Chunk)

    def write() -> int:
        with transaction.atomic():
            for group in group_trajectories(tracks):
                Chunk.objects.create(content=pack_trajectories(group))
        return sum(map(len, tracks))

    return write


def _row_writer(tracks: Sequence[Trajectory]) -> Callable[[], int]:
    from django.db import connections, models, transaction

    class Box(models.Model):  # noqa: DJ008
        track = models.IntegerField()
        time = models.FloatField()
        x1 = models.FloatField()
        y1 = models.FloatField()
        x2 = models.FloatField()
        y2 = models.FloatField()
        confidence = models.FloatField()
        detected = models.BooleanField()

        class Meta:
            app_label = "bench"

    with connections["rows"].schema_editor() as editor:
        editor.create_model(Box)
    columns = ("track", "time", "x1", "y1", "x2", "y2", "confidence", "detected")
    values = [
        (track.track_id, at, *box, score, seen)
        for track in tracks
        for at, box, score, seen in zip(
            track.times.tolist(),
            track.boxes.tolist(),
            track.confidence.tolist(),
            track.detected.tolist(),
            strict=True,
        )
    ]

    def write() -> int:
        with transaction.atomic(using="rows"):
            objects = [Box(**dict(zip(columns, row, strict=True))) for row in values]
            Box.objects.using("rows").bulk_create(objects)
        return len(values)

    return write


if __name__ == "__main__":
    started = time.perf_counter()
    answer = _write_in_child(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(answer | {"seconds": time.perf_counter() - started}))

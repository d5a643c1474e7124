"""Six live cameras in one process, as `manage.py serve` looks at them."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import supervision as sv
from numpy.typing import NDArray

from benchmarks.engine import ensure_quantized, make_engine
from benchmarks.material import Material, load_pictures
from benchmarks.raw import RawRuntime
from benchmarks.report import Section
from benchmarks.server import Server, run_server
from benchmarks.timing import measure_interleaved
from vision.encoding.video import VideoWriter
from vision.sources.videos import open_video
from vision.synthetic import Scene

CAMERAS = 6
RATE = 12.0
SIZE = (640, 480)
SECONDS = 60.0
LOOK_SECONDS = 2.0
EVERY_NTH = 8
PATIENCE = 180.0
CLIP = "vtest_480x360.mp4"
SMALLER = 512  # pixels along the longer side of the network's input
FPS = ("in", "processed", "gated", "dropped")
STAGES = ("decode", "gate", "detect", "track", "events")


@dataclass
class Watched:
    """Six cameras over a minute: a figure per look and camera, and the share of one core."""

    looks: list[dict[str, Any]]
    cores: float
    rss: float

    def mean(self, group: str, name: str) -> float:
        return statistics.fmean(float(look[group][name]) for look in self.looks)

    def worst(self, group: str, name: str) -> float:
        return max(float(look[group][name]) for look in self.looks)

    def least(self, group: str, name: str) -> float:
        """The mean of the camera that came off worst."""
        by_camera: dict[int, list[float]] = {}
        for look in self.looks:
            by_camera.setdefault(look["camera"], []).append(float(look[group][name]))
        return min(statistics.fmean(values) for values in by_camera.values())


def run(material: Material, scratch: Path, *, rounds: int, seconds: float = SECONDS) -> Section:
    section = Section(
        f"Six live cameras of {SIZE[0]}x{SIZE[1]}, {RATE:g} fps, always moving, one process",
        (
            *("contender", "fps a camera, mean and least", "in all", "gated", "dropped"),
            *(
                "age p50, p95",
                "ms " + " ".join(STAGES),
                "beyond decode and detect",
                "cores",
                "RSS, MB",
            ),
        ),
    )
    films = scratch / "films"
    films.mkdir(parents=True, exist_ok=True)
    clip = write_clip(material, films / "walk.mp4")
    for name, settings in contenders():
        folder = scratch / f"live-{len(section.rows)}"
        watched = watch_cameras(material, folder, films, settings, seconds)
        section.rows.append(_row(name, watched))
    section.rows.append(_peer_row(material, clip, seconds))
    section.notes += [
        _raw_note(material, scratch, rounds),
        _loss_note(material, scratch, clip),
        _explanation(material),
    ]
    return section


def contenders() -> Iterator[tuple[str, dict[str, str]]]:
    yield "Sightline, default", {}
    yield "Sightline INT8", {"SIGHTLINE_PRECISION": "int8"}
    smaller = {"SIGHTLINE_LIVE_INPUT_SIZE": str(SMALLER)}
    yield f"Sightline, input of {SMALLER}", smaller
    yield f"Sightline, INT8 at {SMALLER}", {**smaller, "SIGHTLINE_PRECISION": "int8"}
    if _has_cuda():
        yield "Sightline CUDA", {"SIGHTLINE_DEVICE": "cuda"}


def write_clip(material: Material, path: Path) -> Path:
    """Write a street, or painted people, at the cameras' size and rate."""
    with VideoWriter(path, width=SIZE[0], height=SIZE[1], rate=RATE, quality=20) as writer:
        for index, image in enumerate(_pictures(material)):
            writer.write(image, index / RATE)
    return path


def _pictures(material: Material) -> Iterator[NDArray[np.uint8]]:
    clip = material.video(CLIP)
    if clip is None:
        for frame, _ in Scene(seed=1, seconds=SECONDS, rate=RATE, size=SIZE, people=6):
            yield frame.image
        return
    with open_video(clip) as source:
        for frame in source:
            yield np.asarray(cv2.resize(frame.image, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)


# ---------------------------------------------------------------- ours
def watch_cameras(
    material: Material, folder: Path, films: Path, settings: dict[str, str], seconds: float
) -> Watched:
    """Start a server with six cameras and read for a while how they go."""
    folder.mkdir(parents=True)
    if settings.get("SIGHTLINE_PRECISION") == "int8":
        pictures = load_pictures(material, 32, *SIZE)
        ensure_quantized(material, folder / "models", pictures, "yolov8n")
    with serve_cameras(material, folder, films, settings) as server:
        before, began = _busy(server.process), time.monotonic()
        looks: list[dict[str, Any]] = []
        while time.monotonic() - began < seconds:
            time.sleep(LOOK_SECONDS)
            looks += read_figures(server)
        took = time.monotonic() - began
        rss = sum(one.memory_info().rss for one in family_of(server.process)) / 1e6
        return Watched(looks, (_busy(server.process) - before) / took, rss)


@contextmanager
def serve_cameras(
    material: Material, folder: Path, films: Path, settings: dict[str, str]
) -> Iterator[Server]:
    """Start a server, give it six cameras that loop ``walk.mp4``, and wait until all are live."""
    given = {"SIGHTLINE_CAMERA_FILES": str(films), **settings}
    with run_server(folder, material, given) as server:
        _add_cameras(server.data_dir / "db.sqlite3")
        _wait_until_live(server)
        yield server


def _add_cameras(database: Path) -> None:
    rows = [(f"Camera {number + 1}",) for number in range(CAMERAS)]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO cameras_camera (name, address, enabled, fps, model, detector_conf, "
            "people_only, classes, tracker, tracker_max_age, tracker_min_hits, motion_gate, "
            "hide_people, faces, revision, created_at) VALUES (?, 'loop:walk.mp4', 1, "
            f"{RATE}, '', 0.35, 0, '[]', 'bytetrack', 2, 3, 1, 0, '', 1, datetime('now'))",
            rows,
        )


def _wait_until_live(server: Server) -> None:
    until = time.monotonic() + PATIENCE
    while sum(look["fps"]["processed"] > 0 for look in read_figures(server)) < CAMERAS:
        if time.monotonic() > until or not server.process.is_running():
            raise RuntimeError("six cameras did not go live within three minutes")
        time.sleep(0.5)
    time.sleep(10.0)  # the windows of the figures fill


def read_figures(server: Server) -> list[dict[str, Any]]:
    """Return what the runner says of each live camera."""
    address = f"file:{server.data_dir / 'db.sqlite3'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=20)) as connection:
        rows = connection.execute(
            "SELECT camera_id, figures FROM video_analysis_camerastate WHERE state = 'live'"
        ).fetchall()
    told = [{"camera": camera, **json.loads(figures)} for camera, figures in rows]
    return [look for look in told if "fps" in look]


def family_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the server's process and its capturing children."""
    return [process, *process.children(recursive=True)]


def _busy(process: psutil.Process) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in family_of(process))


def _row(name: str, watched: Watched) -> tuple[str, ...]:
    mean, age = watched.mean, watched.mean
    rest = sum(mean("ms", stage) for stage in ("gate", "track", "events"))
    who = watched.looks[-1]
    return (
        f"{name}: {who['backend']} {who['precision']} on {who['device']}",
        f"{mean('fps', 'processed'):.1f}, {watched.least('fps', 'processed'):.1f}",
        f"{CAMERAS * mean('fps', 'processed'):.0f}",
        f"{mean('fps', 'gated'):.1f}",
        f"{mean('fps', 'dropped'):.1f}",
        f"{age('age_ms', 'p50'):.0f}, {age('age_ms', 'p95'):.0f} ms",
        " ".join(f"{mean('ms', stage):.1f}" for stage in STAGES),
        f"{rest:.1f}",
        f"{watched.cores:.2f}",
        f"{watched.rss:.0f}",
    )


def _explanation(material: Material) -> str:
    what = CLIP if material.video(CLIP) else "painted people"
    return (
        f"{what} at {SIZE[0]}x{SIZE[1]}, looped six times, ByteTrack, motion gate on; means over "
        "the looks of the run. Age: from the decoded picture to its result. Cores: processor time "
        "of the whole server, its capturing children included, by wall time. The peer shows "
        "nothing, stores nothing and counts nothing."
    )


# ---------------------------------------------------------------- beside it
def _raw_note(material: Material, scratch: Path, rounds: int) -> str:
    raw = RawRuntime(
        "yolov8n", material.weights("yolov8n"), scratch / "live-0" / "models", 480, 640
    )
    rates = measure_interleaved({"raw": raw.run}, rounds=max(1, rounds))
    return (
        f"Raw runtime of the default precision at 480x640, all cores, nothing before or after it: "
        f"{rates['raw'].median:.0f} pictures/s."
    )


def _loss_note(material: Material, scratch: Path, clip: Path) -> str:
    """Say what the smaller input sees of what the usual one does."""
    whole = seen = 0
    cache = scratch / "live-0" / "models"
    with make_engine(material, cache, "auto") as engine, open_video(clip) as film:
        for frame in islice(film, 0, None, EVERY_NTH):
            (usual,) = engine.detect([frame.image], confidence=0.35)
            (less,) = engine.detect([frame.image], confidence=0.35, input_size=SMALLER)
            overlaps = sv.box_iou_batch(usual.xyxy, less.xyxy)
            whole += len(usual)
            seen += int((overlaps >= 0.5).any(axis=1).sum()) if len(less) else 0
    share = 100 * seen / max(1, whole)
    return (
        f"With an input of {SMALLER} instead of 640 pixels, {share:.1f}% of {whole} objects are "
        "found as well (confidence 0.35, IoU 0.5)."
    )


def _peer_row(material: Material, clip: Path, seconds: float) -> tuple[str, ...]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    weights = str(material.weights("yolov8n"))
    process = context.Process(
        target=_track_six, args=(theirs, weights, str(clip), seconds), daemon=True
    )
    process.start()
    theirs.close()  # so that its end is noticed
    try:
        frames, took, busy = ours.recv()
    finally:
        process.kill()
    fps = frames / took
    return (
        "ultralytics, model.track of six sources, as fast as it can",
        *(f"{fps / CAMERAS:.1f}", f"{fps:.0f}", "", "", "", "", "", f"{busy / took:.2f}", ""),
    )


def _track_six(connection: Connection, weights: str, clip: str, seconds: float) -> None:
    """Track six sources in threads, each with a model of its own, as its makers advise."""
    os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", ULTRALYTICS_SAFE_LOAD="1")
    from ultralytics import YOLO

    frames = [0] * CAMERAS
    warm = threading.Barrier(CAMERAS + 1)

    def track(number: int) -> None:
        model = YOLO(weights)
        model.predict(np.zeros((64, 64, 3), np.uint8), verbose=False)
        warm.wait()
        while True:
            for _ in model.track(clip, stream=True, verbose=False, persist=True):
                frames[number] += 1

    for number in range(CAMERAS):
        threading.Thread(target=track, args=(number,), daemon=True).start()
    warm.wait()
    time.sleep(3.0)
    before, busy, began = sum(frames), time.process_time(), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    connection.send((sum(frames) - before, took, time.process_time() - busy))
    time.sleep(30)  # ended by whoever asked: threads at work end badly


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()

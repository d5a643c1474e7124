"""Six live cameras, a wall that shows them, a video job and callers of the API: all at once."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.engine import ensure_quantized
from benchmarks.http import percentile, write_pictures
from benchmarks.live import CLIP, SIZE, SMALLER, read_figures, serve_cameras, write_clip
from benchmarks.material import Material, load_pictures
from benchmarks.report import Section
from benchmarks.server import ROOT, Server, environment, run_server

SECONDS = 40.0
LOOKS = 8
VIDEOS = 6  # one after the other, so that one is at work all the time


def run(material: Material, scratch: Path, *, rounds: int, seconds: float = SECONDS) -> Section:
    section = Section(
        "Pictures over the API while six cameras are live and a video is analysed",
        (
            *("settings", "what else runs", "detect p50, p95", "x idle"),
            *("fps a camera, mean and least", "at the wall p50, p99"),
        ),
    )
    films = scratch / "beside-films"
    films.mkdir(parents=True)
    clip = write_clip(material, films / "walk.mp4")
    pictures = write_pictures(material, scratch / "beside-pictures")
    left = []
    for number, (name, settings) in enumerate(contenders()):
        folder = scratch / f"beside-{number}"
        folder.mkdir()
        if settings.get("SIGHTLINE_PRECISION") == "int8":
            load = load_pictures(material, 32, *SIZE)
            ensure_quantized(material, folder / "models", load, "yolov8n")
        rows, running = _measure(material, folder, films, settings, clip, pictures, seconds)
        section.rows += [(name, *row) for row in rows]
        left.append(f"{running} of {VIDEOS}")
    section.notes += [
        f"One caller, 1280x720 JPEG, nothing saved, {seconds:.0f} s a row; "
        f"{CLIP if material.video(CLIP) else 'painted people'} on the cameras. Videos still "
        f"waiting or at work at the end: {', '.join(left)}.",
        "At the wall: from the picture's capture to its arrival at a WebSocket with six tiles; the "
        "client runs on the same cores.",
    ]
    return section


def contenders() -> Iterator[tuple[str, dict[str, str]]]:
    yield "default", {}
    smaller = {"SIGHTLINE_LIVE_INPUT_SIZE": str(SMALLER), "SIGHTLINE_PRECISION": "int8"}
    yield f"INT8, cameras at {SMALLER}", smaller


def _measure(
    material: Material,
    folder: Path,
    films: Path,
    settings: dict[str, str],
    clip: Path,
    pictures: list[str],
    seconds: float,
) -> tuple[list[tuple[str, ...]], int]:
    """Return a row per thing that runs beside the caller, and how many videos are left."""
    with run_server(folder, material, settings) as server:
        _post(server, pictures, 3.0)
        idle = _post(server, pictures, seconds)
    rows = [_row("nothing", idle, idle, [], [])]
    with serve_cameras(material, folder, films, settings) as server:
        cameras = sorted({look["camera"] for look in read_figures(server)})
        cookie = _cookie(server, material)
        ages, looks, _ = _watch(server, cameras, cookie, None, seconds)
        rows.append(_row("six cameras and a wall, no caller", None, idle, looks, ages))
        ages, looks, answers = _watch(server, cameras, cookie, pictures, seconds)
        rows.append(_row("six cameras and a wall", answers, idle, looks, ages))
        _analyse(server, clip)
        ages, looks, answers = _watch(server, cameras, cookie, pictures, seconds)
        rows.append(_row("six cameras, a wall and a video", answers, idle, looks, ages))
        return rows, _running(server)


def _watch(
    server: Server, cameras: list[int], cookie: str, pictures: list[str] | None, seconds: float
) -> tuple[list[float], list[dict[str, Any]], list[float] | None]:
    """Look at the wall for a while; with pictures, somebody calls the API meanwhile.

    Returns the ages of the wall's pictures in seconds, the runner's figures, and the latencies of
    the calls in seconds.
    """
    order = {"port": server.port, "cookie": cookie, "cameras": cameras, "seconds": seconds}
    wall = _start("benchmarks.wall", order)
    caller = _start("benchmarks.load", _calls(server, pictures, seconds)) if pictures else None
    looks: list[dict[str, Any]] = []
    for _ in range(LOOKS):
        time.sleep(seconds / LOOKS)
        looks += read_figures(server)
    ages = sorted(_answer(wall)["ages"])
    return ages, looks, _answer(caller)["latencies"] if caller else None


def _post(server: Server, pictures: list[str], seconds: float) -> list[float]:
    answer = _answer(_start("benchmarks.load", _calls(server, pictures, seconds)))
    return list(answer["latencies"])


def _calls(server: Server, pictures: list[str], seconds: float) -> dict[str, Any]:
    return {
        **{"port": server.port, "token": server.token, "pictures": pictures},
        **{"clients": 1, "seconds": seconds},
    }


def _start(module: str, order: dict[str, Any]) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(order))
    child.stdin.close()
    return child


def _answer(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdout is not None
    answer = child.stdout.read()
    if child.wait() != 0:
        raise RuntimeError("a client ended with an error; it is above")
    return dict(json.loads(answer))


def _cookie(server: Server, material: Material) -> str:
    """Sign the administrator in."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sign_in"],
        cwd=ROOT,
        env=environment(server.data_dir, material),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _client(server: Server) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"Authorization": f"Token {server.token}"},
        timeout=120,
    )


def _analyse(server: Server, clip: Path) -> None:
    with _client(server) as client:
        for _ in range(VIDEOS):
            files = {"video": (clip.name, clip.read_bytes(), "video/mp4")}
            client.post("/api/videos/", files=files).raise_for_status()


def _running(server: Server) -> int:
    with _client(server) as client:
        told = client.get("/api/videos/").raise_for_status().json()["results"]
    return sum(one["status"] in ("queued", "running") for one in told)


def _row(
    name: str,
    latencies: list[float] | None,
    idle: list[float],
    looks: list[dict[str, Any]],
    ages: list[float],
) -> tuple[str, ...]:
    detect = times = fps = wall = ""
    if latencies is not None:
        detect = f"{percentile(latencies, 50)}, {percentile(latencies, 95)} ms"
        times = f"{_p95(latencies) / _p95(idle):.1f}"
    if looks:
        cameras = {look["camera"] for look in looks}
        means = [
            statistics.fmean(look["fps"]["processed"] for look in looks if look["camera"] == one)
            for one in cameras
        ]
        fps = f"{statistics.fmean(means):.1f}, {min(means):.1f}"
    if ages:
        wall = f"{percentile(ages, 50)}, {percentile(ages, 99)} ms"
    return name, detect, times, fps, wall


def _p95(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]

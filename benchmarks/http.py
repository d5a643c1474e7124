"""HTTP: JPEG in, JSON out, eight clients, against the engine's own decode+detect rate."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.material import Material, load_pictures
from benchmarks.report import Section
from benchmarks.server import ROOT, Server, run_server
from vision.encoding.images import encode_jpeg

CLIENTS = 8


def run(material: Material, cache: Path, *, rounds: int, seconds: float = 60) -> Section:
    """``seconds`` of load in all, in ``rounds`` turns with the engine alone."""
    files = write_pictures(material, cache / "http")
    data_dir = cache / "server"
    data_dir.mkdir(exist_ok=True)
    with run_server(data_dir, material) as server, engine_alone(material, cache, files) as engine:
        first = _load(server, files, count_at_least=200)
        rss_at_first = server.rss()
        http, alone, latencies = [], [], []
        for _ in range(rounds):
            own = ask(engine, threads=CLIENTS, seconds=seconds / rounds)
            alone.append(own["count"] / own["seconds"])
            answer = _post(server, files, seconds / rounds)
            http.append(answer["count"] / answer["seconds"])
            latencies += answer["latencies"]
        total = first + len(latencies)
        total += _load(server, files, count_at_least=2000 - total)
        rss_at_the_end = server.rss()
    section = Section(
        f"HTTP, 1280x720 JPEG to JSON, {CLIENTS} clients, {seconds:.0f} s",
        ("what", "figure"),
    )
    ratios = [a / b for a, b in zip(http, alone, strict=True)]
    latencies.sort()
    section.rows += [
        ("engine alone, decode + detect, 8 threads", f"{statistics.median(alone):.1f} pictures/s"),
        ("over HTTP", f"{statistics.median(http):.1f} pictures/s"),
        ("ratio, median of the rounds", f"{statistics.median(ratios):.3f}"),
        ("latency p50 / p95", f"{percentile(latencies, 50)} / {percentile(latencies, 95)} ms"),
        (f"server's RSS after {first:,} requests", f"{rss_at_first / 2**20:.0f} MiB"),
        (
            f"after {total:,} requests",
            f"{rss_at_the_end / 2**20:.0f} MiB ({rss_at_the_end / rss_at_first:.3f} x)",
        ),
    ]
    section.notes.append("The clients run on the same cores, in a process of their own.")
    return section


def percentile(ordered: list[float], percent: int) -> str:
    return f"{1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]:.0f}"


def write_pictures(material: Material, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, picture in enumerate(load_pictures(material, 32, 1280, 720)):
        path = folder / f"{number:02}.jpg"
        path.write_bytes(encode_jpeg(picture, 90))
        paths.append(str(path))
    return paths


def _post(server: Server, files: list[str], seconds: float) -> dict[str, Any]:
    order = {
        "port": server.port,
        "token": server.token,
        "pictures": files,
        "clients": CLIENTS,
        "seconds": seconds,
    }
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(
        command, input=json.dumps(order), capture_output=True, text=True, check=True, cwd=ROOT
    )
    return dict(json.loads(done.stdout))


def _load(server: Server, files: list[str], *, count_at_least: int) -> int:
    done = 0
    while done < count_at_least:
        done += _post(server, files, 2)["count"]
    return done


@contextmanager
def engine_alone(
    material: Material, cache: Path, files: list[str]
) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rate"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    order = {"cache": str(cache), "weights_dir": str(material.weights_dir), "pictures": files}
    try:
        write_line(child, order)
        read_line(child)
        yield child
    finally:
        child.kill()
        child.wait()


def ask(child: subprocess.Popen[str], **turn: Any) -> dict[str, Any]:
    write_line(child, turn)
    return dict(json.loads(read_line(child)))


def write_line(child: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert child.stdin is not None
    child.stdin.write(json.dumps(message) + "\n")
    child.stdin.flush()


def read_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise RuntimeError("the engine's process ended; its error is above")
    return line

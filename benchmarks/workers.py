"""The workers' queue: rate against one engine alone, what the way costs, and who goes first.

Two `manage.py worker` processes on a Redis of their own answer pictures that a client process
sends; one engine in a process of its own decodes and detects the same pictures, taking turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.http import ask, engine_alone, percentile, read_line, write_line, write_pictures
from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.server import ROOT, environment, manage
from tests.servers import MissingServerError, RedisServer

WORKERS = 2
CLIENTS = 16
JOBS = 300
PAUSE = 0.05
"""Seconds between the questions of the one client whose latency is measured."""


def run(material: Material, cache: Path, *, rounds: int, seconds: float = 30) -> Section:
    """``seconds`` of load in all, in ``rounds`` turns with the engine alone."""
    section = Section(
        f"Workers behind Redis, 1280x720 JPEG to boxes, {WORKERS} processes", ("what", "figure")
    )
    try:
        redis = RedisServer()
    except MissingServerError as error:
        section.notes.append(f"Not run: {error}.")
        return section
    redis.start()
    try:
        _measure(section, material, cache, redis, rounds, seconds)
    finally:
        redis.stop()
    return section


def _measure(
    section: Section,
    material: Material,
    cache: Path,
    redis: RedisServer,
    rounds: int,
    seconds: float,
) -> None:
    files = write_pictures(material, cache / "http")
    data_dir = cache / "workers"
    data_dir.mkdir(exist_ok=True)
    manage(data_dir, material, "setup")
    env = {**environment(data_dir, material), "REDIS_URL": redis.url, "INFERENCE": "worker"}
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(env)) for _ in range(WORKERS)]
        clients = stack.enter_context(_child(env, "benchmarks.asking", {"pictures": files}))
        alone = stack.enter_context(engine_alone(material, cache, files))
        ask(clients, threads=CLIENTS, seconds=3)
        behind = [*workers, psutil.Process(redis.pid)]
        _rates(section, alone, clients, behind, rounds, seconds / rounds)
        _latencies(section, alone, clients, rounds, seconds / rounds)
        jobs = stack.enter_context(_child(env, "benchmarks.flood", {"picture": files[0]}))
        _priorities(section, clients, jobs)


def _rates(
    section: Section,
    alone: subprocess.Popen[str],
    clients: subprocess.Popen[str],
    behind: list[psutil.Process],
    rounds: int,
    seconds: float,
) -> None:
    """With enough clients in flight: pictures a second, and processor time per picture."""
    engine, own_cost, queue, cost, sides = [], [], [], [], []
    for _ in range(rounds):
        own = ask(alone, threads=8, seconds=seconds)
        engine.append(own["count"] / own["seconds"])
        own_cost.append(1000 * own["spent"] / own["count"])
        before = _spent(behind)
        answered = ask(clients, threads=CLIENTS, seconds=seconds)
        spent = [b - a for a, b in zip(before, _spent(behind), strict=True)]
        queue.append(answered["count"] / answered["seconds"])
        each = [1000 * part / answered["count"] for part in (*spent, answered["spent"])]
        cost.append(sum(each))
        sides.append((each[-1], each[-2]))
    ratio = statistics.median(a / b for a, b in zip(queue, engine, strict=True))
    section.rows += [
        ("one engine alone, decode + detect, 8 threads", f"{_median(engine):.1f} pictures/s"),
        (f"{WORKERS} workers, {CLIENTS} clients", f"{_median(queue):.1f} pictures/s"),
        ("ratio, median of the rounds", f"{ratio:.3f}"),
        (
            "processor time a picture, alone / by workers with Redis and clients",
            f"{_median(own_cost):.1f} / {_median(cost):.1f} ms",
        ),
        (
            "of it the client's / Redis'",
            f"{_median([side[0] for side in sides]):.2f} / "
            f"{_median([side[1] for side in sides]):.2f} ms",
        ),
    ]


def _latencies(
    section: Section,
    alone: subprocess.Popen[str],
    clients: subprocess.Popen[str],
    rounds: int,
    seconds: float,
) -> None:
    """One picture at a time: what the way adds."""
    own, asked = [], []
    for _ in range(rounds):
        turn = ask(alone, threads=1, seconds=seconds / 3)
        own.append(1000 * turn["seconds"] / turn["count"])
        asked.append(1000 * _median(ask(clients, threads=1, seconds=seconds / 3)["latencies"]))
    added = statistics.median(b - a for a, b in zip(own, asked, strict=True))
    section.rows += [
        ("one picture at a time, engine alone", f"{_median(own):.1f} ms"),
        ("the same through the queue", f"{_median(asked):.1f} ms"),
        ("the queue adds, median of the rounds", f"{added:.1f} ms"),
    ]


def _priorities(
    section: Section, clients: subprocess.Popen[str], jobs: subprocess.Popen[str]
) -> None:
    """One client that asks now and then, while nothing else happens and during a flood of jobs."""
    idle = ask(clients, threads=1, seconds=10, pause=PAUSE)["latencies"]
    write_line(jobs, {"jobs": JOBS})
    read_line(jobs)  # they are queued
    flooded: list[float] = []
    left, began = JOBS, time.perf_counter()
    while left:
        turn = ask(clients, threads=1, seconds=1, pause=PAUSE)["latencies"]
        write_line(jobs, {})
        left = json.loads(read_line(jobs))["left"]
        flooded += turn if left else []
    flooded.sort()
    took = time.perf_counter() - began
    slower = flooded[len(flooded) * 95 // 100] / idle[len(idle) * 95 // 100]
    section.rows += [
        ("idle, one client, p50 / p95", f"{percentile(idle, 50)} / {percentile(idle, 95)} ms"),
        (
            f"during {JOBS} jobs ({took:.0f} s), p50 / p95",
            f"{percentile(flooded, 50)} / {percentile(flooded, 95)} ms",
        ),
        ("p95 during the jobs / idle", f"{slower:.2f}"),
    ]
    section.notes.append(
        "Clients, Redis and database (SQLite) run on the same cores. The jobs are sessions over "
        "one stored picture, on the queues and the engines of the same two workers."
    )


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _spent(processes: list[psutil.Process]) -> list[float]:
    return [sum(process.cpu_times()[:2]) for process in processes]


@contextmanager
def _worker(env: dict[str, str]) -> Iterator[psutil.Process]:
    child = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(timeout=30)


@contextmanager
def _child(
    env: dict[str, str], module: str, order: dict[str, Any]
) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        write_line(child, order)
        read_line(child)
        yield child
    finally:
        child.kill()
        child.wait()

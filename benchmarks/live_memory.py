"""Whether the memory of a server with six live cameras stays flat: half an hour, `make soak`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.live import CAMERAS, RATE, SIZE, family_of, read_figures, serve_cameras, write_clip
from benchmarks.material import Material
from benchmarks.report import Section
from benchmarks.server import Server

MINUTES = 30.0
MARKS = 10


def run(material: Material, scratch: Path, *, rounds: int, minutes: float = MINUTES) -> Section:
    section = Section(
        f"Memory of {CAMERAS} live cameras over {minutes:g} minutes",
        ("minute", "server, MB", "x first", "capturing children, MB", "fps a camera"),
    )
    folder, films = scratch / "live-memory", scratch / "live-memory-films"
    folder.mkdir()
    films.mkdir()
    write_clip(material, films / "walk.mp4")
    first = 0.0
    with serve_cameras(material, folder, films, {}) as server:
        for minute, own, children, fps in _marks(server, minutes):
            first = first or own
            section.rows.append(
                (
                    f"{minute:.0f}",
                    f"{own:.0f}",
                    f"{own / first:.3f}",
                    f"{children:.0f}",
                    f"{fps:.1f}",
                )
            )
    section.notes.append(
        f"{SIZE[0]}x{SIZE[1]}, {RATE:g} fps, always moving, everything with its defaults; resident "
        "memory."
    )
    return section


def _marks(server: Server, minutes: float) -> Iterator[tuple[float, float, float, float]]:
    began = time.monotonic()
    for number in range(1, MARKS + 1):
        time.sleep(max(0.0, began + number * minutes * 60 / MARKS - time.monotonic()))
        own, *children = (_megabytes(one) for one in family_of(server.process))
        looks = read_figures(server)
        fps = sum(look["fps"]["processed"] for look in looks) / max(1, len(looks))
        yield number * minutes / MARKS, own, sum(children), fps


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6

"""Clients that ask the workers through Redis, without HTTP (a child: ``benchmarks.asking``).

Settings come from the environment; one order a line on standard input, one answer a line.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import django


def ask_for(
    files: list[bytes], *, threads: int, seconds: float, pause: float = 0.0
) -> dict[str, Any]:
    """Ask from so many threads; each waits for its answer before it asks again.

    ``latencies`` are seconds; ``spent`` is the processor time of this process.
    """
    from common.inference import Query, ask_workers

    query = Query(model="yolov8n", confidence=0.25, iou=0.7)
    counter = itertools.count()
    latencies: list[list[float]] = [[] for _ in range(threads)]
    spent = time.process_time()
    started = time.perf_counter()
    until = started + seconds

    def work(number: int) -> None:
        while time.perf_counter() < until:
            sent = time.perf_counter()
            ask_workers(files[next(counter) % len(files)], query).wait()
            latencies[number].append(time.perf_counter() - sent)
            time.sleep(pause)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    every = sorted(latency for one in latencies for latency in one)
    return {
        "count": len(every),
        "seconds": time.perf_counter() - started,
        "latencies": every,
        "spent": time.process_time() - spent,
    }


def main() -> None:
    order = json.loads(sys.stdin.readline())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "detection_project.settings.base")
    django.setup()
    files = [Path(path).read_bytes() for path in order["pictures"]]
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(ask_for(files, **json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

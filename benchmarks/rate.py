"""The engine's own decode+detect rate, without a server (a child: ``benchmarks.rate``)."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from pathlib import Path

from vision.engine import Engine, EngineConfig
from vision.sources.pictures import decode_picture
from vision.weights.store import WeightsStore


def decode_and_detect_for(
    engine: Engine, files: list[bytes], *, threads: int, seconds: float
) -> tuple[int, float]:
    """Returns the pictures done and the seconds they took."""
    counter = itertools.count()
    done = [0] * threads
    started = time.perf_counter()
    until = started + seconds

    def work(number: int) -> None:
        while time.perf_counter() < until:
            picture = decode_picture(files[next(counter) % len(files)])
            engine.detect([picture])
            done[number] += 1

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done), time.perf_counter() - started


def main() -> None:
    """One order a line on standard input, one answer a line, so that rounds can take turns."""
    order = json.loads(sys.stdin.readline())
    store = WeightsStore(
        Path(order["cache"]) / "weights", [Path(order["weights_dir"])], allow_download=False
    )
    engine = Engine(EngineConfig(cache_dir=Path(order["cache"]), weights=store))
    files = [Path(path).read_bytes() for path in order["pictures"]]
    decode_and_detect_for(engine, files, threads=8, seconds=2)
    print("ready", flush=True)
    for line in sys.stdin:
        turn = json.loads(line)
        spent = time.process_time()
        count, took = decode_and_detect_for(
            engine, files, threads=turn["threads"], seconds=turn["seconds"]
        )
        spent = time.process_time() - spent
        print(json.dumps({"count": count, "seconds": took, "spent": spent}), flush=True)
    engine.close()


if __name__ == "__main__":
    main()

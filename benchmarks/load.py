"""Clients that post pictures as fast as they are answered (a child: ``benchmarks.load``).

A process of its own, as real clients are, and lean, since it shares the server's cores.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

BOUNDARY = "sightline-benchmark"


def multipart(picture: bytes) -> bytes:
    """The body of a detect request that saves nothing."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="save"\r\n\r\nfalse\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


def post_for(
    port: int, token: str, bodies: Sequence[bytes], *, clients: int, seconds: float
) -> tuple[int, float, list[float]]:
    """Returns the answered requests, the seconds they took, and each one's latency in seconds."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    errors: list[str] = []
    started = time.perf_counter()
    until = started + seconds

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {
            "Authorization": f"Token {token}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }
        turn = number
        while time.perf_counter() < until:
            sent = time.perf_counter()
            connection.request("POST", "/api/detect/", bodies[turn % len(bodies)], headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                errors.append(f"{answer.status} {content[:200]!r}")
                return
            latencies[number].append(time.perf_counter() - sent)
            turn += clients

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(f"the server refused a picture: {errors[0]}")
    every = [latency for one in latencies for latency in one]
    return len(every), time.perf_counter() - started, every


def main() -> None:
    """Arguments as JSON on standard input; the figures as JSON on standard output."""
    order = json.load(sys.stdin)
    bodies = [multipart(Path(path).read_bytes()) for path in order["pictures"]]
    count, took, latencies = post_for(
        order["port"], order["token"], bodies, clients=order["clients"], seconds=order["seconds"]
    )
    json.dump({"count": count, "seconds": took, "latencies": sorted(latencies)}, sys.stdout)


if __name__ == "__main__":
    main()

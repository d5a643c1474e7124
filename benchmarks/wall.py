"""A wall that shows every picture at once (a child: ``benchmarks.wall``).

Arguments as JSON on standard input; the ages of the pictures, in seconds, on standard output.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from typing import Any

from websockets.sync.client import connect

from benchmarks.server import COOKIE

LENGTH = struct.Struct(">I")


def watch(order: dict[str, Any]) -> list[float]:
    """Look at all cameras for a while; return how old each picture was when it came."""
    origin = f"http://127.0.0.1:{order['port']}"
    headers = {"Cookie": f"{COOKIE}={order['cookie']}"}
    address = f"ws://127.0.0.1:{order['port']}/ws/cameras/"
    ages: list[float] = []
    tiles = [{"camera": camera, "size": "small"} for camera in order["cameras"]]
    with connect(address, origin=origin, additional_headers=headers, max_size=None) as socket:
        socket.send(json.dumps({"type": "watch", "tiles": tiles}))
        began = time.monotonic()
        while time.monotonic() - began < order["seconds"]:
            message = socket.recv(timeout=10)
            if isinstance(message, str):
                continue
            facts = json.loads(message[LENGTH.size : LENGTH.size + LENGTH.unpack_from(message)[0]])
            ages.append(time.time() - facts["number"] / 1000)
            known = {key: facts[key] for key in ("camera", "size", "number")}
            socket.send(json.dumps({"type": "ack", **known}))
    return ages


def main() -> None:
    json.dump({"ages": watch(json.load(sys.stdin))}, sys.stdout)


if __name__ == "__main__":
    main()

"""A real server for the benchmarks: `manage.py serve` on a free port, with its own data."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.material import Material

ROOT = Path(__file__).resolve().parent.parent
COOKIE = "sightline_session"  # its name


@dataclass(frozen=True)
class Server:
    port: int
    token: str
    process: psutil.Process
    data_dir: Path

    def rss(self) -> int:
        """Resident bytes of the server's process."""
        return int(self.process.memory_info().rss)


def manage(data_dir: Path, material: Material, *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment(data_dir, material), check=True)


@contextmanager
def run_server(
    data_dir: Path, material: Material, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Serve on a free port; ``settings`` are environment variables of the server alone."""
    manage(data_dir, material, "setup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (data_dir / "server.log").open("w")
    child = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**environment(data_dir, material), **(settings or {})},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_ready(port, child, data_dir / "server.log")
        secrets = json.loads((data_dir / "secrets.json").read_text())
        yield Server(port, secrets["api_token"], psutil.Process(child.pid), data_dir)
    finally:
        child.terminate()
        child.wait(timeout=30)
        log.close()


def environment(data_dir: Path, material: Material) -> dict[str, str]:
    return {
        **os.environ,
        "SIGHTLINE_DATA_DIR": str(data_dir),
        "VISION_WEIGHTS_DIR": str(material.weights_dir),
        "SIGHTLINE_ALLOW_DOWNLOADS": "0",
    }


def _wait_until_ready(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server was not ready within two minutes:\n{log.read_text()}")

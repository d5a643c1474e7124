"""A Redis and a PostgreSQL server of our own: `python -m tests.servers COMMAND…`.

Runs the command with REDIS_URL and DATABASE_URL set, and takes the servers away afterwards.
Nothing that is installed on the machine as a service is touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 30.0


class MissingServerError(RuntimeError):
    """A server is not installed."""


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_folder() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest version first, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=str, reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class RedisServer:
    """A Redis on a free port, without persistence; it can be stopped and started again."""

    def __init__(self, *, databases: int = 64) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise MissingServerError("redis-server is not installed")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            *(program, "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--databases", str(databases)),
            *("--dir", tempfile.gettempdir(), "--loglevel", "warning"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        _wait_for_port(self.port, self._process)

    @property
    def pid(self) -> int:
        """Number of the process; it must run."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Stop at once; everything in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class PostgresServer:
    """A PostgreSQL cluster in a temporary folder, on a free port.

    What was committed outlives the server, as in earnest, but not the machine.
    """

    def __init__(self) -> None:
        folder = postgres_folder()
        if folder is None:
            raise MissingServerError("PostgreSQL is not installed")
        self.programs = folder
        self.port = free_port()
        self.url = f"postgres://sightline:secret@127.0.0.1:{self.port}/sightline"
        self._folder = Path(tempfile.mkdtemp(prefix="sightline-pg-"))
        self._data = self._folder / "data"
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)

    def start(self) -> None:
        """Make the cluster if it is new, start it and wait until it answers."""
        if not self._data.exists():
            password = self._folder / "password"
            password.write_text("secret")
            if self._user:
                shutil.chown(password, self._user)
            self._run(
                *("initdb", "-D", str(self._data), "-U", "sightline", "--auth=scram-sha-256"),
                *(f"--pwfile={password}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            )
        # A second cluster must not find the socket of the machine's own.
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c full_page_writes=off -c max_connections=200 "
            "-c shared_buffers=512MB"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")
        self._create_database()

    def stop(self) -> None:
        """Stop as a crash would; what was committed stays."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop and delete the cluster."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create_database(self) -> None:
        made = subprocess.run(
            [
                *(str(self.programs / "createdb"), "-h", "127.0.0.1", "-p", str(self.port)),
                *("-U", "sightline", "sightline"),
            ],
            env={**os.environ, "PGPASSWORD": "secret"},
            capture_output=True,
            check=False,
        )
        if made.returncode and b"already exists" not in made.stderr:
            raise RuntimeError(made.stderr.decode())

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextlib.contextmanager
def both_servers() -> Iterator[dict[str, str]]:
    """Run both servers; yields the environment variables that lead to them."""
    redis, postgres = RedisServer(), PostgresServer()
    try:
        redis.start()
        postgres.start()
        yield {"REDIS_URL": redis.url, "DATABASE_URL": postgres.url}
    finally:
        redis.stop()
        postgres.remove()


def main() -> int:
    """Run the command of the command line between start and end of the servers."""
    try:
        with both_servers() as variables:
            child = subprocess.Popen(sys.argv[1:], env={**os.environ, **variables})
            # Ctrl+C reaches the child, too; the servers go when it has ended.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return child.wait()
    except MissingServerError as error:
        sys.stderr.write(f"not run: {error}\n")
        return 1 if os.environ.get("SIGHTLINE_REQUIRE_ALL") == "1" else 0


if __name__ == "__main__":
    raise SystemExit(main())

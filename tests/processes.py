"""Sightline as people start it: processes of their own, over real ports and real servers."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import redis

from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "only for this test"
# What a person's environment, or the tests' own settings, must not add.
CLEARED = ("SIGHTLINE_SECRET_KEY", "SIGHTLINE_FIELD_KEY", "SIGHTLINE_API_TOKEN", "INFERENCE")


class Running:
    """A started command, and what it has printed."""

    def __init__(self, command: list[str], *, log: Path, variables: Mapping[str, str]) -> None:
        self.command = command
        self.log = log
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(variables),
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        return self.log.read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, text: str, seconds: float = 90.0) -> None:
        """Wait until it has printed this."""

        def printed() -> bool:
            assert self.process.poll() is None, self.output
            return text in self.output

        wait_until(printed, seconds)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30.0) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            os.kill(self.pid, number)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it without a word, with all that it has started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.process.wait(10)


class Installation:
    """One data folder, one database, and the processes on them.

    With `DATABASE_URL` in the environment it gets a database of its own on that server; with
    `REDIS_URL` it empties that database of Redis.

    Args:
        folder: For data, static files and logs.
        variables: Environment variables beside the usual ones.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[Running] = []
        self._numbers = itertools.count()
        self._server = ""
        folder.mkdir(parents=True, exist_ok=True)
        self.variables = {**environment(folder), **variables}
        if url := self.variables.get("DATABASE_URL"):
            self._server = url
            self.variables["DATABASE_URL"] = create_database(url)
        if url := self.variables.get("REDIS_URL"):
            with redis.Redis.from_url(url) as server:
                server.flushdb()

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes:
            process.kill()
        if self._server:
            with contextlib.suppress(psycopg.OperationalError):
                drop_database(self._server, self.variables["DATABASE_URL"])

    def start(self, role: str, *arguments: str, **variables: str) -> Running:
        """Start one role; web servers listen on the port of this installation."""
        if role in ("serve", "web"):
            arguments = ("--port", str(self.port), *arguments)
        return self.start_command([sys.executable, "manage.py", role, *arguments], **variables)

    def start_command(self, command: list[str], **variables: str) -> Running:
        """Start any command in the environment of this installation."""
        log = self.folder / f"{next(self._numbers):03d}.log"
        running = Running(command, log=log, variables={**self.variables, **variables})
        self.processes.append(running)
        return running

    def manage(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def token(self) -> str:
        """Return the API token that the first start has made."""
        return str(json.loads((self.folder / "data" / "secrets.json").read_text())["api_token"])

    def client(self, timeout: float = 60.0) -> httpx.Client:
        """Return a client of the web server with that token."""
        headers = {"Authorization": f"Token {self.token()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout)

    def wait_ready(self, seconds: float = 90.0) -> None:
        """Wait until /readyz says so."""

        def ready() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200
            return False

        wait_until(ready, seconds)

    def logs(self) -> str:
        """Return what all processes have printed."""
        return "\n".join(f"--- {one.command}\n{one.output}" for one in self.processes)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of an installation in this folder."""
    given = {name: value for name, value in os.environ.items() if name not in CLEARED}
    return {
        **given,
        "DJANGO_SETTINGS_MODULE": "detection_project.settings.base",
        "SIGHTLINE_DATA_DIR": str(folder / "data"),
        "SIGHTLINE_STATIC_ROOT": str(folder / "static"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
        "SIGHTLINE_ALLOW_DOWNLOADS": "0",
        "SIGHTLINE_BACKEND": "opencv",  # needs no weights and no export
    }


def create_database(url: str) -> str:
    """Make a database of a new name on the server of `url`; return its address."""
    name = f"sightline_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def drop_database(url: str, made: str) -> None:
    """Remove a database that `create_database` has made, whoever still uses it."""
    name = urlsplit(made).path.strip("/")
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait for something that other processes bring about."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


@contextlib.contextmanager
def installation(folder: Path, **variables: str) -> Iterator[Installation]:
    """An installation whose logs are shown when something goes wrong."""
    with Installation(folder, **variables) as made:
        try:
            yield made
        except BaseException:
            sys.stderr.write(made.logs())
            raise

"""Cameras for the live pages, and pages with a stand-in for the sockets."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, Server

FAKE = Path(__file__).with_name("stand_in.js")
SERVE = "from tests.browser.live.rows import serve; serve()"


@pytest.fixture(scope="package")
def rows(server: Server) -> Iterator[Callable[..., Any]]:
    """Does a word of `tests.browser.live.rows` in the server's database."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", SERVE],
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def say(word: str, **options: Any) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([word, options]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield say
    process.communicate(timeout=20)


@pytest.fixture
def make_wall(rows: Callable[..., Any]) -> Iterator[Callable[..., dict[str, Any]]]:
    """Stores cameras with events, and takes them away after the test."""
    prefixes: list[str] = []

    def make(**options: Any) -> dict[str, Any]:
        prefixes.append(f"Wall {time.monotonic_ns()}")
        return {**rows("make", prefix=prefixes[-1], **options), "prefix": prefixes[-1]}

    yield make
    for prefix in prefixes:
        rows("remove", prefix=prefix)


@pytest.fixture
def live_page(new_page: Callable[..., Any]) -> Callable[..., Any]:
    """A signed-in page whose live sockets are a stand-in; keywords go to the browser context."""

    def make(**options: Any) -> Any:
        page = new_page(**options)
        page.add_init_script(path=FAKE)
        return page

    return make

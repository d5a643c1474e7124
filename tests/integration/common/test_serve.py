"""`manage.py serve` as people start it: a process of its own, a real port, real sockets."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from integration.conftest import make_picture
from tests.processes import PASSWORD, ROOT, Installation, Running, environment, installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def running(folder: Path, *command: str) -> Iterator[tuple[Installation, Running]]:
    """An installation with one process, which listens."""
    with installation(folder) as made:
        started = made.start(*command)
        started.wait_for("curl -H")
        yield made, started


def sign_in(browser: httpx.Client) -> str:
    page = browser.get("/accounts/login/").text
    found = re.search('name="csrfmiddlewaretoken" value="(.*?)"', page)
    assert found
    form = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": found[1]}
    assert browser.post("/accounts/login/", data=form).status_code == 302
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_picture_goes_through_job_and_socket_and_the_process_stops(
    tmp_path: Path, number: int
) -> None:
    with running(tmp_path, "serve") as (made, server):
        with httpx.Client(base_url=made.url) as browser:
            cookie = sign_in(browser)
            assert "immutable" in browser.get(stylesheet(browser)).headers["cache-control"]
        messages = asyncio.run(post_and_listen(made, server, cookie, number))
        assert server.process.wait(30) == 0, server.output
    assert messages[0] == {"type": "hello"}
    assert [m["status"] for m in messages if m.get("status") in ("queued", "done")][-1] == "done"
    assert "Traceback" not in server.output


async def post_and_listen(
    made: Installation, server: Running, cookie: str, number: int
) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    address = made.url.replace("http", "ws") + "/ws/events/"
    headers = {"Cookie": cookie}
    async with websockets.connect(address, additional_headers=headers, origin=made.url) as page:
        messages.append(json.loads(await page.recv()))
        async with httpx.AsyncClient(base_url=made.url, timeout=60) as program:
            answer = await program.post(
                "/api/sessions/",
                files={"image": ("a.jpg", make_picture("JPEG", (320, 240)), "image/jpeg")},
                headers={"Authorization": f"Token {made.token()}"},
            )
            assert answer.status_code == 201, answer.text
        while messages[-1].get("status") not in ("done", "failed"):
            messages.append(json.loads(await asyncio.wait_for(page.recv(), 60)))
        # The page stays open while the server is asked to stop.
        os.kill(server.pid, number)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(page.recv(), 30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    return messages


def stylesheet(browser: httpx.Client) -> str:
    found = re.search(r'href="(/static/css/[^"]+)"', browser.get("/").text)
    assert found
    return found[1]


def test_pages_of_other_origins_hear_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "serve") as (made, server):
        with httpx.Client(base_url=made.url) as browser:
            cookie = sign_in(browser)
        address = made.url.replace("http", "ws") + "/ws/events/"

        async def connect() -> None:
            headers = {"Cookie": cookie}
            async with websockets.connect(
                address, additional_headers=headers, origin="http://evil.example"
            ):
                pass

        with pytest.raises(websockets.InvalidStatus) as refused:
            asyncio.run(connect())
        assert refused.value.response.status_code == 403
        assert server.stop() == 0


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            cwd=ROOT,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert answer.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("options", [["--noreload"], []])
def test_runserver_has_a_worker_too(tmp_path: Path, options: list[str]) -> None:
    with installation(tmp_path) as made:
        server = made.start("runserver", str(made.port), *options)
        server.wait_for("curl -H")
        made.wait_ready()
        os.killpg(server.pid, signal.SIGTERM)
        server.process.wait(30)

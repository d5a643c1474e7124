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

from integration.conftest import make_picture, wait_until

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "only for this test"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """A started Sightline."""

    def __init__(self, folder: Path, *command: str, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log.txt"
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment(folder),
            stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait(self) -> None:
        def listening() -> bool:
            assert self.process.poll() is None, self.output
            return "curl -H" in self.output

        wait_until(listening, 90)

    def token(self) -> str:
        return str(json.loads((self.folder / "data" / "secrets.json").read_text())["api_token"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(30)


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "detection_project.settings.base",
        "SIGHTLINE_DATA_DIR": str(folder / "data"),
        "SIGHTLINE_STATIC_ROOT": str(folder / "static"),
        "SIGHTLINE_ADMIN_PASSWORD": PASSWORD,
        "SIGHTLINE_ALLOW_DOWNLOADS": "0",
        "SIGHTLINE_BACKEND": "opencv",  # needs no weights and no export
        "SIGHTLINE_SECRET_KEY": "",
        "SIGHTLINE_FIELD_KEY": "",
    }


@contextmanager
def running(folder: Path, *command: str, port: int) -> Iterator[Running]:
    folder.mkdir(exist_ok=True)
    started = Running(folder, *command, port=port)
    try:
        started.wait()
        yield started
    finally:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait(10)


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
    port = free_port()
    with running(tmp_path, "serve", "--port", str(port), port=port) as server:
        with httpx.Client(base_url=server.url) as browser:
            cookie = sign_in(browser)
            assert "immutable" in browser.get(stylesheet(browser)).headers["cache-control"]
        messages = asyncio.run(post_and_listen(server, cookie, number))
        assert server.process.wait(30) == 0, server.output
    assert messages[0] == {"type": "hello"}
    assert [m["status"] for m in messages if m.get("status") in ("queued", "done")][-1] == "done"
    assert "Traceback" not in server.output


async def post_and_listen(server: Running, cookie: str, number: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    address = server.url.replace("http", "ws") + "/ws/events/"
    headers = {"Cookie": cookie}
    async with websockets.connect(address, additional_headers=headers, origin=server.url) as page:
        messages.append(json.loads(await page.recv()))
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as program:
            answer = await program.post(
                "/api/sessions/",
                files={"image": ("a.jpg", make_picture("JPEG", (320, 240)), "image/jpeg")},
                headers={"Authorization": f"Token {server.token()}"},
            )
            assert answer.status_code == 201, answer.text
        while messages[-1].get("status") not in ("done", "failed"):
            messages.append(json.loads(await asyncio.wait_for(page.recv(), 60)))
        # The page stays open while the server is asked to stop.
        os.kill(server.process.pid, number)
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
    port = free_port()
    with running(tmp_path, "serve", "--port", str(port), port=port) as server:
        with httpx.Client(base_url=server.url) as browser:
            cookie = sign_in(browser)
        address = server.url.replace("http", "ws") + "/ws/events/"

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
    port = free_port()
    with running(tmp_path, "runserver", str(port), *options, port=port) as server:
        with httpx.Client(base_url=server.url) as program:

            def ready() -> bool:
                return program.get("/readyz").status_code == 200

            wait_until(ready, 60)
        os.killpg(server.process.pid, signal.SIGTERM)
        server.process.wait(30)

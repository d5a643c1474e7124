"""Videos and processes as people run them: killed in the middle, uploads that break off."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.made_videos import make_clip
from tests.processes import Installation, Running, installation, wait_until
from tests.servers import MissingServerError, RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(300)]

LIMIT = 8_000_000


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """The Redis of this run, or one of our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    try:
        server = RedisServer()
    except MissingServerError:
        pytest.skip("needs redis-server")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work for some seconds."""
    return make_clip(
        tmp_path_factory.mktemp("clip") / "long.mp4", seconds=180, width=320, height=240
    )


def post(made: Installation, path: Path) -> dict[str, Any]:
    with made.client() as program, path.open("rb") as file:
        answer = program.post(
            "/api/videos/", files={"video": (path.name, file, "video/mp4")}, data={"every": "4"}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def look(made: Installation, video: dict[str, Any]) -> dict[str, Any]:
    with made.client() as program:
        return dict(program.get(f"/api/videos/{video['id']}/").json())


def attempt(made: Installation, video: dict[str, Any]) -> int:
    with made.client() as program:
        return int(program.get(f"/api/jobs/{video['job']}/").json()["attempt"])


def stored(made: Installation) -> dict[str, int]:
    media = made.folder / "data" / "media"
    folders = ("uploads", "thumbnails", "derived")
    return {name: sum(path.is_file() for path in (media / name).rglob("*")) for name in folders}


def processes_of(session: int) -> list[int]:
    """Living processes of a session: what a command has started, and itself."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(of) == session and state != "Z":
                found.append(int(folder.name))
    return found


def start(made: Installation, roles: tuple[str, ...]) -> Running:
    """Start what works; the last one is what is killed."""
    return [made.start(role) for role in roles][-1]


@pytest.mark.parametrize("kind", ["embedded", "distributed"])
def test_what_a_killed_process_has_begun_is_finished_by_the_next(
    kind: str, tmp_path: Path, long_clip: Path, request: pytest.FixtureRequest
) -> None:
    variables = {}
    first, then = ("serve",), ("serve",)
    if kind == "distributed":
        variables["REDIS_URL"] = request.getfixturevalue("redis_url")
        first, then = ("beat", "web", "worker"), ("worker",)
    elif os.environ.get("REDIS_URL"):
        variables["REDIS_URL"] = ""
    with installation(tmp_path, **variables) as made:
        killed = start(made, first)
        made.wait_ready()
        video = post(made, long_clip)
        wait_until(lambda: look(made, video)["frames_done"] > 0, 60)
        os.kill(killed.pid, signal.SIGKILL)  # alone: its children must see to themselves
        killed.process.wait(10)
        wait_until(lambda: not processes_of(killed.pid), 15)
        start(made, then)
        made.wait_ready()
        assert attempt(made, video) == 1 or look(made, video)["status"] == "running"
        wait_until(lambda: look(made, video)["status"] in ("done", "failed"), 150)
        told = look(made, video)
        assert (told["status"], told["error"]) == ("done", None)
        assert attempt(made, video) == 2
        assert told["statistics"]["frames"] == told["frames_done"] == 1800
        assert stored(made) == {"uploads": 1, "thumbnails": 1, "derived": 3}
        with made.client() as program:
            part = program.get(told["links"]["annotated"], headers={"Range": "bytes=0-99"})
            assert (part.status_code, len(part.content)) == (206, 100)
            assert program.delete(told["links"]["self"]).status_code == 204
        wait_until(lambda: stored(made) == {"uploads": 0, "thumbnails": 0, "derived": 0})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server that takes small videos."""
    variables = {"SIGHTLINE_MAX_VIDEO_BYTES": str(LIMIT), "REDIS_URL": ""}
    with installation(tmp_path_factory.mktemp("small"), **variables) as made:
        made.start("serve")
        made.wait_ready()
        yield made


def is_empty(made: Installation) -> bool:
    work = made.folder / "data" / "work"
    with made.client() as program:
        rows = program.get("/api/videos/").json()["results"]
    return not (rows or any(stored(made).values()) or any(work.iterdir()))


def begin(made: Installation, length: int) -> socket.socket:
    """Send the head of an upload of so many bytes."""
    lines = [
        "POST /api/videos/ HTTP/1.1",
        f"Host: 127.0.0.1:{made.port}",
        f"Authorization: Token {made.token()}",
        "Content-Type: multipart/form-data; boundary=edge",
        f"Content-Length: {length}",
        "",
        "--edge",
        'Content-Disposition: form-data; name="video"; filename="a.mp4"',
        "Content-Type: video/mp4",
        "",
        "",
    ]
    connection = socket.create_connection(("127.0.0.1", made.port), 10)
    connection.sendall("\r\n".join(lines).encode())
    return connection


def test_an_upload_that_breaks_off_leaves_nothing(server: Installation, long_clip: Path) -> None:
    data = long_clip.read_bytes()
    for share in (0.0, 0.5, 0.99):
        with begin(server, len(data) + 1000) as connection:
            connection.sendall(data[: round(len(data) * share)])
        wait_until(lambda: is_empty(server))
    with server.client() as program:
        assert program.get("/healthz").status_code == 200


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(server: Installation) -> None:
    with begin(server, LIMIT * 1000) as connection:
        connection.sendall(bytes(100_000))
        connection.settimeout(10)
        answer = ""
        while not answer.endswith("}") and (piece := connection.recv(65536)):
            answer += piece.decode()
    assert answer.startswith("HTTP/1.1 413"), answer
    assert "file_too_large" in answer
    assert is_empty(server)


def test_a_file_that_is_too_long_by_a_little_is_refused_with_a_sentence(
    server: Installation,
) -> None:
    with server.client() as program:
        files = {"video": ("a.mp4", bytes(LIMIT + 1000), "video/mp4")}
        answer = program.post("/api/videos/", files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")
    assert is_empty(server)


def test_strangers_send_little(server: Installation) -> None:
    with server.client() as program:
        files = {"video": ("a.mp4", bytes(LIMIT - 1000), "video/mp4")}
        answer = program.post("/api/videos/", files=files, headers={"Authorization": "Token x"})
    assert answer.status_code == 401
    assert is_empty(server)

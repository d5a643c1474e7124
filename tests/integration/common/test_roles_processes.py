"""Web, worker and beat as processes of their own, on Redis and on either database."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from detection_project.settings.servers import channel_prefix
from integration.common.test_serve import sign_in
from integration.conftest import make_picture
from tests.processes import Installation, Running, installation, wait_until
from tests.servers import MissingServerError, RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(300)]


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
def team(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with one process for each role."""
    with installation(tmp_path_factory.mktemp("team"), REDIS_URL=redis_url) as made:
        # All at once: worker and beat wait until the database is there.
        roles = [made.start(role) for role in ("worker", "beat", "web")]
        roles[-1].wait_for("curl -H")
        made.wait_ready()
        yield made
        for role in roles:
            assert role.stop() == 0, role.output
            assert "Traceback" not in role.output


def post_picture(made: Installation, address: str) -> Any:
    with made.client() as program:
        picture = ("a.jpg", make_picture("JPEG", (320, 240)), "image/jpeg")
        answer = program.post(address, files={"image": picture})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


def test_a_worker_paints_slowly_and_the_web_shows_it_growing(team: Installation) -> None:
    with team.client() as program:
        files = {"image": ("a.jpg", make_picture("JPEG", (160, 120)), "image/jpeg")}
        wishes = {"style": "stained-glass", "size": "96", "steps": "40"}
        made = program.post("/api/style/", files=files, data=wishes)
        assert made.status_code == 201, made.text
        address = f"/api/style/{made.json()['id']}/"
        previews: set[str] = set()

        def is_done() -> bool:
            seen = program.get(f"{address}preview/")
            previews.update({seen.headers["X-Preview"]} if seen.status_code == 200 else ())
            state: str = program.get(address).json()["status"]
            assert state in ("queued", "running", "done")
            return state == "done"

        wait_until(is_done, 150)
        assert previews  # they came through Redis
        assert program.get(f"{address}result/").headers["Content-Type"] == "image/jpeg"


def wait_for_session(made: Installation, session_id: str, *statuses: str) -> str:
    found = ""

    def there() -> bool:
        nonlocal found
        with made.client() as program:
            found = program.get(f"/api/sessions/{session_id}/").json()["status"]
        return found in (statuses or ("done", "failed", "cancelled"))

    wait_until(there, 60)
    return found


def test_a_picture_posted_to_one_process_is_found_in_by_another(team: Installation) -> None:
    session = post_picture(team, "/api/sessions/")
    assert wait_for_session(team, session["id"]) == "done"
    assert "detections" in post_picture(team, "/api/detect/")


def test_pages_of_the_web_process_hear_what_the_worker_does(team: Installation) -> None:
    with httpx.Client(base_url=team.url) as browser:
        cookie = sign_in(browser)

    async def listen() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        address = team.url.replace("http", "ws") + "/ws/events/"
        headers = {"Cookie": cookie}
        async with websockets.connect(address, additional_headers=headers, origin=team.url) as page:
            heard.append(json.loads(await page.recv()))
            await asyncio.to_thread(post_picture, team, "/api/sessions/")
            while heard[-1].get("status") not in ("done", "failed"):
                heard.append(json.loads(await asyncio.wait_for(page.recv(), 30)))
        return heard

    statuses = [message.get("status") for message in asyncio.run(listen())]
    assert "running" in statuses
    assert statuses[-1] == "done"


def test_every_part_is_ready_and_the_workers_are_listed(team: Installation) -> None:
    checks = httpx.get(f"{team.url}/readyz").json()["checks"]
    assert {"database", "worker", "engine", "redis"} <= set(checks)
    with team.client() as program:
        answer = program.get("/api/workers/").json()
    alive = [worker for worker in answer["workers"] if worker["state"] == "alive"]
    assert [worker["queues"] for worker in alive] == [["inference", "default", "videos", "styles"]]
    assert alive[0]["info"]["memory_bytes"] > 10_000_000
    assert team.manage("ready").returncode == 0
    assert team.manage("ready", "--worker").returncode == 0


def test_a_worker_asked_to_start_anew_keeps_its_number_and_hears_again(
    team: Installation,
) -> None:
    worker = team.start("worker", "--queues", "default", "--threads", "1")
    worker.wait_for("Worker    1 jobs")
    first = sign_of(team, worker)
    os.kill(worker.pid, signal.SIGHUP)
    wait_until(lambda: worker.output.count("Worker    1 jobs") == 2, 60)
    wait_until(lambda: sign_of(team, worker) not in (None, first), 60)
    begun = time.monotonic()
    assert worker.stop() == 0, worker.output
    assert time.monotonic() - begun < 10


def sign_of(team: Installation, worker: Running) -> str | None:
    """The name of the living worker with this process number."""
    with team.client() as program:
        rows = program.get("/api/workers/").json()["workers"]
    alive = [row["name"] for row in rows if row["state"] == "alive"]
    return next((name for name in alive if f":{worker.pid}:" in name), None)


def test_a_database_without_tables_is_waited_for(redis_url: str, tmp_path: Path) -> None:
    with installation(tmp_path, REDIS_URL=redis_url) as made:
        worker = made.start("worker")
        worker.wait_for("Waiting until the database is prepared")
        assert made.manage("setup", "--no-weights").returncode == 0
        worker.wait_for("Worker    3 jobs")
        assert worker.stop() == 0


def test_two_that_prepare_at_once_do_not_collide(redis_url: str, tmp_path: Path) -> None:
    with installation(tmp_path, REDIS_URL=redis_url) as made, ThreadPoolExecutor() as threads:
        # Folders of their own: only the database can keep these two apart.
        folders = [{"SIGHTLINE_DATA_DIR": str(tmp_path / name)} for name in ("one", "two")]
        if not made.variables.get("DATABASE_URL"):
            folders = [{}, {}]
        answers = list(
            threads.map(lambda own: made.manage("setup", "--no-weights", **own), folders)
        )
        for answer in answers:
            assert answer.returncode == 0, answer.stderr
            assert "Traceback" not in answer.stderr
        assert sum("Database  ready" in answer.stdout for answer in answers) == 1


def test_a_second_signal_ends_a_worker_at_once(redis_url: str, tmp_path: Path) -> None:
    with installation(tmp_path, REDIS_URL=redis_url) as made:
        assert made.manage("setup", "--no-weights").returncode == 0
        worker = made.start("worker")
        worker.wait_for("Worker    3 jobs")
        os.kill(worker.pid, signal.SIGTERM)
        time.sleep(0.2)
        begun = time.monotonic()
        assert worker.stop() in (1, -signal.SIGTERM)  # the latter: it was about to end
        assert time.monotonic() - begun < 5


def test_unknown_queues_are_refused(redis_url: str, tmp_path: Path) -> None:
    with installation(tmp_path, REDIS_URL=redis_url) as made:
        answer = made.manage("worker", "--queues", "inference,trainning")
    assert answer.returncode == 1
    assert "Unknown queue: trainning" in answer.stderr


@pytest.mark.parametrize(
    ("path", "prefix"), [("", "sightline-0-"), ("/0", "sightline-0-"), ("/12", "sightline-12-")]
)
def test_installations_in_databases_of_one_redis_hear_nothing_of_each_other(
    path: str, prefix: str
) -> None:
    assert channel_prefix(f"redis://host:6379{path}") == prefix

"""Servers that go away for a while, and workers that are killed: every job ends exactly once."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from integration.conftest import make_picture
from tests.processes import ROOT, Installation, installation, wait_until
from tests.servers import MissingServerError, PostgresServer, RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(400)]

AWAY_SECONDS = 8.0
PICTURE = make_picture("JPEG", (1600, 1200))


class Team:
    """An installation of several processes, and the servers under it."""

    def __init__(self, made: Installation, redis: RedisServer, postgres: PostgresServer) -> None:
        self.made, self.redis, self.postgres = made, redis, postgres
        self.client = made.client()
        self.posted: list[str] = []

    def post(self) -> float:
        """Queue a picture; return how long the request took."""
        began = time.monotonic()
        picture = ("a.jpg", PICTURE, "image/jpeg")
        answer = self.client.post("/api/sessions/", files={"image": picture})
        assert answer.status_code == 201, answer.text
        self.posted.append(answer.json()["id"])
        return time.monotonic() - began

    def sessions(self) -> list[dict[str, Any]]:
        return [self.client.get(f"/api/sessions/{one}/").json() for one in self.posted]

    def all_done(self) -> bool:
        with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
            statuses = {session["status"] for session in self.sessions()}
            assert not statuses & {"failed", "cancelled"}, self.sessions()
            return statuses == {"done"}
        return False

    def wait_for_end(self) -> None:
        """Wait until every posted picture is done; each job has then ended once."""
        wait_until(self.all_done, 120)
        counts = {session["object_count"] for session in self.sessions()}
        assert len(counts) == 1  # one picture, one result


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Web, beat and a worker on a Redis and a PostgreSQL of their own."""
    try:
        redis, postgres = RedisServer(), PostgresServer()
    except MissingServerError as error:
        pytest.skip(str(error).replace("redis-server", "needs redis-server"))
    try:
        redis.start()
        postgres.start()
        folder = tmp_path_factory.mktemp("outages")
        with installation(folder, REDIS_URL=redis.url, DATABASE_URL=postgres.url) as made:
            made.start("web").wait_for("curl -H")
            made.start("beat")
            made.start("worker")
            made.wait_ready()
            yield Team(made, redis, postgres)
    finally:
        redis.stop()
        postgres.remove()


def test_redis_may_be_lost_for_a_while(team: Team) -> None:
    for _ in range(3):
        team.post()
    team.redis.stop()
    # What is asked for meanwhile is answered, soon, and kept.
    assert max(team.post() for _ in range(3)) < 3.0
    answer = httpx.get(f"{team.made.url}/readyz", timeout=10)
    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"]["reason"] == "Redis does not answer."
    time.sleep(AWAY_SECONDS)
    team.redis.start()
    team.wait_for_end()
    team.made.wait_ready(60)


def test_redis_that_hangs_holds_nobody_up(team: Team) -> None:
    assert team.redis._process is not None
    os.kill(team.redis._process.pid, signal.SIGSTOP)
    try:
        assert max(team.post() for _ in range(2)) < 5.0
    finally:
        os.kill(team.redis._process.pid, signal.SIGCONT)
    team.wait_for_end()


def test_postgres_may_be_restarted(team: Team) -> None:
    for _ in range(6):
        team.post()
    team.postgres.stop()
    time.sleep(2.0)
    team.postgres.start()
    team.wait_for_end()
    team.made.wait_ready(60)


def test_a_worker_that_is_killed_leaves_its_jobs_to_the_next(team: Team) -> None:
    extra = team.made.start("worker", "--threads", "1")
    extra.wait_for("Worker    1 jobs")

    def holds_a_job() -> bool:
        rows = team.client.get("/api/workers/").json()["workers"]
        return any(f":{extra.pid}:" in row["name"] and row["running"] for row in rows)

    wait_until(lambda: team.post() and holds_a_job(), 60)
    extra.kill()
    team.wait_for_end()


def test_a_worker_that_is_stopped_gives_its_jobs_back_within_ten_seconds(team: Team) -> None:
    extra = team.made.start("worker", "--threads", "2")
    extra.wait_for("Worker    2 jobs")
    for _ in range(4):
        team.post()
    began = time.monotonic()
    assert extra.stop() == 0, extra.output
    assert time.monotonic() - began < 10.0
    team.wait_for_end()


def test_five_kills_at_random_moments_leave_nothing_behind(team: Team) -> None:
    del team  # the servers are there; the soak test starts its own
    answer = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--kills", "5", "--seed", str(int(time.time()))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=380,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr

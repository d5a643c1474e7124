"""Kills workers at random moments of their jobs: `python -m tests.soak --kills 200`.

Real servers, real processes, SIGKILL. Meanwhile pictures are posted all the time. At the end every
job must have ended once: each session has exactly the objects that its picture has, no job is left
running or queued, and no row or file is without an owner. Ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg
from PIL import Image

from tests.processes import Installation, Running, wait_until
from tests.servers import both_servers

WORKERS = 2
QUEUED = 12  # as many jobs are kept waiting
LATEST = 1.0  # seconds after the start of a job at which its worker is killed
BETWEEN = 2  # as many jobs end between two kills: three kills in a row are the end of a job
PATIENCE = 240.0
SIZE = (720, 960)


@dataclass
class Report:
    """What happened, and what is wrong."""

    kills: int = 0
    in_a_job: int = 0
    seconds: float = 0.0
    states: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, int] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not any(self.wrong.values())

    def lines(self) -> list[str]:
        rows: list[tuple[str, Any]] = [
            ("kills", self.kills),
            ("  in the middle of a job", self.in_a_job),
            ("jobs", sum(self.states.values())),
            *((f"  {state}", count) for state, count in sorted(self.states.items())),
            *((f"  in attempt {n}", count) for n, count in sorted(self.attempts.items())),
            *self.wrong.items(),
            ("seconds", round(self.seconds)),
        ]
        return [f"{name:<44}{value:>8}" for name, value in rows]


class Poster(threading.Thread):
    """Keeps some jobs waiting until it is told to stop."""

    def __init__(self, made: Installation, picture: bytes) -> None:
        super().__init__(daemon=True)
        self.made, self.picture = made, picture
        self.over = threading.Event()
        self.errors: list[str] = []

    def run(self) -> None:
        with self.made.client() as client, connect(self.made) as rows:
            while not self.over.wait(0.05):
                (waiting,) = ask(rows, "SELECT count(*) FROM common_job WHERE state = 'queued'")[0]
                for _ in range(QUEUED - waiting):
                    try:
                        self.post(client)
                    except (AssertionError, httpx.HTTPError) as error:
                        self.errors.append(repr(error))

    def post(self, client: httpx.Client) -> None:
        answer = client.post(
            "/api/sessions/", files={"image": ("soak.jpg", self.picture, "image/jpeg")}
        )
        assert answer.status_code == 201, answer.text


def connect(made: Installation) -> psycopg.Connection:
    """Return a connection to the installation's database."""
    return psycopg.connect(made.variables["DATABASE_URL"], autocommit=True)


def ask(rows: psycopg.Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    return rows.execute(query, values).fetchall()


def make_picture() -> bytes:
    """Return a picture with people that takes the built-in detectors a moment."""
    spec = find_spec("ultralytics")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    buffer = io.BytesIO()
    Image.open(folder / "assets" / "bus.jpg").resize(SIZE).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def soak(kills: int, *, say: Callable[[str], None], seed: int = 0) -> Report:
    """Run the whole test on servers of its own."""
    moments = random.Random(seed)
    with both_servers() as servers, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.environ.update(servers)
        with Installation(Path(folder), SIGHTLINE_LOG_LEVEL="ERROR") as made:
            web = made.start("web")
            web.wait_for("curl -H")
            made.start("beat")
            workers = [made.start("worker", "--threads", "2") for _ in range(WORKERS)]
            made.wait_ready()
            poster = Poster(made, make_picture())
            began = time.monotonic()
            poster.start()
            report = Report()
            with connect(made) as rows:
                try:
                    kill_all(made, rows, workers, report, kills, moments, say)
                    poster.over.set()
                    poster.join(30)
                    wait_for_end(rows)
                except AssertionError:
                    say(stuck(made, rows))
                    raise
                report.seconds = time.monotonic() - began
                judge(made, rows, report)
            report.wrong["requests that failed"] = len(poster.errors)
            for process in made.processes:
                if process.process.poll() is None:
                    process.stop()
            if not report.is_good:
                say(made.logs()[-20_000:])
            return report


def kill_all(
    made: Installation,
    rows: psycopg.Connection,
    workers: list[Running],
    report: Report,
    kills: int,
    moments: random.Random,
    say: Callable[[str], None],
) -> None:
    """Kill a worker that has just begun a job, start another in its place, and so on."""
    query = "SELECT id FROM common_job WHERE state = 'running' AND worker LIKE %s"
    ended = "SELECT count(*) FROM common_job WHERE state IN ('done', 'failed')"
    while report.kills < kills:
        number = report.kills % len(workers)
        pattern = f"%:{workers[number].pid}:%"
        wanted = ask(rows, ended)[0][0] + BETWEEN
        wait_until(lambda wanted=wanted: ask(rows, ended)[0][0] >= wanted, PATIENCE)
        wait_until(lambda pattern=pattern: ask(rows, query, pattern), PATIENCE)
        time.sleep(moments.uniform(0.0, LATEST))
        held = ask(rows, query, pattern)
        workers[number].kill()
        report.kills += 1
        report.in_a_job += bool(held)
        workers[number] = made.start("worker", "--threads", "2")
        if report.kills % 20 == 0:
            say(f"{report.kills} kills")


def stuck(made: Installation, rows: psycopg.Connection) -> str:
    """Return what can be said of a run in which nothing ends any more."""
    jobs = (
        "SELECT state, attempt, worker, lease_expires_at, count(*) "
        "FROM common_job GROUP BY 1, 2, 3, 4"
    )
    workers = (
        "SELECT name, started_at, last_sign_at FROM common_worker ORDER BY started_at DESC LIMIT 5"
    )
    told = [str(row) for query in (jobs, workers, "SELECT now()") for row in ask(rows, query)]
    return "\n".join([*told, made.logs()[-8_000:]])


def wait_for_end(rows: psycopg.Connection) -> None:
    """Wait until nothing is queued or running."""
    query = "SELECT 1 FROM common_job WHERE state IN ('queued', 'running') LIMIT 1"
    wait_until(lambda: not ask(rows, query), 600)


def judge(made: Installation, rows: psycopg.Connection, report: Report) -> None:
    """Look for everything that a killed worker could have left behind."""
    report.states.update(dict(ask(rows, "SELECT state, count(*) FROM common_job GROUP BY 1")))
    report.attempts.update(dict(ask(rows, "SELECT attempt, count(*) FROM common_job GROUP BY 1")))
    named = "SELECT file FROM common_upload UNION SELECT thumbnail FROM common_upload"
    stored = {name for (name,) in ask(rows, named) if name}
    media = made.folder / "data" / "media"
    found = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}
    counts: dict[str, str] = {
        "jobs failed for another reason than the kills": (
            "SELECT count(*) FROM common_job WHERE state = 'failed' AND error_code <> 'worker_lost'"
        ),
        "finished jobs that are still owned": (
            "SELECT count(*) FROM common_job WHERE worker <> '' OR lease_expires_at IS NOT NULL"
        ),
        "jobs without a session": (
            "SELECT count(*) FROM common_job j WHERE NOT EXISTS "
            "(SELECT 1 FROM detector_detectionsession s WHERE s.job_id = j.id)"
        ),
        "sessions done without a result": (
            "SELECT count(*) FROM detector_detectionsession s JOIN common_job j ON j.id = s.job_id "
            "WHERE j.state = 'done' AND s.finished_at IS NULL"
        ),
        "sessions whose count is not their objects": (
            "SELECT count(*) FROM detector_detectionsession s WHERE s.object_count <> "
            "(SELECT count(*) FROM detector_detectedobject o WHERE o.session_id = s.id)"
        ),
        "objects twice": (
            "SELECT count(*) FROM (SELECT 1 FROM detector_detectedobject "
            "GROUP BY session_id, x, y, width, height, class_name HAVING count(*) > 1) twice"
        ),
        "results of the same picture that differ": (
            "SELECT greatest(count(DISTINCT object_count) - 1, 0) FROM detector_detectionsession "
            "WHERE finished_at IS NOT NULL"
        ),
        "no objects at all": (
            "SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM detector_detectedobject"
        ),
        "uploads without a session": (
            "SELECT count(*) FROM common_upload u WHERE NOT EXISTS "
            "(SELECT 1 FROM detector_detectionsession s WHERE s.upload_id = u.id)"
        ),
    }
    report.wrong = {name: int(ask(rows, query)[0][0]) for name, query in counts.items()}
    report.wrong["files without a row"] = len(found - stored)
    report.wrong["rows without a file"] = len(stored - found)


def main() -> int:
    """Run, print the table, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    report = soak(options.kills, say=say, seed=options.seed)
    say("\n".join(report.lines()))
    return 0 if report.is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Two processes share cameras over PostgreSQL and Redis; one of them is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from common.previews.slots import Preview
from tests.made_videos import make_clip
from tests.processes import Installation, Running, installation, wait_until
from tests.servers import MissingServerError, both_servers

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(240)]

TAKE_OVER_SECONDS = 15.0


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    """An installation on servers of its own, with four looping cameras."""
    files = tmp_path / "films"
    files.mkdir()
    make_clip(files / "walk.mp4", seconds=4)
    try:
        with both_servers() as servers:
            given = {**servers, "SIGHTLINE_CAMERA_FILES": str(files), "SIGHTLINE_THREADS": "1"}
            with installation(tmp_path / "home", **given) as one:
                for command in (("setup",), ("shell", "-c", ADD_CAMERAS)):
                    done = one.manage(*command)
                    assert done.returncode == 0, done.stderr
                yield one
    except MissingServerError as error:
        pytest.skip(f"needs redis and PostgreSQL: {error}")


ADD_CAMERAS = """
from video_analysis.cameras.models import Camera
for number in range(4):
    Camera.objects.create(
        name=f"Camera {number}", address="loop:walk.mp4", fps=2, detector_conf=0.3,
        tracker="iou", tracker_max_age=2, tracker_min_hits=2, motion_gate=True,
    )
"""


def rows(made: Installation, query: str, given: Any = ()) -> list[Any]:
    with psycopg.connect(made.variables["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(query, given)
        return cursor.fetchall() if cursor.description else []


def runners(made: Installation) -> dict[int, str]:
    """Who has said within the last seconds how a camera goes, by camera."""
    fresh = rows(
        made,
        "SELECT camera_id, runner FROM video_analysis_camerastate WHERE state = 'live' "
        "AND updated_at > now() - interval '5 seconds' "
        "AND (figures->'fps'->>'in')::float > 0",
    )
    return {camera: runner.split(":")[1] for camera, runner in fresh}


def shares(made: Installation, *processes: Running) -> list[int]:
    owners = list(runners(made).values())
    return [owners.count(str(process.pid)) for process in processes]


def newest(made: Installation, camera: int) -> int:
    """Look at a camera as a page would; return the number of its picture, 0 without one."""
    with redis.Redis.from_url(made.variables["REDIS_URL"]) as server:
        server.set(f"sightline:preview:watched:camera:{camera}:small", 1, px=4000)
        message = server.get(f"sightline:preview:picture:camera:{camera}:small")
    return Preview.unpack(bytes(message)).number if message else 0  # type: ignore[arg-type]


def test_cameras_go_on_when_their_runner_is_killed(made: Installation) -> None:
    first, second = made.start("run_cameras"), made.start("run_cameras")
    wait_until(lambda: shares(made, first, second) == [2, 2], 90)
    cameras = [number for (number,) in rows(made, "SELECT id FROM cameras_camera")]
    wait_until(lambda: 0 not in [newest(made, camera) for camera in cameras], 60)

    os.kill(first.pid, signal.SIGKILL)
    killed, before = time.monotonic(), {camera: newest(made, camera) for camera in cameras}
    wait_until(lambda: shares(made, second) == [4], TAKE_OVER_SECONDS)

    def all_go_on() -> bool:
        return min([newest(made, camera) - before[camera] for camera in cameras]) > 1000

    wait_until(all_go_on, TAKE_OVER_SECONDS - (time.monotonic() - killed))
    assert no_children_of(first.pid)

    assert second.stop() == 0, second.output
    assert "Traceback" not in second.output
    left = rows(made, "SELECT DISTINCT runner, state FROM video_analysis_camerastate")
    assert left == [("", "waiting")]
    assert (
        rows(
            made,
            "SELECT * FROM video_analysis_camerarunner WHERE name LIKE %s",
            [f"%:{second.pid}:%"],
        )
        == []
    )
    assert rows(made, 'SELECT 1 FROM video_analysis_cameraevent WHERE "end" IS NULL') == []


def test_a_runner_outlives_its_servers(made: Installation) -> None:
    """A database that cuts every connection is asked again; nothing crashes."""
    runner = made.start("run_cameras")
    wait_until(lambda: shares(made, runner) == [4], 90)
    for _ in range(3):
        rows(
            made,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        time.sleep(0.5)
    cut = rows(made, "SELECT now()")[0][0]

    def written_again() -> bool:
        query = "SELECT count(*) FROM video_analysis_camerastate WHERE updated_at > %s"
        return rows(made, query, [cut]) == [(4,)]

    wait_until(written_again, 30)
    assert shares(made, runner) == [4]
    assert made.manage("run_cameras", "--check").returncode == 0
    assert runner.stop() == 0, runner.output
    assert made.manage("run_cameras", "--check").returncode == 1


def no_children_of(leader: int) -> bool:
    """Tell whether no process is left in the session of one that was killed."""

    def gone() -> bool:
        for entry in Path("/proc").iterdir():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            if fields[3] == str(leader) and fields[0] not in "ZX":
                return False
        return True

    wait_until(gone, 15)
    return True

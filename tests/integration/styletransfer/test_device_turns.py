"""One painting at a time per device."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from django.db import connection
from django.utils import timezone
from filelock import FileLock

from common.jobs.context import JobContext
from common.jobs.errors import JobCancelled, JobInterrupted, JobLost, JobStopped
from common.jobs.identity import HOST
from common.jobs.models import Job
from common.jobs.registry import job_handler
from common.jobs.runner import claim_job, execute_job
from common.jobs.services import cancel_job
from styletransfer.services import device_turns
from styletransfer.services.device_turns import device_name, device_turn
from tests.integration.conftest import wait_until
from tests.integration.styletransfer.makers import again, restyling

State = Job.State


@pytest.fixture
def models(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for models, that is not there yet, and little patience."""
    monkeypatch.setattr(device_turns, "POLL_SECONDS", 0.02)
    settings.MODELS_DIR = tmp_path / "models"
    settings.SIGHTLINE_DEVICE = "cpu"
    return tmp_path / "models"


def claimed(owner: Any) -> JobContext:
    job = claim_job(restyling(owner).job_id)
    assert job is not None
    return JobContext(job, time_limit=60.0)


def lock_of(models: Path) -> Path:
    (found,) = models.glob("painting-*-cpu.lock")
    return found


def hold(context: JobContext) -> None:
    with device_turn(context):
        pass


class Painters:
    """Jobs that paint, each in a thread, until they are let go."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.gate = threading.Event()
        self.at_once = self.most = self.done = 0
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        job_handler(kind)(self.handle)

    def handle(self, context: JobContext) -> None:
        with device_turn(context):
            with self._lock:
                self.at_once += 1
                self.most = max(self.most, self.at_once)
            self.gate.wait(10)
            with self._lock:
                self.at_once -= 1
                self.done += 1

    def start(self, owner: Any) -> Job:
        job = restyling(owner, job={"kind": self.kind}).job
        self._threads.append(threading.Thread(target=self._run, args=(job.pk,)))
        self._threads[-1].start()
        return job

    def _run(self, job_id: Any) -> None:
        try:
            execute_job(job_id)
        finally:
            connection.close()

    def end(self) -> None:
        self.gate.set()
        for thread in self._threads:
            thread.join(20)


@pytest.fixture
def painters(transactional_db: None, kind: str, models: Path) -> Iterator[Painters]:
    made = Painters(kind)
    yield made
    made.end()


def message_of(job: Job) -> str:
    job.refresh_from_db()
    return job.message


def test_one_paints_and_the_others_say_that_they_wait(user: Any, painters: Painters) -> None:
    first = painters.start(user)
    wait_until(lambda: painters.at_once == 1)
    begun = first.started_at = again(first.restyling).job.started_at
    others = [painters.start(user) for _ in range(2)]
    for job in others:
        wait_until(lambda job=job: message_of(job) == "Waiting for the painter")  # type: ignore[misc]
    released = timezone.now()
    painters.end()
    assert (painters.most, painters.done) == (1, 3)
    for job in (first, *others):
        job.refresh_from_db()
        assert job.state == State.DONE
    assert first.started_at == begun
    assert all(job.started_at > released for job in others)  # waiting is not counted


def test_one_that_waits_can_be_cancelled(user: Any, painters: Painters) -> None:
    painters.start(user)
    wait_until(lambda: painters.at_once == 1)
    waiting = painters.start(user)
    wait_until(lambda: message_of(waiting) == "Waiting for the painter")
    cancel_job(job=waiting)
    wait_until(lambda: Job.objects.get(pk=waiting.pk).state == State.CANCELLED)
    assert painters.at_once == 1
    painters.end()
    assert painters.done == 1


@pytest.mark.django_db(transaction=True)
def test_the_turn_ends_with_an_error(user: Any, models: Path) -> None:
    with pytest.raises(ZeroDivisionError), device_turn(claimed(user)):
        raise ZeroDivisionError
    hold(claimed(user))


@pytest.mark.django_db(transaction=True)
def test_a_turn_that_is_free_asks_the_database_nothing(
    user: Any, models: Path, django_assert_num_queries: Any
) -> None:
    context = claimed(user)
    with django_assert_num_queries(0):
        hold(context)
    assert message_of(context.job) == ""


def gpu(index: int) -> SimpleNamespace:
    if index > 1:
        raise AssertionError("Invalid device id")
    return SimpleNamespace(uuid=f"b7f5{index}")


@pytest.mark.parametrize(
    ("wanted", "has_driver", "name"),
    [
        ("auto", False, "boot-7-cpu"),
        ("auto", True, "gpu-b7f50"),
        ("cpu", True, "boot-7-cpu"),
        ("cuda", True, "gpu-b7f50"),
        ("cuda:0", True, "gpu-b7f50"),
        ("cuda:1", True, "gpu-b7f51"),
        ("cuda:2", True, f"{HOST}-cuda-2"),
    ],
)
def test_a_device_has_one_name_in_all_containers(
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    has_driver: bool,
    name: str,
) -> None:
    (tmp_path / "boot_id").write_text("boot-7\n")
    monkeypatch.setattr(device_turns, "BOOT_ID", tmp_path / "boot_id")
    monkeypatch.setattr(device_turns, "has_cuda_driver", lambda: has_driver)
    monkeypatch.setattr(torch.cuda, "get_device_properties", gpu)
    settings.SIGHTLINE_DEVICE = wanted
    assert device_name() == name


def test_a_machine_without_a_number_of_its_start_has_its_name(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_turns, "BOOT_ID", tmp_path / "none")
    settings.SIGHTLINE_DEVICE = "cpu"
    assert device_name() == f"{HOST}-cpu"


@pytest.mark.django_db(transaction=True)
def test_each_device_has_a_turn_of_its_own(user: Any, models: Path, settings: Any) -> None:
    with device_turn(claimed(user)):
        assert [*models.iterdir()] == [lock_of(models)]
        settings.SIGHTLINE_DEVICE = "cuda:7"
        hold(claimed(user))  # does not wait


@pytest.mark.django_db(transaction=True)
def test_a_process_that_dies_gives_its_turn_back(user: Any, models: Path) -> None:
    hold(claimed(user))
    program = (
        "import sys, time; from filelock import FileLock; "
        f"lock = FileLock({str(lock_of(models))!r}); lock.acquire(); print('held', flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        context = claimed(user)
        threading.Timer(0.2, other.kill).start()
        with device_turn(context):
            assert context.job.message == "Waiting for the painter"
            assert other.wait(5) != 0


@pytest.mark.django_db(transaction=True)
def test_the_time_limit_counts_from_the_turn(user: Any, models: Path) -> None:
    hold(claimed(user))
    context = claimed(user)
    context.time_limit = 0.5
    context.restart_time_limit()
    other = FileLock(lock_of(models), thread_local=False)
    other.acquire()
    threading.Timer(1.0, other.release).start()
    with device_turn(context):
        assert context.seconds_left > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reason", [JobCancelled, JobInterrupted, JobLost])
def test_whoever_is_stopped_takes_no_turn(
    user: Any, models: Path, reason: type[JobStopped]
) -> None:
    hold(claimed(user))
    context = claimed(user)
    with FileLock(lock_of(models)):
        context.stop(reason)
        with pytest.raises(reason):
            hold(context)
    hold(claimed(user))

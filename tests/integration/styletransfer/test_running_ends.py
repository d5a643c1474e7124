"""Work that is stopped, interrupted, failing, or done once more: what is left of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from common.jobs import runner
from common.jobs.services import cancel_job
from common.models import DerivedFile, Job
from common.storage.work import work_root
from styletransfer.models import Restyling, Style
from styletransfer.services import progress, running
from styletransfer.services.restylings import retry_restyling
from styletransfer.tasks import SLOW_SECONDS
from tests.integration.styletransfer.makers import (
    GONE,
    Hook,
    again,
    bytes_of,
    decode,
    failure,
    media,
    picture,
    pixels_of,
    restyle,
    rows,
    run_job,
    stop_at,
)
from tests.integration.styletransfer.painters import FakePainter
from vision.errors import VisionError
from vision.style import GatysConfig
from vision.style.sizes import out_of_memory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("silent", "lightly"),
]
State = Job.State
STYLE = {"styles": 1, "style-thumbnails": 1}
BEFORE = {"uploads": 1, "thumbnails": 1, **STYLE}
PAINTED = {**BEFORE, "derived": 2}


# Stopped


def test_what_is_stopped_in_its_first_second_leaves_no_result(
    waiting: Restyling, quick: list[FakePainter], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = FakePainter.prepare

    def stopped(self: FakePainter, on_progress: Any) -> str:
        cancel_job(job=Job.objects.get(pk=waiting.job_id))
        return prepare(self, on_progress)

    monkeypatch.setattr(FakePainter, "prepare", stopped)
    made = run_job(waiting)
    assert (made.status, made.result, made.steps_made, made.losses) == ("cancelled", None, 0, [])
    assert (media(), rows()["DerivedFile"]) == (BEFORE, 0)
    assert not run_job(made).job.attempt > 1


def test_what_is_stopped_while_it_waits_is_never_begun(
    waiting: Restyling, quick: list[FakePainter]
) -> None:
    cancel_job(job=waiting.job)
    assert run_job(waiting).status == "cancelled"
    assert not quick


def test_of_what_is_stopped_later_the_best_is_kept(
    waiting: Restyling, at_step: Callable[[Hook], Any]
) -> None:
    at_step(stop_at(waiting, 4))
    made = run_job(waiting)
    assert (made.status, made.job.error_code) == ("cancelled", "")
    assert (made.steps_made, [step for step, _ in made.losses]) == (4, [1, 2, 3, 4])
    plain = decode(picture(64, 48))
    assert pixels_of(made).astype(int).mean() == pytest.approx(plain.mean() + 4, abs=2.5)
    assert media() == PAINTED


def test_of_what_would_be_overdue_the_best_is_kept(
    waiting: Restyling, at_step: Callable[[Hook], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_is_over(step: int) -> None:
        if step == 4:
            monkeypatch.setattr(progress, "STORE_SECONDS", SLOW_SECONDS)

    at_step(time_is_over)
    made = run_job(waiting)
    assert (made.status, made.steps_made, len(made.losses)) == ("done", 4, 4)
    assert pixels_of(made).shape == (48, 64, 3)
    assert media() == PAINTED


@pytest.mark.slow
def test_stopping_a_real_painter_keeps_the_best_too(
    waiting: Restyling, monkeypatch: pytest.MonkeyPatch
) -> None:
    see = progress.StepWatcher.see
    stop = stop_at(waiting, 3)
    monkeypatch.setattr(
        progress.StepWatcher, "see", lambda self, told: (stop(told.step), see(self, told))[1]
    )
    made = run_job(waiting)
    assert (made.status, made.steps_made) == ("cancelled", 3)
    assert pixels_of(made).shape == (48, 64, 3)


def test_what_is_interrupted_goes_back_to_the_queue(
    waiting: Restyling, at_step: Callable[[Hook], Any]
) -> None:
    at_step(lambda step: step == 3 and runner.request_stop())
    try:
        made = run_job(waiting)
    finally:
        runner.allow_start()
    assert (made.status, made.job.attempt, made.result) == ("queued", 0, None)
    assert media() == BEFORE
    at_step(lambda step: None)
    made = run_job(made)
    assert (made.status, made.steps_made, len(made.losses)) == ("done", 10, 10)
    assert media() == PAINTED


def test_an_attempt_that_lost_its_job_writes_nothing(
    waiting: Restyling, at_step: Callable[[Hook], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_over(step: int) -> None:
        if step == 10:
            Job.objects.filter(pk=waiting.job_id).update(lease_expires_at=timezone.now())
            assert runner.claim_job(waiting.job_id) is not None

    at_step(take_over)
    monkeypatch.setattr("common.jobs.context.WRITE_INTERVAL", 60.0)  # it does not notice sooner
    made = run_job(waiting)
    assert (made.status, made.job.attempt, made.result) == ("running", 2, None)
    assert (media(), rows()["DerivedFile"]) == (BEFORE, 0)


# Failing


def test_what_does_not_fit_into_the_memory_fails_with_the_largest_size_and_the_next_is_painted(
    waiting: Restyling, user: Any, own_style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = running.create_gatys

    def little(config: GatysConfig) -> Any:
        painter = create(replace(config, memory=300 * 2**20))
        monkeypatch.setattr(painter, "prepare", lambda on_progress: "unreachable")
        return painter

    made = again(waiting)
    Restyling.objects.filter(pk=made.pk).update(size=4096)
    monkeypatch.setattr(running, "_read_content", lambda *args: np.zeros((2000, 3000, 3), np.uint8))
    monkeypatch.setattr(running, "create_gatys", little)
    code, message = failure(run_job(made))
    assert code == "out_of_memory"
    assert "3000 x 2000" in message
    assert int(message.partition("the largest is ")[2].split()[0]) in range(64, 1000)
    assert media() == BEFORE
    monkeypatch.undo()
    monkeypatch.setattr("common.jobs.services.ring", lambda job: True)
    monkeypatch.setattr(running, "create_gatys", FakePainter)
    assert run_job(restyle(user, own_style)).status == "done"


def test_memory_that_ends_in_the_middle_is_no_end_of_the_worker(
    waiting: Restyling, user: Any, own_style: Style, at_step: Callable[[Hook], Any]
) -> None:
    def run_out(step: int) -> None:
        if step == 5:
            raise out_of_memory(48, 64, 48)

    at_step(run_out)
    code, message = failure(run_job(waiting))
    assert (code, "the largest is 48 pixels" in message) == ("out_of_memory", True)
    assert media() == BEFORE
    at_step(lambda step: None)
    assert run_job(restyle(user, own_style)).status == "done"


@pytest.mark.parametrize("what", GONE)
@pytest.mark.usefixtures("quick")
def test_what_is_gone_is_said_in_words(what: str, waiting: Restyling) -> None:
    take, wanted = GONE[what]
    take(again(waiting))
    made = run_job(waiting)
    code, message = failure(made)
    assert code == (wanted or code) != "internal_error"
    assert message.endswith(".")
    assert (made.result, rows()["DerivedFile"]) == (None, 0)
    assert made.style_name == "night sky"


def test_a_style_deleted_while_it_is_painted_like_is_painted_like_to_the_end(
    waiting: Restyling, at_step: Callable[[Hook], Any]
) -> None:
    at_step(lambda step: step == 2 and GONE["style"][0](again(waiting)))
    made = run_job(waiting)
    assert (made.status, made.style, made.style_name) == ("done", None, "night sky")


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.usefixtures("quick")
def test_a_full_disk_leaves_no_half_of_a_result(
    fails_at: int, waiting: Restyling, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = FileSystemStorage.save, itertools.count(1)

    def sometimes(self: Any, *args: Any, **options: Any) -> str:
        if next(calls) == fails_at:
            raise OSError(28, "No space left on device")
        return save(self, *args, **options)

    monkeypatch.setattr(FileSystemStorage, "save", sometimes)
    assert failure(run_job(waiting))[0] == "disk_full"
    assert (media(), rows()["DerivedFile"]) == (BEFORE, 0)
    assert list(work_root().iterdir()) == []


# Again


@pytest.mark.usefixtures("quick")
def test_trying_again_replaces_the_result_and_its_files(
    waiting: Restyling, at_step: Callable[[Hook], Any]
) -> None:
    at_step(stop_at(waiting, 4))
    first = run_job(waiting)
    at_step(lambda step: None)
    retry_restyling(restyling=first)
    second = run_job(first)
    assert (second.status, second.steps_made) == ("done", 10)
    assert second.result_id not in (None, first.result_id)
    assert second.thumbnail_id not in (None, first.thumbnail_id)
    assert bytes_of(second) != b""
    assert DerivedFile.objects.count() == 2
    assert media() == PAINTED


def test_what_fails_again_leaves_what_there_was(
    waiting: Restyling, at_step: Callable[[Hook], Any]
) -> None:
    at_step(stop_at(waiting, 4))
    first = run_job(waiting)
    retry_restyling(restyling=first)

    def fail(step: int) -> None:
        raise VisionError("broken", "It broke.")

    at_step(fail)
    second = run_job(first)
    assert failure(second) == ("broken", "It broke.")
    assert second.result_id == first.result_id
    assert bytes_of(second)
    assert media() == PAINTED

"""One painting at a time per device: a second one would take its memory and halve its pace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone
from filelock import FileLock, Timeout

from common.jobs.context import JobContext
from common.jobs.identity import HOST
from common.models import Job
from vision.detection.hardware import gpu_uuid, has_cuda_driver

POLL_SECONDS: Final = 0.5
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@contextmanager
def device_turn(context: JobContext) -> Iterator[None]:
    """Wait until nobody else paints on this device, then keep it.

    Other processes are kept from it, too, until this one leaves or dies; those of other containers
    where they share the folder of models. The time of the job counts from the moment when it has
    its turn.

    Raises:
        JobStopped: The job is not to go on; see `JobContext.checkpoint`.
    """
    folder = Path(settings.MODELS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"painting-{device_name()}.lock", mode=0o600)
    if not _taken(lock):
        while not _taken(lock):
            context.checkpoint(message="Waiting for the painter")
            context.stopped.wait(POLL_SECONDS)
            context.restart_time_limit()
        context.job.started_at = timezone.now()
        mine = Job.objects.filter(pk=context.job.pk, **context.claim)
        mine.update(started_at=context.job.started_at)
    try:
        yield
    finally:
        lock.release()


def device_name() -> str:
    """Return a name, fit for a file, of what the painters of this process compute on.

    No other device has it, whichever machines and containers share a folder; processes that
    compute on the same one give it the same name.
    """
    wanted = settings.SIGHTLINE_DEVICE
    if wanted == "auto":
        wanted = "cuda" if has_cuda_driver() else "cpu"
    if wanted == "cpu":
        return f"{_machine()}-cpu"
    index = int(wanted.partition(":")[2] or 0)
    uuid = gpu_uuid(index)  # two containers may each call theirs the first
    return f"gpu-{uuid}" if uuid else f"{HOST}-cuda-{index}"  # the painter says what is wrong


def _machine() -> str:
    """A container has a host name of its own, and the processor of the machine."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:  # not on Linux
        return HOST


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True

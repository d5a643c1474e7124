"""Children of our own: ended in time, whatever they do."""

import subprocess
import threading
import time
from typing import Any

import pytest

from tests.processes import wait_until
from vision.sources.videos import process as process_module
from vision.sources.videos.info import VideoError
from vision.sources.videos.process import Child

pytestmark = pytest.mark.once


class Unending(subprocess.Popen[bytes]):
    """A process that the kernel holds on to: it can be neither killed nor reaped, until let go."""

    held = True

    def kill(self) -> None:
        if not self.held:
            super().kill()

    def wait(self, timeout: float | None = None) -> int:
        if self.held and timeout is not None:
            raise subprocess.TimeoutExpired("child", timeout)
        while self.held:
            time.sleep(0.01)
        super().kill()
        return super().wait(timeout)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(process_module.subprocess, "Popen", Unending)
    made = Child("code")  # waits for its input
    yield made
    made._process.held = False
    made.close()
    wait_until(lambda: made._process.returncode is not None, 10)


def test_closing_does_not_wait_for_a_child_that_cannot_end(child: Child) -> None:
    began = time.monotonic()
    child.close()
    child.close()
    assert time.monotonic() - began < 10
    assert any(thread.name == f"reaps-{child.pid}" for thread in threading.enumerate())


def test_who_reads_such_a_child_does_not_hold_up_its_end(child: Child) -> None:
    errors: list[VideoError] = []

    def read() -> None:
        try:
            child.receive(60)
        except VideoError as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(child._reading.locked, 5)
    began = time.monotonic()
    child.close()
    assert time.monotonic() - began < 10
    reader.join(5)
    assert [error.code for error in errors] == ["decoder_failed"]

"""Stopping work that is under way, with the page's own button."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

WITH_JOB = """
from datetime import timedelta
from django.utils import timezone
from common.models import Job
from detector.models import DetectionSession
session = DetectionSession.objects.get(pk={session!r})
session.job = Job.objects.create(
    kind="detector.detect", owner=session.owner, state={state!r}, queue="inference",
    payload={{"session": str(session.pk)}},
    # Nobody rings for it meanwhile.
    lease_expires_at=timezone.now() + timedelta(hours=1),
)
session.save()
print(session.upload.file.path)
"""


@pytest.fixture
def picture_held_back(bus: Path) -> Iterator[Callable[[Path], None]]:
    """Exchanges a stored picture for a pipe: whoever reads it waits until it is written to."""
    held: list[Path] = []

    def hold(file: Path) -> None:
        file.unlink()
        os.mkfifo(file)
        held.append(file)

    yield hold
    for file in held:
        if file.exists() and stat.S_ISFIFO(file.stat().st_mode):
            # A test that failed leaves a worker waiting; this lets it go.
            with contextlib.suppress(OSError):
                os.close(os.open(file, os.O_WRONLY | os.O_NONBLOCK))


def test_a_running_session_is_cancelled_from_its_page(
    page: Any,
    server: Any,
    make_sessions: Callable[..., list[str]],
    picture_held_back: Callable[[Path], None],
    bus: Path,
) -> None:
    (session,) = make_sessions(name="to be cancelled", objects=0)
    file = Path(server.shell(WITH_JOB.format(session=session, state="cancelled")))
    picture_held_back(file)
    page.route("**/picture", lambda route: route.fulfill(path=bus, content_type="image/jpeg"))
    page.goto(f"/sessions/{session}/")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-progress-text]")).to_have_text("Reading the picture")
    expect(page.locator(".result-meta .status")).to_have_text("Running")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("[data-progress-text]")).to_contain_text("Cancelling")
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_have_count(0)

    file.write_bytes(bus.read_bytes())  # the worker reads on, and meets its next checkpoint

    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.locator(".result-meta .status")).to_have_text("Cancelled")
    expect(page.locator(".shape")).to_have_count(0)
    file.unlink()
    file.write_bytes(bus.read_bytes())
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#panel[data-state=done]")
    expect(page.locator(".shape").first).to_be_attached()


def test_a_waiting_session_is_cancelled_at_once(
    page: Any, server: Any, make_sessions: Callable[..., list[str]]
) -> None:
    (session,) = make_sessions(name="never begun", objects=0)
    server.shell(WITH_JOB.format(session=session, state="queued"))
    page.goto(f"/sessions/{session}/")
    expect(page.locator("[data-progress-text]")).to_have_text("Waiting in the queue")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()

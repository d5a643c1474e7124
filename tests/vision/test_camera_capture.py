"""A camera's newest picture, through everything that happens to cameras."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from camera_servers import HERE, WebCamera, body, jpeg, multipart, raw_server, silence, stream
from video_samples import write_clip

from tests.cutting_proxy import CuttingProxy
from tests.processes import wait_until
from tests.rtsp_server import RtspServer
from vision.sources.cameras import AddressRules, Capture, LiveFrame, parse_address
from vision.sources.cameras import backoff as backoff_module
from vision.sources.cameras.clock import LiveClock

pytestmark = pytest.mark.once


@contextlib.contextmanager
def capturing(
    url: str, rules: AddressRules = HERE, *, fps: float = 30.0, **options: Any
) -> Iterator[Capture]:
    address, credentials = parse_address(url)
    capture = Capture(
        address, rules=rules, credentials=credentials, source_id="door", fps=fps, **options
    )
    capture.start()
    try:
        yield capture
    finally:
        capture.close()


def newest(capture: Capture, *, epoch: int = 0, seconds: float = 20.0) -> LiveFrame:
    """Wait for a picture of at least this epoch."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        picture = capture.take()
        if picture is not None and picture.epoch >= epoch:
            return picture
        time.sleep(0.005)
    raise AssertionError(capture.status())


def state(capture: Capture, wanted: str, seconds: float = 20.0) -> None:
    wait_until(lambda: capture.status().state == wanted, seconds)


@pytest.fixture(scope="module")
def rtsp_camera() -> Iterator[RtspServer]:
    with RtspServer(size=(160, 120), fps=15) as server:
        yield server


def test_pictures_come_as_they_are_made() -> None:
    with (
        WebCamera({"/": multipart(20, lambda i: jpeg(shade=i % 200))}) as camera,
        capturing(camera.url) as capture,
    ):
        pictures = [newest(capture) for _ in range(10)]
        status = capture.status()
    frames = [picture.frame for picture in pictures]
    assert {frame.image.shape for frame in frames} == {(64, 96, 3)}
    assert all(frame.image.flags.writeable and frame.image.flags.owndata for frame in frames)
    assert {frame.source_id for frame in frames} == {"door"}
    assert {picture.epoch for picture in pictures} == {1}
    assert frames[0].timestamp == pytest.approx(frames[0].index / 20, abs=0.5)
    for before, after in itertools.pairwise(pictures):
        assert after.frame.timestamp > before.frame.timestamp
        assert after.frame.index > before.frame.index
        assert after.frame.wall_clock > before.frame.wall_clock
        assert after.captured > before.captured
        assert after.frame.image[40, 40, 0] != before.frame.image[40, 40, 0]
    assert all(0 < picture.decode_ms < 1000 for picture in pictures)
    assert (status.state, status.code, status.message) == ("live", "", "")
    assert (status.codec, status.width, status.height) == ("mjpeg", 96, 64)
    assert (status.attempts, status.epoch) == (0, 1)
    assert status.newest is not None
    assert time.monotonic() - status.newest < 5


def test_who_is_slow_gets_the_newest_and_the_others_are_counted() -> None:
    with (
        WebCamera({"/": multipart(50, lambda i: jpeg(shade=i % 200))}) as camera,
        capturing(camera.url, fps=50) as capture,
    ):
        first = newest(capture)
        wait_until(lambda: capture.status().received > 30)
        second = newest(capture)
        status = capture.status()
        assert second.frame.index > first.frame.index + 20
        assert time.monotonic() - second.captured < 5
        assert second.frame.index - first.frame.index - 1 <= status.dropped


def test_nothing_is_given_twice() -> None:
    with (
        WebCamera({"/": multipart(0.1)}) as camera,
        capturing(camera.url, fps=1) as capture,
    ):
        newest(capture)
        assert capture.take() is None


def test_a_flood_is_taken_at_the_asked_rate() -> None:
    called = []
    with (
        WebCamera({"/": multipart(200)}) as camera,
        capturing(camera.url, fps=5, on_frame=lambda: called.append(time.monotonic())) as capture,
    ):
        wait_until(lambda: len(called) >= 12)
        status = capture.status()
    assert 1 / np.mean(np.diff(called)) < 5.5
    assert status.received > 100  # they came, and were left out: that is no loss
    assert status.dropped <= 12
    assert status.fps > 10  # what came, not what was taken


def test_a_recording_is_played_in_real_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.ts", frames=600, rate=10, options={"preset": "ultrafast"})
    with (
        WebCamera({"/": stream(clip.read_bytes())}) as camera,
        capturing(camera.url) as capture,
    ):
        start = newest(capture).captured
        wait_until(lambda: time.monotonic() - start > 2)
        # What a server keeps for whoever connects comes at once, ten seconds of it at most.
        assert 50 < capture.status().received < 160


def test_whoever_listens_is_told_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Event()

    def fail() -> None:
        called.set()
        raise RuntimeError("not my day")

    with (
        WebCamera({"/": multipart(20)}) as camera,
        capturing(camera.url, on_frame=fail) as capture,
    ):
        assert called.wait(20)
        index = newest(capture).frame.index
        wait_until(lambda: newest(capture).frame.index > index + 2)
    assert "not my day" in caplog.text


@pytest.mark.parametrize("how", ["cut", "reset", "kill"])
def test_a_camera_that_goes_away_comes_back(rtsp_camera: RtspServer, how: str) -> None:
    with (
        CuttingProxy(rtsp_camera.port) as proxy,
        capturing(f"rtsp://127.0.0.1:{proxy.port}/live") as capture,
    ):
        before = newest(capture)
        assert capture.pid is not None
        if how == "kill":
            os.kill(capture.pid, signal.SIGKILL)
        else:
            getattr(proxy, how)()
        after = newest(capture, epoch=before.epoch + 1)
        assert after.frame.timestamp > before.frame.timestamp
        passed = after.captured - before.captured
        assert after.frame.timestamp - before.frame.timestamp == pytest.approx(passed, abs=1.0)
        assert proxy.accepted == 2


@pytest.mark.slow
def test_a_camera_that_falls_silent_is_lost_and_comes_back(rtsp_camera: RtspServer) -> None:
    with (
        CuttingProxy(rtsp_camera.port) as proxy,
        capturing(f"rtsp://127.0.0.1:{proxy.port}/live") as capture,
    ):
        before = newest(capture)
        proxy.stall()
        state(capture, "lost")
        status = capture.status()
        assert status.code == "silent"
        assert status.message
        assert status.fps == 0.0
        proxy.resume()
        assert newest(capture, epoch=before.epoch + 1).epoch == before.epoch + 1
        assert capture.status().state == "live"


def test_a_new_size_and_a_new_codec_begin_new_epochs() -> None:
    with (
        RtspServer(size=(160, 120), fps=15) as server,
        capturing(server.url) as capture,
    ):
        first = newest(capture)
        assert first.frame.image.shape == (120, 160, 3)
        server.resize(320, 240)
        second = newest(capture, epoch=first.epoch + 1)
        assert second.frame.image.shape == (240, 320, 3)
        assert capture.status().attempts == 0  # the connection has lasted
        server.recode("mjpeg")
        third = newest(capture, epoch=second.epoch + 1)
        assert capture.status().codec == "mjpeg"
        assert third.frame.timestamp > second.frame.timestamp > first.frame.timestamp


def test_what_shrinks_to_nothing_is_refused() -> None:
    def picture(number: int) -> bytes:
        return jpeg() if number < 5 else jpeg(8, 8)

    with WebCamera({"/": multipart(10, picture)}) as camera, capturing(camera.url) as capture:
        newest(capture)
        state(capture, "refused")
        assert capture.status().code == "too_small"


def test_a_server_that_ends_is_asked_again() -> None:
    one = body(b"--picture\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg() + b"\r\n--picture\r\n")
    with WebCamera({"/": one}) as camera, capturing(camera.url) as capture:
        wait_until(lambda: capture.status().state == "lost")
        # Its last picture does not go with it.
        first = capture.take()
        assert first is not None
        assert first.frame.image.shape == (64, 96, 3)
        second = newest(capture, epoch=first.epoch + 1)
        assert second.frame.timestamp > first.frame.timestamp
        state(capture, "lost")
        assert capture.status().code == "ended"


def test_a_refusal_says_why_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff_module, "_LONGEST", 0.2)
    with WebCamera({"/": body(b"", status=403)}) as camera:
        url = camera.url.replace("//", "//guest:hush-hush@")
        with capturing(url) as capture:
            state(capture, "refused")
            status = capture.status()
            assert status.code == "refused"
            assert "hush-hush" not in f"{status} {vars(capture)}"
            assert "403" in status.message
            camera.pages["/"] = multipart(10)
            newest(capture)
            assert capture.status().message == ""


def test_an_unreachable_camera_costs_the_others_nothing(rtsp_camera: RtspServer) -> None:
    with (
        raw_server(silence) as port,
        capturing(f"rtsp://127.0.0.1:{port}/live"),
        capturing(f"http://127.0.0.1:{port}/live"),
        capturing(rtsp_camera.url) as capture,
    ):
        start = newest(capture)
        wait_until(lambda: newest(capture).frame.timestamp > start.frame.timestamp + 1.5)
        assert capture.status().fps > 5


def test_a_looping_file_starts_over(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", frames=6, rate=12)
    with capturing("loop:a.mp4", AddressRules(folder=tmp_path)) as capture:
        pictures = []
        while len({picture.epoch for picture in pictures}) < 4:
            pictures.append(newest(capture))
        status = capture.status()
    times = [picture.frame.timestamp for picture in pictures]
    assert min(np.diff(times)) > 0
    starts = [next(p.frame.timestamp for p in pictures if p.epoch == e) for e in (2, 3, 4)]
    assert np.diff(starts) == pytest.approx([0.5, 0.5], abs=0.2)  # as long as the file
    assert (status.state, status.attempts, status.rate) == ("live", 0, 12)


def is_gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.parametrize("moment", ["live", "connecting", "waiting"])
def test_closing_is_quick_and_leaves_nothing(moment: str) -> None:
    with WebCamera({"/": multipart(20)}) as camera, raw_server(silence) as mute:
        url = {
            "live": camera.url,
            "connecting": f"rtsp://127.0.0.1:{mute}/",
            "waiting": f"{camera.url}/nothing",
        }[moment]
        with capturing(url) as capture:
            if moment == "live":
                newest(capture)
            elif moment == "connecting":
                wait_until(lambda: capture.pid is not None)
            else:
                state(capture, "refused")
            pid = capture.pid
            start = time.monotonic()
            capture.close()
            assert time.monotonic() - start < 5
            assert pid is None or is_gone(pid)
            capture.close()
            assert capture.take() is None
    assert not [thread for thread in threading.enumerate() if thread.name == "capture-door"]


def test_closing_is_possible_before_the_start_and_from_the_listener() -> None:
    address, _ = parse_address("rtsp://127.0.0.1/")
    Capture(address, rules=HERE, source_id="door", fps=5).close()
    closed = threading.Event()
    with WebCamera({"/": multipart(20)}) as camera:

        def close() -> None:
            capture.close()
            closed.set()

        with capturing(camera.url, on_frame=close) as capture:
            assert closed.wait(20)
            wait_until(lambda: capture.pid is None)


def test_nothing_of_a_password_is_seen_from_outside() -> None:
    with WebCamera({"/": multipart(20)}) as camera:
        url = camera.url.replace("//", "//guest:hush-hush@")
        with capturing(url) as capture:
            newest(capture)
            process = psutil.Process(capture.pid)
            seen = f"{process.cmdline()} {process.environ()}"
            assert "vision.sources.cameras.child" in seen
            assert "hush-hush" not in seen
            assert "guest" not in seen


def test_the_child_ends_with_its_parent() -> None:
    program = (
        "import sys, time\n"
        "from vision.sources.cameras import *\n"
        "address, _ = parse_address(sys.argv[1])\n"
        "rules = AddressRules(allowed=('127.0.0.1',))\n"
        "capture = Capture(address, rules=rules, source_id='x', fps=5)\n"
        "capture.start()\n"
        "while capture.pid is None: time.sleep(0.01)\n"
        "print(capture.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    asked = threading.Event()

    def listen(link: socket.socket) -> None:
        link.recv(4096)
        asked.set()

    with raw_server(listen) as port:
        parent = subprocess.Popen(
            [sys.executable, "-c", program, f"rtsp://127.0.0.1:{port}/"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert asked.wait(20)
        assert not is_gone(pid)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        wait_until(lambda: is_gone(pid), 3)  # sooner than it would give the camera up


def test_the_calling_process_loads_no_libav() -> None:
    program = "import sys, vision.sources.cameras; sys.exit('av' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_cannot_be_decoded_any_more_is_lost() -> None:
    def picture(number: int) -> bytes:
        return jpeg() if number < 5 else b"\xff\xd8\xff" + b"garbage" * 20

    with WebCamera({"/": multipart(20, picture)}) as camera, capturing(camera.url) as capture:
        newest(capture)
        state(capture, "lost")
        assert capture.status().code == "broken"


def test_a_fault_of_ours_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff_module, "_FIRST", 0.05)
    stamped = LiveClock.stamp
    faults = iter([OverflowError("date value out of range"), IndexError("slot")])

    def fail(self: LiveClock, *times: Any) -> float:
        for fault in faults:
            raise fault
        return stamped(self, *times)

    monkeypatch.setattr(LiveClock, "stamp", fail)
    with (
        WebCamera({"/": multipart(20, lambda i: jpeg(shade=i % 200))}) as camera,
        capturing(camera.url) as capture,
    ):
        wait_until(lambda: capture.status().code == "decoder_failed", 20)
        assert newest(capture).frame.image.shape == (64, 96, 3)
        state(capture, "live")

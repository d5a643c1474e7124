"""The parts of a capture that need no camera: clock, pace, pauses, passwords, RTSP, USB."""

import hashlib
import itertools
import random
import re
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.sources.cameras.address import CameraAddress, CameraError
from vision.sources.cameras.authentication import Authenticator
from vision.sources.cameras.backoff import Backoff
from vision.sources.cameras.clock import LiveClock
from vision.sources.cameras.connection import Arrived
from vision.sources.cameras.hosts import AddressRules
from vision.sources.cameras.opening import open_feed, usb_arguments
from vision.sources.cameras.pacing import Pacer
from vision.sources.cameras.rtsp_messages import Cutter, Message, NoRtspError
from vision.sources.cameras.secrets import Credentials
from vision.sources.cameras.status import Record

STEP = 1 / 12
Times = Callable[[int], float | None]
WHO = Credentials("Mufasa", "Circle of Life")


def stamps(times: list[float | None], arrivals: list[float]) -> list[float]:
    clock = LiveClock()
    return [clock.stamp(*pair) for pair in zip(times, arrivals, strict=True)]


def steps(values: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(values)]


def test_the_clock_follows_the_source_through_jitter() -> None:
    shaky = random.Random(4)
    arrivals = [1000 + i * STEP + shaky.uniform(0, 0.06) for i in range(200)]
    found = stamps([50 + i * STEP for i in range(200)], sorted(arrivals))
    assert found[0] == 0.0
    assert max(steps(arrivals)) > STEP + 0.03
    assert max(abs(step - STEP) for step in steps(found)[20:]) < 0.01


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(lambda i: 5 + i * STEP + (3600 if i > 50 else 0), id="forwards"),
        pytest.param(lambda i: 5000 + i * STEP - (3600 if i > 50 else 0), id="backwards"),
        pytest.param(lambda i: 9 + i * STEP - (0.3 if i > 50 else 0), id="a little backwards"),
        pytest.param(lambda i: (95400 + i * STEP) % 95403.7, id="wrap of 33 bits"),
        pytest.param(lambda i: None, id="missing"),
        pytest.param(lambda i: None if i % 3 else i * STEP, id="missing now and then"),
        pytest.param(lambda i: 7.0, id="the same for ever"),
        pytest.param(lambda i: -i * STEP, id="running backwards"),
        pytest.param(lambda i: i * STEP * 1.01, id="too fast"),
        pytest.param(lambda i: i * STEP * 0.99, id="too slow"),
        pytest.param(lambda i: i * 60.0, id="wild"),
        pytest.param(lambda i: 1e300 * (-1) ** i, id="absurd"),
    ],
)
def test_whatever_the_source_says_time_flows_evenly(times: Times) -> None:
    arrivals = [77 + i * STEP for i in range(120)]
    found = stamps([times(i) for i in range(120)], arrivals)
    assert min(steps(found)) > 0
    # Never far from when it came, hence no jump either.
    assert max(abs(t - (a - 77)) for t, a in zip(found, arrivals, strict=True)) < 0.5
    assert max(steps(found)) < STEP * 3


def test_what_a_server_had_kept_gets_times_of_its_own() -> None:
    """Three seconds of pictures come at once, then they come as they are made."""
    times: list[float | None] = [i * STEP for i in range(96)]
    arrivals = [max(3.0, i * STEP) + i * 1e-3 for i in range(96)]
    found = stamps(times, arrivals)
    assert min(steps(found)) > 0
    assert found[-1] == pytest.approx(arrivals[-1] - 3.0, abs=0.2)


def test_a_pause_shows_and_a_new_connection_goes_on() -> None:
    clock = LiveClock()
    assert clock.stamp(500.0, 10.0) == 0.0
    assert clock.stamp(500.5, 10.5) == pytest.approx(0.5)
    clock.restart()
    assert clock.stamp(3.0, 17.0) == pytest.approx(7.0)
    assert clock.stamp(3.1, 17.1) == pytest.approx(7.1)


@given(
    st.lists(st.tuples(st.none() | st.floats(-1e9, 1e9), st.floats(0, 5)), min_size=2, max_size=60)
)
def test_the_clock_never_stands_still(pairs: list[tuple[float | None, float]]) -> None:
    arrival, found = 100.0, []
    clock = LiveClock()
    for seconds, pause in pairs:
        arrival += pause
        found.append(clock.stamp(seconds, arrival))
    assert all(step > 0 for step in steps(found))
    assert found[-1] <= arrival - 100.0 + pairs[0][1] + 1e-4 * len(pairs) + 1e-6


@pytest.mark.parametrize(
    ("source", "wanted", "least", "most"),
    [(12, 12, 11.5, 12), (12, 10, 9.5, 10.1), (15, 10, 9.5, 10.1), (60, 12, 11.5, 12.1),
     (12, 30, 11.9, 12), (25, 0.5, 0.45, 0.55), (30, 10, 9.9, 10.1)],
)  # fmt: skip
def test_the_pace_is_kept_evenly(source: float, wanted: float, least: float, most: float) -> None:
    shaky = random.Random(1)
    pacer, taken = Pacer(wanted), []
    for i in range(int(source * 60)):
        now = i / source + shaky.uniform(0, 0.3 / source)
        if pacer.is_due(now):
            pacer.took(now)
            taken.append(now)
    assert least <= len(taken) / 60 <= most
    assert max(steps(taken)) < 2.5 / min(source, wanted)


def test_after_a_stall_pictures_do_not_pile_up() -> None:
    pacer = Pacer(10)
    pacer.took(0.0)
    taken = 0
    for i in range(100):  # 100 pictures within 10 ms
        if pacer.is_due(5.0 + i * 1e-4):
            pacer.took(5.0 + i * 1e-4)
            taken += 1
    assert taken <= 2


def paced(times: Iterator[tuple[float | None, float]], pacer: Pacer) -> tuple[float, float]:
    """Return the source's seconds read, and ours that went by, when somebody holds back."""
    slept, seconds, now = 0.0, None, 0.0
    for seconds, arrival in times:
        now = max(now, arrival + slept)
        pause = pacer.hold_back(seconds, now)
        slept += pause
        now += pause
    return seconds or 0.0, now


def test_a_live_stream_is_never_held_back() -> None:
    kept = ((i / 25, max(4.0, i / 25)) for i in range(5000))
    assert paced(kept, Pacer(10))[1] == pytest.approx(4999 / 25)


def test_a_recording_is_read_in_real_time() -> None:
    read, passed = paced(((i / 25, i * 1e-5) for i in range(2500)), Pacer(10))
    assert read == pytest.approx(100, abs=0.1)
    assert passed == pytest.approx(read - 10, abs=0.5)


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["no times", "one time"])
def test_a_flood_is_read_slowly(seconds: float | None) -> None:
    _, passed = paced(((seconds, i * 1e-4) for i in range(6600)), Pacer(10))
    assert passed == pytest.approx(6000 / 120, rel=0.05)


def test_pauses_grow_and_are_forgotten() -> None:
    backoff = Backoff()
    pauses = [backoff.pause("ended", 0.0) for _ in range(9)]
    bounds = [min(30.0, 0.5 * 2**i) for i in range(9)]
    assert all(0.8 * b <= p <= b for p, b in zip(pauses, bounds, strict=True))
    assert backoff.pause("ended", 5.0) >= 24  # a short life changes nothing
    assert backoff.pause("ended", 31.0) <= 0.5
    assert len({backoff.pause("wrong_password", 0.0) for _ in range(5)}) > 1


def test_refusals_are_retried_slowly_without_lengthening_other_pauses() -> None:
    backoff = Backoff()
    assert 24 <= backoff.pause("wrong_password", 0.0) <= 30
    assert backoff.pause("ended", 0.0) <= 0.5


def test_basic_is_answered() -> None:
    authenticator = Authenticator(WHO)
    assert authenticator.answer("GET", "/") is None
    assert authenticator.challenge(['Basic realm="camera"'])
    assert authenticator.answer("GET", "/") == "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl"


def fields(header: str | None) -> dict[str, str]:
    assert header is not None
    assert header.startswith("Digest ")
    return dict(re.findall(r'(\w+)="?([^",]*)"?', header))


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_digest_is_answered_as_rfc_2617_says() -> None:
    """The nonce and the rest of the standard's example; the client's part is ours."""
    authenticator = Authenticator(WHO)
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    assert authenticator.challenge(
        ['Basic realm="x"', f'Digest realm="testrealm@host.com", qop="auth,auth-int", '
         f'nonce="{nonce}", opaque="5ccc069c403ebaf9f0171e9517f40e41"']
    )  # fmt: skip
    for count in ("00000001", "00000002"):
        found = fields(authenticator.answer("GET", "/dir/index.html"))
        assert found["nc"] == count
        secret = md5("Mufasa:testrealm@host.com:Circle of Life")
        request = md5("GET:/dir/index.html")
        expected = md5(f"{secret}:{nonce}:{count}:{found['cnonce']}:auth:{request}")
        assert found["response"] == expected
        assert found["opaque"] == "5ccc069c403ebaf9f0171e9517f40e41"


def test_digest_without_qop_is_answered() -> None:
    authenticator = Authenticator(WHO)
    assert authenticator.challenge(['Digest realm="r", nonce="n"'])
    found = fields(authenticator.answer("DESCRIBE", "rtsp://cam/x"))
    expected = md5(f"{md5('Mufasa:r:Circle of Life')}:n:{md5('DESCRIBE:rtsp://cam/x')}")
    assert found["response"] == expected
    assert "qop" not in found


def test_the_strongest_hash_that_is_offered_first_is_used() -> None:
    authenticator = Authenticator(WHO)
    assert authenticator.challenge(
        [
            'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"',
            'Digest realm="r", nonce="m"',
        ]
    )
    found = fields(authenticator.answer("GET", "/"))
    assert (found["algorithm"], found["nonce"], len(found["response"])) == ("SHA-256", "n", 64)


@pytest.mark.parametrize(
    "headers",
    [[], ["Bearer"], ['Digest realm="r", nonce="n", algorithm=ROT13'], [""],
     ['Digest realm="r", nonce="n", qop="auth-int"']],
    ids=["none", "bearer", "unknown hash", "empty", "unknown protection"],
)  # fmt: skip
def test_what_cannot_be_answered_is_not(headers: list[str]) -> None:
    authenticator = Authenticator(WHO)
    assert not authenticator.challenge(headers)
    assert authenticator.answer("GET", "/") is None


def test_nobody_answers_for_nobody() -> None:
    authenticator = Authenticator(None)
    assert not authenticator.challenge(['Basic realm="camera"'])
    assert authenticator.answer("GET", "/") is None


def test_a_header_cannot_be_broken_out_of() -> None:
    authenticator = Authenticator(Credentials('a"\r\nX: y', "p"))
    assert authenticator.challenge([r'Digest realm="r\"s", nonce="n"'])
    answer = authenticator.answer("GET", "/")
    assert answer is not None
    assert "\r" not in answer
    assert "\n" not in answer
    assert r'username="a\"X: y"' in answer
    assert r'realm="r\"s"' in answer


ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
PACKET = b"$\x00\x00\x04abcd"


@given(st.lists(st.sampled_from([ANSWER, PACKET, PACKET * 3]), max_size=8), st.integers(1, 30))
def test_rtsp_is_cut_wherever_the_network_cuts_it(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    cutter, out, messages = Cutter(), b"", 0
    for start in range(0, len(stream), size):
        for part in cutter.feed(stream[start : start + size]):
            messages += isinstance(part, Message)
            out += part.encode() if isinstance(part, Message) else part
    assert out == stream
    assert messages == parts.count(ANSWER)


@pytest.mark.parametrize(
    "data",
    [
        *(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 10),
        *(b"<html>\r\n\r\n", b"RTSP/1.0 abc\r\n\r\n", b"a" * 100, b"220 mail.example ESMTP\r\n"),
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 5000,
    ],
    ids=[
        "http",
        "ssh",
        "zeros",
        "html",
        "no status",
        "text",
        "mail",
        "huge",
        "negative",
        "endless",
    ],
)
def test_what_is_no_rtsp_is_told_at_once(data: bytes) -> None:
    with pytest.raises(NoRtspError):
        list(Cutter().feed(data))


def test_usb_cameras_are_opened_by_number_alone() -> None:
    device, arguments = usb_arguments(CameraAddress("usb", number=3))
    assert device == "/dev/video3"
    assert arguments["format"] == "video4linux2"
    assert arguments["options"]["protocol_whitelist"] == "none"


def test_a_usb_camera_that_is_not_there_is_missed() -> None:
    address = CameraAddress("usb", number=63)
    with (
        pytest.raises(CameraError, match="plugged in") as refusal,
        open_feed(address, AddressRules(), None, 5.0, lambda _: None),
    ):
        pass
    assert refusal.value.code == "no_device"


def test_frames_per_second_count_what_came_in_the_last_seconds() -> None:
    record = Record(rate_window=5.0)
    now = time.monotonic()

    def came(at: float, received: int) -> None:
        picture = Arrived(0, 96, 64, None, at, 1.0, lap=0, received=received, dropped=0)
        record.came(picture, replaced=False)

    record.tries()
    came(now - 100, 1)
    assert record.status().fps == 0
    for index in range(101):  # ten in a second are taken, and twice as many came
        came(now - 10 + index / 10, 2 + 2 * index)
    assert record.status().fps == pytest.approx(20)
    assert record.status().received == 202
    record.tries()
    came(now, 1)
    assert record.status().fps == 0
    assert record.status().received == 203

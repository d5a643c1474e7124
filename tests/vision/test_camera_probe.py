"""Trying a camera out: a picture from every kind of server."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from camera_probing import probe, refusal
from camera_servers import (
    HERE,
    Page,
    WebCamera,
    body,
    jpeg,
    make_certificate,
    multipart,
    raw_server,
    rtmp_camera,
    silence,
    stream,
)
from video_samples import BLUE, GREEN, GREY, RED, corners, scene, write_clip

from tests.cutting_proxy import CuttingProxy
from tests.rtsp_server import RtspServer
from vision.sources.cameras import (
    AddressRules,
    Credentials,
    Probe,
    parse_address,
)
from vision.sources.cameras.relay import RtspRelay

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Streams of the four patches, by container."""
    folder = tmp_path_factory.mktemp("clips")
    moving = [np.roll(scene(), i, axis=1) for i in range(1)] * 24
    made = {}
    for name, options in {
        "ts": {},
        "flv": {},
        "mp4": {"movflags": "frag_keyframe+empty_moov"},
        "mkv": {},
        "mp3": None,
    }.items():
        path = folder / f"clip.{name}"
        if options is None:
            with av.open(str(path), "w") as output:
                tone = output.add_stream("mp3", rate=48_000)
                frame = av.AudioFrame.from_ndarray(
                    np.zeros((2, 1152), np.float32), "fltp", "stereo"
                )
                frame.sample_rate = 48_000
                output.mux([*tone.encode(frame), *tone.encode(None)])
        else:
            write_clip(path, images=moving, options={"bf": "0"}, container_options=options)
        made[name] = path.read_bytes()
    return made


def check_patches(found: Probe) -> None:
    assert found.image.shape == (64, 96, 3)
    assert (found.width, found.height) == (96, 64)
    expected = np.array([RED, GREEN, BLUE, GREY], int)
    assert abs(corners(found.image).astype(int) - expected).max() < 30


@pytest.mark.parametrize(
    ("name", "codec"), [("ts", "h264"), ("flv", "h264"), ("mp4", "h264"), ("mkv", "h264")]
)
def test_streams_over_http(clips: dict[str, bytes], name: str, codec: str) -> None:
    with WebCamera({"/live": stream(clips[name])}) as camera:
        found = probe(f"{camera.url}/live")
    assert found.codec == codec
    assert 0 < found.seconds < 10
    check_patches(found)


def test_motion_jpeg_and_single_pictures() -> None:
    pages = {"/live": multipart(10), "/one.jpg": body(jpeg(), "image/jpeg")}
    with WebCamera(pages) as camera:
        for path in pages:
            found = probe(camera.url + path)
            assert (found.codec, found.image.shape) == ("mjpeg", (64, 96, 3))
            assert abs(found.image[10, 10].astype(int) - (40, 40, 210)).max() < 20


def test_a_looping_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4")
    found = probe("loop:a.mp4", AddressRules(folder=tmp_path))
    assert (found.codec, found.rate) == ("h264", 12)
    check_patches(found)
    (tmp_path / "b.mp4").write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    assert refusal("loop:b.mp4", AddressRules(folder=tmp_path)).code == "not_a_stream"


def test_a_real_rtsp_camera() -> None:
    with RtspServer(size=(320, 240), fps=15) as server:
        found = probe(server.url)
        assert (found.codec, found.width, found.height, found.rate) == ("h264", 320, 240, 15)
        assert found.image.max() > 200  # the ball
        assert refusal(server.url + "/nothing").code == "not_found"


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_passwords_of_rtsp_cameras(method: str) -> None:
    with RtspServer(user="guest", password="o p@n/", method=method) as server:
        where = server.url.removeprefix("rtsp://")
        assert probe(f"rtsp://guest:o%20p%40n%2F@{where}").codec == "h264"
        for who in ("", "guest:wrong@", "nobody:o%20p%40n%2F@"):
            error = refusal(f"rtsp://{who}{where}")
            assert error.code == "wrong_password"
            assert ("asks for" in error.message) == (not who)


def asking(kind: str) -> Page:
    """A picture for whoever knows the password."""
    from vision.sources.cameras.authentication import Authenticator

    asked = {"basic": 'Basic realm="r"', "digest": 'Digest realm="r", nonce="n"'}[kind]

    def page(visit) -> None:
        expected = Authenticator(Credentials("guest", "open"))
        expected.challenge([asked])
        if visit.headers.get("Authorization") == expected.answer("GET", visit.path):
            visit.give(jpeg(), "image/jpeg")
            return
        visit.send_response(401)
        visit.send_header("WWW-Authenticate", asked)
        visit.end_headers()

    return page


@pytest.mark.parametrize("kind", ["basic", "digest"])
def test_passwords_of_web_cameras(kind: str) -> None:
    with WebCamera({"/": asking(kind)}) as camera:
        where = camera.url.removeprefix("http://")
        assert probe(f"http://guest:open@{where}/").codec == "mjpeg"
        assert "asks for" in refusal(f"http://{where}/").message
        assert refusal(f"http://guest:wrong@{where}/").code == "wrong_password"


def test_passwords_in_the_query_are_filled_in() -> None:
    with WebCamera({"/s.cgi": body(jpeg(), "image/jpeg")}) as camera:
        probe(f"{camera.url}/s.cgi?usr=me&pwd=a%26b&ch=1")
        assert camera.asked == ["/s.cgi?usr=me&pwd=a%26b&ch=1"]


def test_sound_alone_is_no_picture(clips: dict[str, bytes]) -> None:
    with WebCamera({"/live": body(clips["mp3"])}) as camera:
        assert refusal(f"{camera.url}/live").code == "not_a_stream"


@pytest.mark.parametrize("request_line", [b"DESCRIBE rtsp://127.0.0.1/live RTSP/1.0", b"GET /"])
def test_the_relay_serves_nobody_else(request_line: bytes) -> None:
    address, credentials = parse_address("rtsp://guest:open@cam/live")
    ours, cameras = socket.socketpair()
    relay = RtspRelay(address, ours, credentials, 5.0)
    try:
        port = int(relay.url.partition("127.0.0.1:")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.settimeout(5)
            stranger.sendall(request_line + b"\r\nCSeq: 1\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert stranger.recv(100) == b""
        cameras.settimeout(5)
        assert cameras.recv(100) == b""  # not a word went to the camera
        assert relay.failure is not None
    finally:
        relay.close()
        cameras.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@contextlib.contextmanager
def secured(port: int, folder: Path, *names: str, days: int = 1) -> Iterator[tuple[int, Path]]:
    public, context = make_certificate(folder, *names, days=days)
    with CuttingProxy(port, tls=context) as proxy:
        yield proxy.port, public


def test_certificates_are_checked_for_the_name(certificates: Path) -> None:
    with (
        WebCamera({"/": body(jpeg(), "image/jpeg")}) as camera,
        secured(camera.server_port, certificates, "localhost") as (port, public),
    ):
        trusting = replace(HERE, certificates=public)
        assert probe(f"https://localhost:{port}/", trusting).codec == "mjpeg"
        # The same certificate, but the number that is dialled is not what it names.
        for url, rules in (
            (f"https://127.0.0.1:{port}/", trusting),
            (f"https://localhost:{port}/", HERE),
        ):
            assert refusal(url, rules).code == "bad_certificate"
        assert refusal(f"https://localhost:{camera.server_port}/", trusting).code == "not_a_stream"


@pytest.mark.parametrize(
    ("name", "days"), [("other.example", 1), ("localhost", -1)], ids=["other name", "expired"]
)
def test_bad_certificates(certificates: Path, name: str, days: int) -> None:
    with (
        WebCamera({"/": body(jpeg(), "image/jpeg")}) as camera,
        secured(camera.server_port, certificates, name, days=days) as (port, public),
    ):
        rules = replace(HERE, certificates=public)
        assert refusal(f"https://localhost:{port}/", rules).code == "bad_certificate"
        assert camera.asked == []


def test_a_ticket_of_tls_keeps_no_request_waiting(certificates: Path) -> None:
    """A camera greets with tickets for the next time: readable, but no word of RTSP."""
    public, context = make_certificate(certificates, "localhost")
    trusting = ssl.create_default_context(cafile=str(public))
    plain, far = socket.socketpair()
    greeting = threading.Thread(
        target=lambda: greeted.append(context.wrap_socket(far, server_side=True))
    )
    greeted: list[ssl.SSLSocket] = []
    greeting.start()
    link = trusting.wrap_socket(plain, server_hostname="localhost")
    greeting.join()
    link.settimeout(5)
    address, credentials = parse_address("rtsp://guest:open@localhost/live")
    relay = RtspRelay(address, link, credentials, 5.0)
    try:
        port = int(relay.url.partition("127.0.0.1:")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), 5) as libav:
            time.sleep(0.2)  # the relay has met the tickets by now
            libav.sendall(f"OPTIONS {relay.url} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            greeted[0].settimeout(3)
            assert greeted[0].recv(100).startswith(b"OPTIONS rtsp://localhost/live")
    finally:
        relay.close()
        greeted[0].close()


def test_rtsp_over_tls(certificates: Path) -> None:
    with (
        RtspServer(user="u", password="p") as server,
        secured(server.port, certificates, "localhost") as (port, public),
    ):
        trusting = replace(HERE, certificates=public)
        assert probe(f"rtsps://u:p@localhost:{port}/live", trusting).codec == "h264"
        assert refusal(f"rtsps://u:p@127.0.0.1:{port}/live", trusting).code == "bad_certificate"


def test_rtmp(clips: dict[str, bytes]) -> None:
    with raw_server(rtmp_camera(clips["flv"])) as port:
        found = probe(f"rtmp://guest:o%40p%3Ae%25n@127.0.0.1:{port}/app/key")
    assert found.codec == "h264"
    check_patches(found)


def test_an_rtmp_server_that_hangs_up_is_told_as_it_is() -> None:
    with raw_server(lambda link: link.close()) as port:
        told = refusal(f"rtmp://guest:open@127.0.0.1:{port}/app/key")
    assert told.code == "refused"
    assert "user name or password" in told.message


def test_a_silent_rtmp_server_ends_in_time() -> None:
    with raw_server(silence) as port:
        assert refusal(f"rtmp://127.0.0.1:{port}/app/key", timeout=3).code == "silent"

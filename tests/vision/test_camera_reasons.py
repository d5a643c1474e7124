"""Cameras that give no picture: the reason that a person is told is the real one."""

import socket
import time
from collections.abc import Callable

import pytest
from camera_probing import refusal
from camera_servers import (
    Page,
    WebCamera,
    body,
    dripping,
    jpeg,
    multipart,
    raw_server,
    saying,
    silence,
    stream,
)

from tests.servers import free_port
from vision.sources.cameras import (
    AddressRules,
)

pytestmark = pytest.mark.once


def moved(target: str) -> Page:
    def page(visit) -> None:
        visit.send_response(302)
        visit.send_header("Location", target)
        visit.send_header("Content-Length", "0")
        visit.end_headers()

    return page


@pytest.mark.parametrize(
    ("page", "code", "says"),
    [
        (moved("/secret"), "redirected", "another address"),
        (body(b"", status=404), "not_found", "no such stream"),
        (body(b"", status=403), "refused", "403"),
        (body(b"", status=503), "unavailable", "503"),
        (body(b"<!DOCTYPE html><title>Log in</title>"), "not_a_stream", "web page"),
        (body(b'{"error": 1}'), "not_a_stream", "web page"),
        (body(b""), "not_a_stream", "empty"),
        (body(bytes(range(256)) * 40), "not_a_stream", "no stream"),
        (stream(b"\x00" * 4096), "not_a_stream", "no stream"),
        (body(b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n"), "not_a_stream", "playlist"),
        (body(b"#EXTM3U\n#EXTINF:9,\n/secret\n", "video/mp2t"), "not_a_stream", "playlist"),
        (
            body(b"#EXTM3U\n#EXTINF:9,\nhttp://169.254.169.254/\n", "image/jpeg"),
            "not_a_stream", "playlist",
        ),
        (body(b'<?xml version="1.0"?><MPD><BaseURL>/secret</BaseURL>'), "not_a_stream", "playlist"),
        (body(b"ffconcat version 1.0\nfile /secret\n"), "not_a_stream", "no stream"),
        (body(b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5000 RTP/AVP 96\r\n"),
         "not_a_stream", "no stream"),
        (body(b"\x1aE\xdf\xa3" + b"garbage" * 200), "not_a_stream", "no stream"),
        (body(b"FLV\x01" + b"garbage" * 200), "not_a_stream", "stream"),
        (body(b"G" + b"#EXTM3U file:///etc/passwd ".ljust(187) * 1), "not_a_stream", "no stream"),
        (body((b"G" + b"#EXTM3U\nfile:///etc/passwd".ljust(187)) * 20), "not_a_stream", ""),
        (multipart(10, lambda _: jpeg(1, 1)), "too_small", "1 x 1"),
        (body(jpeg(1, 1), "image/jpeg"), "too_small", "1 x 1"),
        (body(jpeg(15, 400), "image/jpeg"), "too_small", "15 x 400"),
        (body(jpeg(4128, 64), "image/jpeg"), "too_large", "4,128"),
        (multipart(10, lambda _: jpeg(64, 4128)), "too_large", "4,128"),
        (body(jpeg(4096, 2320), "image/jpeg"), ("too_large", "broken"), ""),
        (body(b"\xff\xd8\xff" + b"garbage" * 99, "image/jpeg"), "broken", "decoded"),
        (stream(b"--picture\r\nContent-Type: text/html\r\n\r\n<html>"), "silent", ""),
    ],
)  # fmt: skip
def test_reasons_of_web_servers(page: Page, code: str | tuple[str, ...], says: str) -> None:
    with WebCamera({"/live": page, "/secret": body(jpeg(), "image/jpeg")}) as camera:
        error = refusal(f"{camera.url}/live")
        assert error.code in (code if isinstance(code, tuple) else (code,))
        assert says in error.message
        assert set(camera.asked) == {"/live"}  # nothing that it names was opened


def rtsp(status: str, *lines: str) -> Callable[[socket.socket], None]:
    """Answer every request like this."""

    def serve(link: socket.socket) -> None:
        while data := link.recv(4096):
            sequence = data.partition(b"CSeq: ")[2].partition(b"\r\n")[0].decode()
            head = [f"RTSP/1.0 {status}", f"CSeq: {sequence}", *lines, "", ""]
            link.sendall("\r\n".join(head).encode())

    return serve


@pytest.mark.parametrize(
    ("serve", "code"),
    [
        (silence, "silent"),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not_a_stream"),
        (saying(b"\x16\x03\x01garbage\x00" * 30), "not_a_stream"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "not_a_stream"),
        (rtsp("302 Moved", "Location: rtsp://127.0.0.1:1/secret"), "redirected"),
        (rtsp("301 Moved"), "redirected"),
        (saying(b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nLocation: x\r\n\r\n"), "redirected"),
        (rtsp("404 Not Found"), "not_found"),
        (rtsp("403 Forbidden"), "refused"),
        (rtsp("461 Unsupported Transport"), "refused"),
        (rtsp("503 Service Unavailable"), "unavailable"),
        (rtsp("453 Not Enough Bandwidth"), "unavailable"),
        (rtsp("401 Unauthorized"), "wrong_password"),
        (lambda link: link.shutdown(socket.SHUT_RDWR), "broken"),
    ],
    ids=(
        *("silent", "http", "garbage", "ssh", "302", "301", "redirect", "404", "403", "461"),
        *("503", "453", "401", "closes"),
    ),
)
def test_reasons_of_rtsp_servers(serve: Callable[[socket.socket], None], code: str) -> None:
    with raw_server(serve) as port:
        assert refusal(f"rtsp://127.0.0.1:{port}/live").code == code


def test_an_rtsp_redirect_is_not_followed() -> None:
    visits = []

    def other(link: socket.socket) -> None:
        visits.append(link)

    with raw_server(other) as secret:
        there = f"rtsp://127.0.0.1:{secret}/live"
        with raw_server(rtsp("302 Moved Temporarily", f"Location: {there}")) as port:
            assert refusal(f"rtsp://127.0.0.1:{port}/live").code == "redirected"
    assert not visits


@pytest.mark.parametrize("scheme", ["rtsp", "http", "https", "rtsps", "rtmp"])
def test_nobody_at_home(scheme: str) -> None:
    error = refusal(f"{scheme}://127.0.0.1:{free_port()}/live")
    assert error.code == "no_answer"
    assert "nothing listens" in error.message


def test_a_host_without_a_name() -> None:
    error = refusal("rtsp://camera.invalid/live")
    assert error.code == "unknown_host"
    assert "camera.invalid" in error.message


def test_this_machine_is_refused_before_anything_is_asked() -> None:
    with WebCamera({"/": body(jpeg(), "image/jpeg")}) as camera:
        assert refusal(camera.url, AddressRules()).code == "forbidden_address"
        assert camera.asked == []


@pytest.mark.parametrize("serve", [silence, dripping], ids=["silent", "drop by drop"])
def test_a_host_that_says_nothing_ends_in_time(serve: Callable[[socket.socket], None]) -> None:
    with raw_server(serve) as port:
        start = time.monotonic()
        assert refusal(f"http://127.0.0.1:{port}/", timeout=3).code == "silent"
        assert time.monotonic() - start < 10

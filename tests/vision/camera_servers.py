"""Cameras that a test makes up: over HTTP, or with bytes as they are, good ones and bad ones."""

import contextlib
import datetime
import http.server
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vision.sources.cameras import AddressRules

HERE = AddressRules(allowed=("127.0.0.1", "localhost"))
BOUNDARY = b"--picture\r\n"

Page = Callable[["Visit"], None]


class Visit(http.server.BaseHTTPRequestHandler):
    """One request; what answers it calls these."""

    server: "WebCamera"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path.partition("?")[0])
        with contextlib.suppress(OSError):
            if page is None:
                self.send_error(404)
            else:
                page(self)

    def give(self, body: bytes, kind: str = "application/octet-stream", status: int = 200) -> None:
        """Answer with this, and say how long it is."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind: str) -> None:
        """Answer with what never ends."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def hold(self) -> None:
        """Keep the connection until the server ends."""
        self.server.ending.wait(30)

    def log_message(self, *_: object) -> None:
        pass


class WebCamera(http.server.ThreadingHTTPServer):
    """Answers on a free port of this machine.

    Attributes:
        asked: Paths in the order in which they were asked for.
        ending: Set when the server is about to end.
    """

    daemon_threads = True

    def __init__(self, pages: dict[str, Page]) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.pages = pages
        self.asked: list[str] = []
        self.ending = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> "WebCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.shutdown()
        self.server_close()


def jpeg(width: int = 96, height: int = 64, shade: int = 90) -> bytes:
    image = np.full((height, width, 3), shade, np.uint8)
    image[: height // 2] = (40, 40, 210)
    done, data = cv2.imencode(".jpg", image)
    assert done
    return data.tobytes()


def multipart(fps: float, picture: Callable[[int], bytes] = lambda _: jpeg()) -> Page:
    """A Motion JPEG stream."""

    def page(visit: Visit) -> None:
        visit.begin("multipart/x-mixed-replace; boundary=picture")
        for number in range(100_000):
            data = picture(number)
            length = f"Content-Length: {len(data)}\r\n\r\n".encode()
            visit.wfile.write(BOUNDARY + b"Content-Type: image/jpeg\r\n" + length + data + b"\r\n")
            if visit.server.ending.wait(1 / fps):
                return

    return page


def stream(body: bytes, kind: str = "application/octet-stream") -> Page:
    """Some bytes, and then nothing more."""

    def page(visit: Visit) -> None:
        visit.begin(kind)
        visit.wfile.write(body)
        visit.hold()

    return page


def body(data: bytes, kind: str = "text/html", status: int = 200) -> Page:
    """A whole answer."""
    return lambda visit: visit.give(data, kind, status)


@contextlib.contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Give the port of a server that does this with every connection, then keeps it open."""
    server = socket.create_server(("127.0.0.1", 0))
    links: list[socket.socket] = []

    def attend(link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            serve(link)

    def accept() -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            links.append(link)
            threading.Thread(target=attend, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        for link in links:
            link.close()


def silence(link: socket.socket) -> None:
    """Say nothing, ever."""


def saying(data: bytes) -> Callable[[socket.socket], None]:
    """Say this to whoever has asked something."""

    def serve(link: socket.socket) -> None:
        link.recv(4096)
        link.sendall(data)

    return serve


def dripping(link: socket.socket) -> None:
    """Say something endless, one byte after the other."""
    link.recv(4096)
    for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
        link.sendall(bytes((byte,)))
        time.sleep(0.2)


def make_certificate(folder: Path, *names: str, days: int = 1) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a self-made certificate, and what a server needs to use it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = folder / f"{names[0]}-{days}.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = folder / f"{names[0]}-{days}.key"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def rtmp_camera(flv: bytes) -> Callable[[socket.socket], None]:
    """Play an FLV file to whoever asks as libav does."""

    def serve(link: socket.socket) -> None:
        receive(link, 1 + 1536)
        link.sendall(b"\x03" + bytes(2 * 1536))
        receive(link, 1536)
        link.sendall(_rtmp(1, (1 << 20).to_bytes(4, "big")))  # no chunks smaller than this
        said = b""
        answers = {
            b"connect": lambda at: _call("_result", 1.0, {"code": "NetConnection.Connect.Success"}),
            b"createStream": lambda at: _call(
                "_result", *struct.unpack(">d", said[at + 1 : at + 9]), 1.0
            ),
            b"play": lambda at: _call("onStatus", 0.0, {"code": "NetStream.Play.Start"}),
        }
        while answers:
            said += link.recv(4096)
            for word in list(answers):
                found = said.find(b"\x02\x00" + bytes((len(word),)) + word)
                after = found + 3 + len(word)
                if found >= 0 and len(said) >= after + 9:
                    link.sendall(_rtmp(20, answers.pop(word)(after)))
        at = 9 + 4
        while at < len(flv):
            size = int.from_bytes(flv[at + 1 : at + 4], "big")
            link.sendall(_rtmp(flv[at], flv[at + 11 : at + 11 + size], flv[at + 4 : at + 7]))
            at += 11 + size + 4

    return serve


def receive(link: socket.socket, size: int) -> bytes:
    """Return exactly so many bytes."""
    data = b""
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _rtmp(kind: int, payload: bytes, time_bytes: bytes = b"\x00\x00\x00") -> bytes:
    head = bytes((3,)) + time_bytes + len(payload).to_bytes(3, "big") + bytes((kind,))
    return head + (1 if kind in (8, 9, 18) else 0).to_bytes(4, "little") + payload


def _call(name: str, number: float, value: dict[str, str] | float) -> bytes:
    result = _text(name, b"\x02") + b"\x00" + struct.pack(">d", number) + b"\x05"
    if isinstance(value, float):
        return result + b"\x00" + struct.pack(">d", value)
    fields = b"".join(_text(key) + _text(text, b"\x02") for key, text in value.items())
    return result + b"\x03" + fields + b"\x00\x00\x09"


def _text(text: str, mark: bytes = b"") -> bytes:
    return mark + len(text).to_bytes(2, "big") + text.encode()

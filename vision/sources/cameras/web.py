"""What a camera gives over HTTP: a stream, or single pictures. Nothing is ever followed."""

import contextlib
import http.client
import socket
from collections.abc import Callable, Iterator
from typing import Final

from vision.sources.cameras.address import CameraAddress
from vision.sources.cameras.authentication import Authenticator
from vision.sources.cameras.dialling import Line
from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.relay import status_error, wrong_password
from vision.sources.cameras.secrets import Credentials, fill_secrets

LARGEST_PICTURE: Final = 16 * 1024 * 1024  # bytes
_HEAD: Final = 4096  # bytes that tell what a stream is
_PACKET: Final = 188  # bytes of an MPEG-TS packet
_SNIFFED: Final = 3 * _PACKET
_TEXT: Final = (b"<", b"#EXTM3U", b"{", b"[playlist]")

_FORMATS: Final = (
    ("flv", lambda head: head.startswith(b"FLV")),
    ("mov,mp4,m4a,3gp,3g2,mj2", lambda head: head[4:8] in (b"ftyp", b"styp", b"moov")),
    ("jpeg", lambda head: head.startswith(b"\xff\xd8\xff")),
    ("mpjpeg", lambda head: head.lstrip(b"\r\n").startswith(b"--")),
    ("matroska,webm", lambda head: head.startswith(b"\x1aE\xdf\xa3")),
    ("mpegts", lambda head: head[::_PACKET][:3] == b"GGG"),
)


class WebStream:
    """The body of a response, readable by libav.

    Args:
        response: The response.
        client: Whose response it is.

    Attributes:
        format: libav's name of what it holds, or ``"jpeg"`` for a single picture.
        failure: Why it broke off, if it did.
        is_over: Whether it came to its end.

    Raises:
        CameraError: ``not_a_stream``, or it breaks off at once.
    """

    def __init__(self, response: http.client.HTTPResponse, client: "WebClient") -> None:
        self._response = response
        self._client = client
        self._head = b""
        self.failure: CameraError | None = None
        self.is_over = False
        try:
            self.format = self._sniff()
        except BaseException:
            client.close()
            raise

    def read(self, size: int) -> bytes:
        """Return what has come, at most ``size`` bytes; nothing at the end."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        try:
            data = self._read(size)
        except CameraError as error:
            # libav would not pass on what its reader raises: it is kept for whoever opened it.
            self.failure = error
            return b""
        self.is_over = not data
        return data

    def read_all(self) -> bytes:
        """Return the whole body.

        Raises:
            CameraError: ``too_large``, or it breaks off.
        """
        data = bytearray()
        while piece := self.read(64 * 1024):
            data += piece
            if len(data) > LARGEST_PICTURE:
                raise CameraError("too_large", "The camera's picture is larger than 16 MB.")
        if self.failure is not None:
            raise self.failure
        return bytes(data)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _read(self, size: int) -> bytes:
        with _reading_errors():
            return self._response.read1(size)

    def _sniff(self) -> str:
        while len(self._head) < _SNIFFED and (piece := self._read(_HEAD)):
            self._head += piece
            if self._head.startswith((b"\xff\xd8\xff", b"--", b"FLV")):
                break
        for name, matches in _FORMATS:
            if matches(self._head):
                return name
        raise _no_stream(self._head)


class WebClient:
    """Asks one camera, again and again if need be.

    Args:
        address: The camera.
        line: How it is reached.
        credentials: What to answer with when it asks.
    """

    def __init__(self, address: CameraAddress, line: Line, credentials: Credentials | None) -> None:
        self._address = address
        self._dial: Callable[[], socket.socket] = line.dial
        self._has_credentials = credentials is not None
        self._authenticator = Authenticator(credentials)
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None
        path = fill_secrets(address.path, credentials) or "/"
        query = fill_secrets(address.query, credentials)
        self._target = f"{path}?{query}" if query else path

    def open(self) -> WebStream:
        """Ask for what is at the address.

        Raises:
            CameraError: The camera's answer is no stream.
        """
        response = self._ask()
        if response.status == 401:
            headers = response.headers.get_all("WWW-Authenticate", [])
            if not self._authenticator.challenge(headers):
                raise wrong_password(self._has_credentials)
            response = self._ask()
        if response.status == 401:
            raise wrong_password(self._has_credentials)
        refusal = status_error(response.status)
        if refusal is not None:
            raise refusal
        return WebStream(response, self)

    def close(self) -> None:
        """Hang up."""
        if self._response is not None:
            self._response.close()
        if self._connection is not None:
            self._connection.close()

    def _ask(self) -> http.client.HTTPResponse:
        self.close()
        connection = http.client.HTTPConnection(self._address.host, self._address.dialled_port)
        connection.sock = self._dial()
        self._connection = connection
        headers = {
            "Host": self._address.authority,
            "User-Agent": "Sightline",
            "Accept": "*/*",
            "Connection": "close",
        }
        answer = self._authenticator.answer("GET", self._target)
        if answer is not None:
            headers["Authorization"] = answer
        with _reading_errors():
            connection.request("GET", self._target, headers=headers)
            self._response = connection.getresponse()
        return self._response


@contextlib.contextmanager
def _reading_errors() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise CameraError(
            "silent", "The camera accepts the connection and sends nothing."
        ) from None
    except http.client.RemoteDisconnected:
        raise CameraError("broken", "The camera closes the connection without an answer.") from None
    except http.client.IncompleteRead:
        raise CameraError("ended", "The camera has closed the connection.") from None
    except (http.client.HTTPException, ValueError):
        raise CameraError("not_a_stream", "What answers there does not speak HTTP.") from None
    except OSError:
        raise CameraError("ended", "The camera has closed the connection.") from None


def _no_stream(head: bytes) -> CameraError:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"#EXTM3U", b"[playlist]", b"<MPD")) or b"<MPD" in start[:500]:
        return CameraError(
            "not_a_stream",
            "The address gives a playlist. Playlists are not followed: write the address of the "
            "stream itself.",
        )
    if start.startswith(_TEXT):
        return CameraError("not_a_stream", "The address gives a web page, not pictures.")
    if not head:
        return CameraError("not_a_stream", "The address gives an empty answer.")
    return CameraError(
        "not_a_stream",
        "What the address gives is no stream that is known: Motion JPEG, MPEG-TS, FLV, MP4 and "
        "single JPEG pictures are.",
    )

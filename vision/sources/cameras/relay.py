"""Stands between libav and an RTSP camera, inside the child process.

libav follows redirects, checks no certificate against a name that it does not dial, and reports
most refusals alike. So it talks to a port of this process, and the relay to the camera: over the
connection that was dialled and judged, with TLS where asked for, and with the credentials, which
libav never gets.
"""

import contextlib
import secrets
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final

from vision.sources.cameras.address import CameraAddress
from vision.sources.cameras.authentication import Authenticator
from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.rtsp_messages import Cutter, Message, NoRtspError
from vision.sources.cameras.secrets import Credentials, fill_secrets

_CHUNK: Final = 256 * 1024
_ACCEPTING: Final = 10.0  # seconds


class RtspRelay:
    """Serves one connection of libav, in a thread of its own.

    Args:
        address: The camera.
        link: The connection to it.
        credentials: What to answer with when it asks.
        patience: Seconds of silence after which the camera is given up.

    Attributes:
        url: What libav opens instead of the address. Nobody else knows it, so nobody else who
            finds the port gets at the camera.
        failure: Why the relay has hung up, if the camera is the reason.
    """

    def __init__(
        self,
        address: CameraAddress,
        link: socket.socket,
        credentials: Credentials | None,
        patience: float,
    ) -> None:
        self.failure: CameraError | None = None
        self._link = link
        self._patience = patience
        self._outgoing, self._incoming = Cutter(), Cutter()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=1)
        here = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/{secrets.token_urlsafe(16)}"
        there = f"rtsp://{address.authority}"
        self._speaker = _Speaker(here, there, credentials)
        tail = f"{address.path}?{address.query}" if address.query else address.path
        self.url = here + fill_secrets(tail, credentials)
        self._thread = threading.Thread(target=self._serve, name="rtsp-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up; may be called twice."""
        for end in (self._server, self._link):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._thread.join(timeout=1)

    def _serve(self) -> None:
        try:
            self._server.settimeout(_ACCEPTING)
            libav, _ = self._server.accept()
        except OSError:
            return
        with libav, self._link:
            self._server.close()
            libav.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._carry(libav)
            except CameraError as error:
                self.failure = error
            except (NoRtspError, ValueError, IndexError):
                self.failure = CameraError("not_a_stream", "What answers there is no RTSP camera.")
            except TimeoutError:
                self.failure = self._speaker.silence()
            except OSError:
                self.failure = CameraError("ended", "The camera has closed the connection.")

    def _carry(self, libav: socket.socket) -> None:
        while True:
            pending = isinstance(self._link, ssl.SSLSocket) and self._link.pending() > 0
            readable = [self._link]
            if not pending:
                readable, _, _ = select.select([libav, self._link], [], [], self._patience)
            if not readable:
                raise TimeoutError
            if libav in readable:
                data = libav.recv(_CHUNK)
                if not data:
                    return
                self._send_on(data)
            if self._link in readable:
                sent = _receive(self._link)
                if sent is None:
                    continue
                if not sent:
                    raise self._speaker.hung_up()
                self._give_back(libav, sent)

    def _send_on(self, data: bytes) -> None:
        for part in self._outgoing.feed(data):
            self._link.sendall(
                part if isinstance(part, bytes) else self._speaker.request(part).encode()
            )

    def _give_back(self, libav: socket.socket, data: bytes) -> None:
        for part in self._incoming.feed(data):
            if isinstance(part, bytes):
                self._speaker.sends_pictures = True
                libav.sendall(part)
                continue
            again = self._speaker.challenged(part)
            if again is not None:
                self._link.sendall(again.encode())
            else:
                libav.sendall(self._speaker.response(part).encode())


def _receive(link: socket.socket) -> bytes | None:
    """Return what the camera has sent, nothing at its end; None when it was no data.

    A TLS connection is readable for a session ticket, too, or for a part of a record. Waiting there
    for the rest would keep libav's request waiting, for which the camera waits in turn.
    """
    if not isinstance(link, ssl.SSLSocket):
        return link.recv(_CHUNK)
    patience = link.gettimeout()
    link.settimeout(0)
    try:
        return link.recv(_CHUNK)
    except ssl.SSLWantReadError:
        return None
    finally:
        link.settimeout(patience)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its answer: as the camera got it, and libav's number of it."""

    message: Message
    number: str
    tries: int


class _Speaker:
    """Puts requests into the camera's terms, and judges its responses."""

    def __init__(self, here: str, there: str, credentials: Credentials | None) -> None:
        self.sends_pictures = False
        self._here, self._there = here, there
        self._has_credentials = credentials is not None
        self._authenticator = Authenticator(credentials)
        self._sequence = 0
        self._asked: dict[str, _Asked] = {}  # by the number that the camera sees
        self._answered = False

    def request(self, message: Message) -> Message:
        """Return a request of libav as the camera gets it."""
        if message.status:
            return message  # an answer to a question of the camera
        uri = message.uri
        if uri != "*":
            if uri.startswith(self._here):
                uri = self._there + uri.removeprefix(self._here)
            elif not self._answered:
                raise NoRtspError  # not our libav
            message.first = f"{message.method} {uri} RTSP/1.0"
        return self._number(message, message.get("CSeq"))

    def challenged(self, message: Message) -> Message | None:
        """Return the request to send again when a response asks who we are."""
        asked = self._asked.get(message.get("CSeq"))
        if message.status != 401 or asked is None or asked.tries > 1:
            return None
        if not self._authenticator.challenge(message.all("WWW-Authenticate")):
            return None
        del self._asked[message.get("CSeq")]
        return self._number(asked.message, asked.number, asked.tries + 1)

    def response(self, message: Message) -> Message:
        """Return a response as libav gets it.

        Raises:
            CameraError: It is a refusal.
        """
        status = message.status
        if not status:
            if message.method == "REDIRECT":
                raise redirected()
            return message
        self._answered = True
        asked = self._asked.pop(message.get("CSeq"), None)
        if asked is not None:
            message.put("CSeq", asked.number)
        if asked is not None and not self.sends_pictures:  # later ones only keep it alive
            self._judge(status)
        elif 300 <= status < 400:
            raise redirected()
        return message

    def silence(self) -> CameraError:
        """Return the error of a camera that says nothing any more."""
        if self.sends_pictures:
            return CameraError("silent", "The camera has stopped sending pictures.")
        if self._answered:
            return CameraError("silent", "The camera answers, but sends no pictures.")
        return CameraError("silent", "The camera accepts the connection and says nothing.")

    def hung_up(self) -> CameraError:
        """Return the error of a camera that has closed the connection."""
        if self._answered:
            return CameraError("ended", "The camera has closed the connection.")
        return CameraError("broken", "The camera closes the connection without an answer.")

    def _number(self, message: Message, original: str, tries: int = 1) -> Message:
        self._sequence += 1
        number = str(self._sequence)
        message.put("CSeq", number)
        message.put("Authorization", self._authenticator.answer(message.method, message.uri))
        self._asked[number] = _Asked(message, original, tries)
        if len(self._asked) > 64:  # it answers nothing
            self._asked.pop(next(iter(self._asked)))
        return message

    def _judge(self, status: int) -> None:
        if status == 401:
            raise wrong_password(self._has_credentials)
        refusal = status_error(status)
        if refusal is not None:
            raise refusal


def redirected() -> CameraError:
    """Return the error of a camera that points elsewhere."""
    return CameraError(
        "redirected",
        "The camera points to another address. Redirects are not followed: write the address "
        "where the stream really is.",
    )


def wrong_password(had_one: bool) -> CameraError:
    """Return the error of a camera that wants other credentials."""
    if had_one:
        return CameraError("wrong_password", "The camera does not accept user name and password.")
    return CameraError("wrong_password", "The camera asks for a user name and a password.")


def status_error(status: int) -> CameraError | None:
    """Return what a status of HTTP or RTSP means, or None when all is well."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return redirected()
    if status == 401:
        return wrong_password(had_one=True)
    if status in (404, 410):
        return CameraError(
            "not_found", "The camera has no such stream. Check what follows the host."
        )
    if status >= 500 or status in (408, 429, 453):
        return CameraError("unavailable", f"The camera cannot serve now: it answers {status}.")
    return CameraError("refused", f"The camera refuses: it answers {status}.")

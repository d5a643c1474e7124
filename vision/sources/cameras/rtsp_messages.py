"""What goes over an RTSP connection, cut into its parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

_LONGEST_HEAD: Final = 16 * 1024
_LONGEST_BODY: Final = 256 * 1024
_FIRST_LINE: Final = re.compile(rb"(RTSP/1\.\d \d{3}\b.*)|([A-Z_]{3,20} \S+ RTSP/1\.\d)", re.DOTALL)
_PACKET_HEAD: Final = 4  # "$", channel, length


class NoRtspError(Exception):
    """What came is not RTSP."""


@dataclass(slots=True)
class Message:
    """A request or a response.

    Attributes:
        first: Its first line.
        headers: Names and values, in order.
        body: What follows.
    """

    first: str
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def parse(cls, head: bytes, body: bytes) -> Self:
        """Read a head without its final empty line."""
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first, [(name.strip(), value.strip()) for name, _, value in pairs], body)

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        words = self.first.split(" ")
        return int(words[1]) if words[0].startswith("RTSP/") else 0

    @property
    def method(self) -> str:
        """Of a request."""
        return self.first.split(" ")[0]

    @property
    def uri(self) -> str:
        """Of a request."""
        return self.first.split(" ")[1]

    def all(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        """Return a header, or an empty text."""
        return next(iter(self.all(name)), "")

    def put(self, name: str, value: str | None) -> None:
        """Set a header; None takes it away."""
        rest = [(key, old) for key, old in self.headers if key.lower() != name.lower()]
        self.headers = rest if value is None else [*rest, (name, value)]

    def encode(self) -> bytes:
        """Return it as it is sent."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class Cutter:
    """Cuts one direction of a connection into messages and runs of packets."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Message | bytes]:
        """Give what has come in full: messages, and interleaved packets as they are.

        Raises:
            NoRtspError: It is something else.
        """
        self._data += data
        while self._data:
            part = self._packets() if self._data[0] == ord("$") else self._message()
            if part is None:
                return
            yield part

    def _packets(self) -> bytes | None:
        """Take all packets up to the next message."""
        data, end = self._data, 0
        while len(data) - end >= _PACKET_HEAD and data[end] == ord("$"):
            after = end + _PACKET_HEAD + int.from_bytes(data[end + 2 : end + _PACKET_HEAD], "big")
            if after > len(data):
                break
            end = after
        if not end:
            return None
        taken = bytes(data[:end])
        del data[:end]
        return taken

    def _message(self) -> Message | None:
        data = self._data
        while data.startswith((b"\r", b"\n")):  # some send an empty line in between
            del data[:1]
        head, found, _ = data.partition(b"\r\n\r\n")
        line, line_found, _ = head.partition(b"\r\n")
        if len(head) > _LONGEST_HEAD:
            raise NoRtspError
        if (found or line_found) and not _FIRST_LINE.fullmatch(line):
            raise NoRtspError
        if not found:
            self._check_start()
            return None
        message = Message.parse(bytes(head), b"")
        length = message.get("Content-Length") or "0"
        if not re.fullmatch(r"\d{1,6}", length, re.ASCII) or int(length) > _LONGEST_BODY:
            raise NoRtspError
        end = len(head) + 4 + int(length)
        if len(data) < end:
            return None
        message.body = bytes(data[len(head) + 4 : end])
        del data[:end]
        return message

    def _check_start(self) -> None:
        """Do not wait for the end of what cannot begin a message."""
        if not re.match(rb"[A-Z_]{0,20}( |/|$)", self._data[:21]):
            raise NoRtspError

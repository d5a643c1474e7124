"""Addresses of cameras: what a person writes, without the password."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Literal, cast, get_args
from urllib.parse import quote, unquote, urlsplit

from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.hosts import AddressRules, check_host, normal_host
from vision.sources.cameras.secrets import Credentials, split_secrets

__all__ = [
    "AddressRules",
    "CameraAddress",
    "CameraError",
    "Credentials",
    "check_address",
    "find_file",
    "parse_address",
]

Kind = Literal["rtsp", "rtsps", "http", "https", "rtmp", "usb", "loop"]

DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}
LONGEST_ADDRESS: Final = 500
MOST_DEVICES: Final = 64

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_EXAMPLES: Final = "rtsp://192.168.1.20/stream, http://…, rtmp://…, usb:0 or loop:file.mp4"
# What a request may carry as it is; "%" because it is escaped already.
_SAFE: Final = "/?:!$&'()*+,;=~%{}[]|"


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """Where a camera is. ``str()`` gives the address back; it never holds credentials.

    Attributes:
        kind: The scheme.
        host: Name or number, lower case, an IPv6 address without brackets; empty for ``usb`` and
            ``loop``.
        port: None for the scheme's own.
        path: Begins with a slash, or is empty. Like the query it may hold ``{username}`` and
            ``{password}``, which stand for what the credentials say.
        query: Without its question mark.
        number: Of the device, for ``usb``.
        file: Below the folder of such files, for ``loop``.
    """

    kind: Kind
    host: str = ""
    port: int | None = None
    path: str = ""
    query: str = ""
    number: int = 0
    file: str = ""
    is_network: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_network", self.kind in DEFAULT_PORTS)

    def __str__(self) -> str:
        if self.kind == "usb":
            return f"usb:{self.number}"
        if self.kind == "loop":
            return f"loop:{self.file}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.kind}://{self.authority}{self.path}{query}"

    @property
    def authority(self) -> str:
        """Host and port as in an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def dialled_port(self) -> int:
        """The port to connect to; 0 where there is no network."""
        return self.port if self.port is not None else DEFAULT_PORTS.get(self.kind, 0)


def parse_address(text: str) -> tuple[CameraAddress, Credentials | None]:
    """Read an address and take the credentials out of it.

    Args:
        text: ``rtsp://user:password@host/path`` and the like, ``usb:0``, or ``loop:folder/a.mp4``.
            User and password may also stand in the query, as some cameras want it
            (``?usr=…&pwd=…``): ``{username}`` and ``{password}`` take their places.

    Raises:
        CameraError: ``bad_address`` or ``unsupported_scheme``. The message repeats nothing that
            could be a password.
    """
    text = text.strip()
    if not text:
        raise bad_address(f"Write an address, such as {_EXAMPLES}.")
    if len(text) > LONGEST_ADDRESS:
        raise bad_address(f"The address is longer than {LONGEST_ADDRESS} characters.")
    if not text.isprintable() or "\\" in text:
        raise bad_address("An address holds no backslashes or unprintable characters.")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else ("", text)
    if scheme == "usb":
        return _parse_usb(rest), None
    if scheme == "loop":
        return _parse_loop(rest), None
    if scheme not in get_args(Kind) or not rest.startswith("//"):
        raise _unsupported(scheme, rest)
    if " " in text:
        raise bad_address("An address holds no spaces; write %20 for one.")
    return _parse_network(cast("Kind", scheme), text)


def check_address(address: CameraAddress, rules: AddressRules) -> None:
    """Judge an address without asking the network.

    Raises:
        CameraError: ``forbidden_address``, ``missing_file`` or ``bad_address``.
    """
    if address.kind == "loop":
        find_file(address, rules)
    elif address.kind == "usb":
        if not rules.usb:
            raise CameraError("forbidden_address", "USB cameras are not allowed here.")
    else:
        check_host(address.host, rules)


def find_file(address: CameraAddress, rules: AddressRules) -> Path:
    """Return the file of a looping camera: a real one, inside the folder that the rules name.

    Raises:
        CameraError: ``missing_file``; links that lead out of the folder do not exist either.
    """
    if rules.folder is None:
        raise CameraError("missing_file", "No folder for the files of looping cameras is set up.")
    folder = rules.folder.resolve()
    try:
        path = (folder / address.file).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        path = None
    if path is None or not path.is_relative_to(folder) or not path.is_file():
        raise CameraError(
            "missing_file", f"There is no file {address.file} in the folder of looping cameras."
        )
    return path


def bad_address(message: str) -> CameraError:
    """Return the error of an address that cannot be read."""
    return CameraError("bad_address", message)


def _parse_usb(rest: str) -> CameraAddress:
    if not re.fullmatch(r"[0-9]{1,3}", rest, re.ASCII) or int(rest) >= MOST_DEVICES:
        raise bad_address(
            f"Write the device's number, from usb:0 to usb:{MOST_DEVICES - 1}; "
            "usb:0 stands for /dev/video0."
        )
    return CameraAddress("usb", number=int(rest))


def _parse_loop(rest: str) -> CameraAddress:
    path = PurePosixPath(rest)
    if not rest or rest.endswith("/") or path.is_absolute() or ".." in path.parts:
        raise bad_address(
            "Write loop: and the name of a file in the folder of looping cameras, such as "
            "loop:shop/entrance.mp4."
        )
    if str(path) == ".":
        raise bad_address("Write the name of a file, such as loop:shop/entrance.mp4.")
    return CameraAddress("loop", file=str(path))


def _parse_network(kind: Kind, text: str) -> tuple[CameraAddress, Credentials | None]:
    try:
        parts = urlsplit(text)
        user_info, at, _ = parts.netloc.rpartition("@")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise bad_address(
            "Host or port of the address cannot be read. In user names and passwords write %2F "
            "for a slash, %40 for an @, %23 for a #, %3A for a colon and %3F for a question mark."
        ) from None
    if "#" in text or "@" in parts.path + parts.query:
        raise bad_address("Write %23 for # and %40 for @, in passwords as well.")
    if not host or port == 0:
        raise bad_address(f"The address names no host; write it like {_EXAMPLES}.")
    given = None
    if at:
        name, _, password = user_info.partition(":")
        given = Credentials(unquote(name), unquote(password))
    path, query, credentials = split_secrets(parts.path, parts.query, given)
    address = CameraAddress(
        kind,
        host=normal_host(host),
        port=None if port == DEFAULT_PORTS[kind] else port,
        path=quote(path, safe=_SAFE),
        query=quote(query, safe=_SAFE),
    )
    return address, credentials


def _unsupported(scheme: str, rest: str) -> CameraError:
    if scheme in ("", "file", "concat", "pipe", "data", "fd", "subfile", "crypto", "cache"):
        if rest.removeprefix("//").startswith("/dev/video"):
            return CameraError("unsupported_scheme", "For a USB camera write usb: and its number.")
        if scheme:
            return CameraError(
                "unsupported_scheme",
                f"{scheme}: is not accepted. For a file that plays over and over, put it into the "
                "folder of looping cameras and write loop:file.mp4.",
            )
    # What stands before a colon may be a user's name: it is not repeated.
    return CameraError("unsupported_scheme", f"Write an address that begins like {_EXAMPLES}.")

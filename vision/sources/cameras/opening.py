"""Opens a camera, inside the child process: one demuxer, nothing that could name other places."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import av
import av.container
import av.error
import av.logging

from vision.errors import VisionError
from vision.sources.cameras.address import CameraAddress, find_file
from vision.sources.cameras.dialling import PATIENCE, Line, no_answer
from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.feeds import CODECS, Feed, ended
from vision.sources.cameras.hosts import AddressRules
from vision.sources.cameras.loops import LoopFeed
from vision.sources.cameras.relay import RtspRelay
from vision.sources.cameras.secrets import Credentials, fill_secrets
from vision.sources.cameras.slots import LONGEST_SIDE, MOST_PIXELS
from vision.sources.cameras.snapshots import SnapshotFeed
from vision.sources.cameras.streams import Failure, StreamFeed
from vision.sources.cameras.web import WebClient
from vision.sources.videos.info import VideoLimits

Stage = Callable[[str], None]

_DECODERS: Final = ",".join((*sorted(CODECS), "libdav1d"))
_NOBODY: Final = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
_OPENING: Final = 12.0  # seconds
_LONGEST_RTMP_USER: Final = 200  # bytes
# libav looks at a stream until it knows its pictures: at most so much of it, or for so long.
_PROBED: Final = {"probesize": "1000000", "analyzeduration": "1000000", "fpsprobesize": "0"}
_LOOP_LIMITS: Final = VideoLimits(max_pixels=MOST_PIXELS, max_side=LONGEST_SIDE)


@contextmanager
def open_feed(
    address: CameraAddress,
    rules: AddressRules,
    credentials: Credentials | None,
    fps: float,
    stage: Stage,
) -> Iterator[Feed]:
    """Open a camera.

    Args:
        address: The camera.
        rules: What is accepted.
        credentials: What to answer with when it asks.
        fps: Pictures to ask for in a second, where they are asked for singly.
        stage: Told what is waited for: ``"dialling"``, then ``"asking"``.

    Raises:
        CameraError: It cannot be opened.
    """
    av.logging.set_level(None)
    with ExitStack() as stack:
        if address.kind == "loop":
            yield _open_loop(address, rules)
        elif address.kind == "usb":
            yield _open_usb(stack, address, rules)
        else:
            stage("dialling")
            line = Line(address, rules, on_answer=lambda: stage("asking"))
            if address.kind == "rtmp":
                stage("asking")  # libav dials itself
                yield _open_rtmp(stack, address, line, credentials)
            elif address.kind in ("rtsp", "rtsps"):
                yield _open_rtsp(stack, address, line, credentials)
            else:
                yield _open_web(stack, address, line, credentials, fps)


def usb_arguments(address: CameraAddress) -> tuple[str, dict[str, Any]]:
    """Return the device's file and how libav opens it."""
    options = {"format_whitelist": "video4linux2,v4l2", "protocol_whitelist": "none"}
    return f"/dev/video{address.number}", {"format": "video4linux2", "options": options}


def _open_loop(address: CameraAddress, rules: AddressRules) -> LoopFeed:
    path = find_file(address, rules)
    try:
        return LoopFeed(path, _LOOP_LIMITS)
    except CameraError:
        raise
    except VisionError as error:
        raise CameraError("not_a_stream", error.message) from None


def _open_usb(stack: ExitStack, address: CameraAddress, rules: AddressRules) -> StreamFeed:
    if not rules.usb:
        raise CameraError("forbidden_address", "USB cameras are not allowed here.")
    device, arguments = usb_arguments(address)
    _check_device(Path(device))
    return _open_stream(stack, address, device, **arguments)


def _open_rtmp(
    stack: ExitStack,
    address: CameraAddress,
    line: Line,
    credentials: Credentials | None,
) -> StreamFeed:
    number = line.choose()
    host = f"[{number}]" if ":" in number else number
    who = f"{_rtmp_user(credentials)}@" if credentials and credentials.username else ""
    query = f"?{address.query}" if address.query else ""
    tail = fill_secrets(address.path + query, credentials)

    return _open_stream(
        stack,
        address,
        f"rtmp://{who}{host}:{address.dialled_port}{tail}",
        format="flv",
        options=_options("flv,live_flv", "rtmp,tcp", rtmp_live="live"),
    )


def _rtmp_user(credentials: Credentials) -> str:
    """Return user and password as libav reads them: it cuts them out and unescapes nothing."""
    username, password = credentials.username, credentials.password
    both = f"{username}:{password}"
    if (
        set("/?#") & set(both)
        or set(":&") & set(username)
        or not both.isprintable()
        or len(both.encode()) > _LONGEST_RTMP_USER
    ):
        raise CameraError(
            "bad_address",
            "Over RTMP, user name and password cannot hold / ? or #, nor the user name : or &, "
            f"and both together at most {_LONGEST_RTMP_USER} bytes. Choose others at the server.",
        )
    return both


def _open_rtsp(
    stack: ExitStack,
    address: CameraAddress,
    line: Line,
    credentials: Credentials | None,
) -> StreamFeed:
    link = line.dial()
    relay = RtspRelay(address, link, credentials, PATIENCE)
    stack.callback(relay.close)
    return _open_stream(
        stack,
        address,
        relay.url,
        lambda: relay.failure,
        format="rtsp",
        options=_options("rtsp", "tcp", rtsp_transport="tcp", allowed_media_types="video"),
    )


def _open_web(
    stack: ExitStack,
    address: CameraAddress,
    line: Line,
    credentials: Credentials | None,
    fps: float,
) -> Feed:
    client = WebClient(address, line, credentials)
    stack.callback(client.close)
    body = client.open()
    if body.format == "jpeg":
        first = body.read_all()
        return SnapshotFeed(client, first, fps)

    def failure() -> CameraError | None:
        return body.failure or (ended() if body.is_over and is_open else None)

    is_open = False
    feed = _open_stream(
        stack,
        address,
        body,
        failure,
        format=body.format.partition(",")[0],
        options=_options(body.format, "none"),
    )
    is_open = True  # from here on, its end is that of a stream
    return feed


def _open_stream(
    stack: ExitStack,
    address: CameraAddress,
    what: object,
    failure: Failure = lambda: None,
    **arguments: Any,
) -> StreamFeed:
    try:
        container = av.open(
            what,
            "r",
            metadata_errors="replace",
            timeout=(_OPENING, PATIENCE),
            buffer_size=16 * 1024,
            **arguments,
        )
    except MemoryError:
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise failure() or _not_opened(address, error) from None
    assert isinstance(container, av.container.InputContainer)
    stack.callback(container.close)
    return StreamFeed(container, failure)


def _options(formats: str, protocols: str, **more: str) -> dict[str, str]:
    return {
        **_PROBED,
        "format_whitelist": formats,
        "protocol_whitelist": protocols,
        "codec_whitelist": _DECODERS,
        **more,
    }


def _not_opened(address: CameraAddress, error: Exception) -> CameraError:
    if isinstance(error, OSError) and error.errno in _NOBODY:
        return no_answer(address, error)
    if isinstance(error, av.error.ExitError | av.error.TimeoutError | TimeoutError):
        return CameraError("silent", "The camera answers, but sends no pictures.")
    if isinstance(error, PermissionError):
        return CameraError(
            "no_device", 'The device may not be opened: add the user to the group "video".'
        )
    if isinstance(error, OSError) and error.errno == errno.EBUSY:
        return CameraError("unavailable", "Another program uses the device.")
    if address.kind == "rtmp":  # libav tells the one from the other to nobody
        return CameraError(
            "refused",
            "The server gives no stream: user name or password are wrong, there is no such stream, "
            "or it speaks no RTMP.",
        )
    return CameraError("not_a_stream", "What comes from there is no stream that can be read.")


def _check_device(path: Path) -> None:
    try:
        is_device = stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        is_device = False
    if not is_device:
        raise CameraError("no_device", f"No camera is plugged in as {path}.")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(
            "no_device", f'{path} may not be opened: add the user to the group "video".'
        )

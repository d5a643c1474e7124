"""A child process of our own interpreter, and the messages that go to it and back.

Messages are lines of JSON, never pickles: what comes from a process that reads hostile files is
data to be checked.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from vision.sources.videos.info import VIDEO_ERRORS, VideoError, out_of_memory

Message = dict[str, Any]

_LONGEST_MESSAGE: Final = 64 * 1024
_LONGEST_REASON: Final = 1000  # characters
_REAPING: Final = 1.0  # seconds
_STEP: Final = 0.25  # seconds that a caller waits without being asked
_LAST_WORDS: Final = 4096  # bytes of stderr that are kept
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "TMPDIR")

_SETTINGS: Final = {
    # One thread each: thread pools of numpy and OpenCV would only cost address space.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Pictures are kept in the heap: mapping each anew took a quarter of the decoding time.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
}


class Child:
    """Runs ``python -m <module>``; stdin and stdout carry the messages.

    The child gets none of our secrets: its environment holds what an interpreter needs.

    Args:
        module: A module that reads its orders from stdin.
        inherited: Descriptors that it keeps.
    """

    def __init__(self, module: str, inherited: Sequence[int] = ()) -> None:
        self._reading = threading.Lock()
        self._received = bytearray()
        self._closed = False
        self._is_killed = False
        # A file instead of a pipe: nobody needs to drain it, and the child's own limits bound it.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._process = subprocess.Popen(  # noqa: S603 - own interpreter, own module
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
            env=_environment(),
            pass_fds=tuple(inherited),
            start_new_session=True,  # a Ctrl-C at the terminal is the parent's to handle
        )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; a child that is gone is noticed when its answer is read."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._pipe(self._process.stdin).write(data)
        except (BrokenPipeError, ValueError):
            return

    def receive(self, timeout: float, on_wait: Callable[[], None] = lambda: None) -> Message:
        """Return the next message.

        Args:
            timeout: Seconds to wait for it.
            on_wait: Called every 0.25 s; what it raises ends the waiting, not the child.

        Raises:
            VideoError: ``decoder_timeout``; ``decoder_failed`` or ``decoder_memory`` when the
                child is gone; whatever the child itself reports.
        """
        with self._reading:
            line = self._read_line(time.monotonic() + timeout, on_wait)
        if line is None:
            raise self._death()
        message = _parse(line)
        if "error" in message:
            raise _reported(message["error"])
        return message

    def close(self) -> None:
        """End the child and free what it had; may be called from another thread than reads.

        A child that the kernel holds on to, in a driver say, is waited for in the background.
        """
        self._is_killed = True
        self._process.kill()
        with self._reading:
            if self._closed:
                return
            self._closed = True
            try:
                self._process.wait(timeout=_REAPING)
            except subprocess.TimeoutExpired:
                threading.Thread(
                    target=self._process.wait, name=f"reaps-{self.pid}", daemon=True
                ).start()
            for pipe in (self._process.stdin, self._process.stdout, self._stderr):
                self._pipe(pipe).close()

    def _read_line(self, deadline: float, on_wait: Callable[[], None]) -> bytes | None:
        if self._closed:
            return None
        output = self._pipe(self._process.stdout)
        poll = select.poll()
        poll.register(output.fileno(), select.POLLIN)

        def step() -> None:
            if self._is_killed:  # and yet it has not let go of its end
                raise _failed("it was ended")
            on_wait()

        while True:
            line, found, rest = self._received.partition(b"\n")
            if found:
                self._received = rest
                return bytes(line)
            if len(line) > _LONGEST_MESSAGE:
                raise _failed("it sent what is no message")
            _wait(poll, deadline, step)
            data = output.read(_LONGEST_MESSAGE)
            if not data:
                return None
            self._received += data

    def _death(self) -> VideoError:
        """Say why a child ended without a word."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return _failed("it stopped answering")
        if code == -signal.SIGXCPU:
            return _timeout()
        if "MemoryError" in self._last_words():
            return out_of_memory()
        if code < 0:
            return _failed(f"it was ended by signal {-code}")
        return _failed(f"it ended with code {code}")

    def _last_words(self) -> str:
        with self._reading:
            if self._closed:
                return ""
            size = self._stderr.seek(0, os.SEEK_END)
            self._stderr.seek(max(0, size - _LAST_WORDS))
            return self._stderr.read().decode(errors="replace")

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe


def _wait(poll: select.poll, deadline: float, on_wait: Callable[[], None]) -> None:
    while (remaining := deadline - time.monotonic()) > 0:
        if poll.poll(min(remaining, _STEP) * 1000):
            return
        on_wait()
    raise _timeout()


class ParentGoneError(Exception):
    """Nobody waits for this child any more."""


class Orders:
    """The child's end: orders come from stdin, messages go where stdout was.

    Whatever else prints, libav included, goes to stderr from here on.
    """

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)

    def receive(self) -> Message:
        """Return the next order.

        Raises:
            ParentGoneError: The parent is gone.
        """
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self.receive_bytes(1)
        order: Message = json.loads(line)
        return order

    def receive_bytes(self, most: int) -> bytes:
        """Return at least one byte; waits for it.

        Raises:
            ParentGoneError: The parent is gone.
        """
        data = os.read(0, most)
        if not data:
            raise ParentGoneError
        return data

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message.

        Raises:
            ParentGoneError: The parent is gone.
        """
        data = json.dumps(message).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except BrokenPipeError as error:
            raise ParentGoneError from error


def _environment() -> dict[str, str]:
    package_root = Path(__file__).resolve().parents[3]
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    path = os.pathsep.join(filter(None, [str(package_root), os.environ.get("PYTHONPATH", "")]))
    return {**kept, **_SETTINGS, "PYTHONPATH": path}


def _parse(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _failed("it sent what is no message") from error
    if not isinstance(message, dict):
        raise _failed("it sent what is no message")
    return message


def _reported(error: object) -> VideoError:
    """Return the error that a child reports; it may choose among the known ones only."""
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (0, 0)
    if not isinstance(code, str) or code not in VIDEO_ERRORS:
        return _failed("it sent what is no message")
    if not isinstance(message, str) or len(message) > _LONGEST_REASON or not message.isprintable():
        return _failed("it sent what is no message")
    return VideoError(code, message)


def _failed(reason: str) -> VideoError:
    return VideoError(
        "decoder_failed",
        f"The process that decodes the video failed: {reason}. The file may be damaged.",
    )


def _timeout() -> VideoError:
    return VideoError(
        "decoder_timeout",
        "Decoding the video took too long without giving a frame. The file may be damaged.",
    )

"""One file over HTTPS: bounded waiting, bounded size, verified before it gets its name."""

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import httpx

from vision.errors import WeightsError
from vision.weights.hashes import Expected

ProgressCallback = Callable[[int, int | None], None]

_MAX_REDIRECTS = 5
_MIN_BYTES_PER_SECOND = 2048  # below this a server is holding the line, not sending a file


def download(
    url: str,
    target: Path,
    *,
    expected: Expected,
    timeout: float,
    require_https: bool = True,
    on_progress: ProgressCallback | None = None,
) -> str:
    """Write the file behind ``url`` to ``target``, or leave nothing behind; return its SHA-256.

    The answer must begin within ``timeout`` seconds, redirects and name look-up included, and the
    file must then keep coming.

    Raises:
        WeightsError: ``weights_unreachable`` or ``weights_hash_mismatch``.
        OSError: The file cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with (
            httpx.Client(timeout=timeout, headers={"Accept-Encoding": "identity"}) as client,
            _open(client, url, timeout=timeout, require_https=require_https) as response,
        ):
            actual = _receive(response, part, expected, timeout, on_progress)
        if not expected.accepts(actual, part.stat().st_size):
            raise WeightsError("weights_hash_mismatch", expected.mismatch(target.name, actual))
        part.replace(target)
        return actual
    # ValueError and ImportError: a proxy variable that httpx cannot follow.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError, _NoFileError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise WeightsError(
            "weights_unreachable", f"{url} cannot be downloaded: {reason}."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _open(
    client: httpx.Client, url: str, *, timeout: float, require_https: bool
) -> Iterator[httpx.Response]:
    """Yield the streaming answer to a GET; redirects are followed and checked one by one."""
    deadline = time.monotonic() + timeout
    for _ in range(_MAX_REDIRECTS + 1):
        if require_https and httpx.URL(url).scheme != "https":
            raise _NoFileError("the address is not https")
        response = _send(client, url, max(0.1, deadline - time.monotonic()))
        try:
            if response.next_request is not None:
                url = str(response.next_request.url)
                continue
            if response.status_code != httpx.codes.OK:
                raise _NoFileError(f"the server answered {response.status_code}")
            yield response
            return
        finally:
            response.close()
    raise _NoFileError("too many redirects")


def _send(client: httpx.Client, url: str, seconds: float) -> httpx.Response:
    """Send a GET in a thread that can be left behind.

    The resolver knows no timeout: without a network it can hold a caller for half a minute.
    """
    answers: SimpleQueue[httpx.Response | Exception] = SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            response = client.send(client.build_request("GET", url), stream=True)
        except Exception as error:  # carried to the caller
            answers.put(error)
        else:
            answers.put(response)
            if given_up.is_set():
                response.close()

    threading.Thread(target=ask, name="weights-download", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        given_up.set()
        raise _NoFileError("no answer in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _receive(
    response: httpx.Response,
    part: Path,
    expected: Expected,
    timeout: float,
    on_progress: ProgressCallback | None,
) -> str:
    """Write the body to ``part`` and return its SHA-256."""
    length = response.headers.get("Content-Length", "")
    total = expected.bytes or (int(length) if length.isdigit() else None)
    digest = hashlib.sha256()
    done = 0
    pace = _Pace(timeout)
    with part.open("wb") as stream:
        for chunk in response.iter_raw():
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if total is not None and done > total:
                raise WeightsError(
                    "weights_hash_mismatch",
                    f"{part.stem} is longer than the {total:,} bytes of the expected file.",
                )
            if pace.too_slow(done):
                raise _NoFileError("the download came to a stand")
            if on_progress is not None:
                on_progress(done, total)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


class _NoFileError(Exception):
    """Why no file came; the caller adds the address that it asked for, not where it was sent."""


class _Pace:
    """Notices a body that trickles: a read timeout alone is reset by every byte."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._since = time.monotonic()
        self._done = 0

    def too_slow(self, done: int) -> bool:
        elapsed = time.monotonic() - self._since
        if elapsed < self._window:
            return False
        slow = done - self._done < _MIN_BYTES_PER_SECOND * elapsed
        self._since, self._done = time.monotonic(), done
        return slow

"""The web server: uvicorn in this thread, and in an embedded Sightline the worker beside it."""

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from django.conf import settings
from django.core.management.base import CommandError

from common.inference import close_engine
from detection_project.certificate import Certificate
from detection_project.embedded import Embedded
from detection_project.tuning import calm_garbage_collection, keep_freed_memory
from video_analysis.live.streams import end_streams

GRACE_SECONDS = 3


class Server(uvicorn.Server):
    """uvicorn that tells when it really listens and when it begins to stop."""

    def __init__(
        self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.on_ready = on_ready
        self.on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then report."""
        await super().startup(sockets=sockets)
        calm_garbage_collection()
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Report, then stop."""
        self.on_stop()
        end_streams()
        await super().shutdown(sockets=sockets)


def open_socket(host: str, port: int) -> socket.socket:
    """Bind the address.

    Raises:
        CommandError: It is taken, forbidden or not of this machine; the message says what helps.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise CommandError(f"{host} is not an address of this machine: {error.strerror}.") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise CommandError(_why_not(error, host, port)) from None
    listener.set_inheritable(True)
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program. Stop it, or choose another "
            f"port: make run PORT={port + 1 if port < 65535 else 8000}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this user; choose one above 1023."
    return f"{host}:{port} cannot be opened: {error.strerror}."


def run_server(
    listener: socket.socket,
    beside: Embedded | None,
    *,
    on_ready: Callable[[], None],
    exit_when_stuck: bool = True,
    certificate: Certificate | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then stop everything within seconds.

    Args:
        listener: The bound socket.
        beside: What runs in threads of this process; None where workers are processes.
        on_ready: Called when requests are answered.
        exit_when_stuck: End the process when a job does not stop in time; its lease is ended,
            so it runs again after the next start.
        certificate: For HTTPS; None serves HTTP.
    """
    keep_freed_memory()
    on_stop = beside.request_stop if beside is not None else _nothing
    server = Server(server_config(certificate), on_ready=on_ready, on_stop=on_stop)
    if beside is not None:
        beside.start()
    try:
        with _signals_kept_quiet():
            server.run(sockets=[listener])
    finally:
        listener.close()
        clean = _stop(beside)
        if not clean and exit_when_stuck:
            # The interpreter would wait for the stuck thread for ever.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _nothing() -> None:
    """Do nothing."""


def _stop(beside: Embedded | None) -> bool:
    if beside is not None:
        return beside.stop()
    close_engine()
    return True


def server_config(certificate: Certificate | None = None) -> uvicorn.Config:
    """Return how uvicorn serves us."""
    return uvicorn.Config(
        "detection_project.asgi:application",
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
        # X-Forwarded-For is believed from a proxy on this machine, where the settings say that
        # there is one; otherwise whoever guesses passwords from here would choose an address.
        proxy_headers=settings.SECURE_PROXY_SSL_HEADER is not None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=65,
        # One picture of a browser's own camera.
        ws_max_size=512 * 1024,
        ws_max_queue=8,
        ws_per_message_deflate=False,  # of JPEGs it makes nothing smaller, only the loop slower
    )


@contextlib.contextmanager
def _signals_kept_quiet() -> Iterator[None]:
    """Keep the process alive after the server's end: uvicorn raises the signal once more then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ignore(number: int, frame: FrameType | None) -> None:
        return None

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def allow_host(host: str) -> None:
    """Answer to the names and addresses under which a server on `host` can be reached."""
    names = {host}
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - asked for on the command line
        name = socket.gethostname()
        names = {name, f"{name}.local", socket.getfqdn()}
        with contextlib.suppress(OSError):
            names |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
        # No packet is sent: this asks which own address would be used for the way out.
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError), probe:
            probe.connect(("192.0.2.1", 9))
            names.add(probe.getsockname()[0])
    for name in sorted(names):
        entry = f"[{name}]" if ":" in name else name.lower()
        if entry not in settings.ALLOWED_HOSTS:
            settings.ALLOWED_HOSTS.append(entry)

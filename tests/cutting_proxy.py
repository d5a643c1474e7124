"""A TCP proxy that fails on command: cuts, resets, stalls, slows down, or refuses."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from types import TracebackType

_CHUNK = 16 * 1024
_STEP = 0.02  # seconds


class CuttingProxy:
    """Passes connections on to a port of this machine, until told otherwise.

    Args:
        target: The port.
        tls: Speaks TLS to whoever connects; the target gets it plain.

    Attributes:
        port: Where it listens.
        accepted: Connections so far.
        passed: Bytes that came from the target and were passed on so far.
    """

    def __init__(self, target: int, *, tls: ssl.SSLContext | None = None) -> None:
        self.accepted = 0
        self.passed = 0
        self._target = target
        self._tls = tls
        self._is_stalled = self._is_refusing = False
        self._rate = 0.0
        self._lock = threading.Lock()
        self._open: set[_Pair] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, name="cutting-proxy", daemon=True).start()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def cut(self) -> None:
        """Close every connection that there is; new ones are accepted."""
        self._end(with_reset=False)

    def reset(self) -> None:
        """Break every connection off with a TCP reset; new ones are accepted."""
        self._end(with_reset=True)

    def stall(self) -> None:
        """Accept connections and keep them, but pass nothing on."""
        self._is_stalled = True

    def refuse(self) -> None:
        """Close every connection, and every new one at once."""
        self._is_refusing = True
        self.cut()

    def slow_down(self, rate: float) -> None:
        """Pass on so many bytes in a second, on each connection; 0: as many as come."""
        self._rate = rate

    def resume(self) -> None:
        """Work again; connections that were kept go on."""
        self._rate = 0.0
        self._is_stalled = self._is_refusing = False

    def close(self) -> None:
        """Stop for good."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _end(self, *, with_reset: bool) -> None:
        with self._lock:
            pairs = list(self._open)
        for pair in pairs:
            pair.end(with_reset=with_reset)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.accepted += 1
            if self._is_refusing:
                client.close()
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self._target), 5)
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        with self._lock:
            self._open.add(pair)
        try:
            while self._pass(pair):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(pair)
            pair.close()

    def _pass(self, pair: _Pair) -> bool:
        """Pass on what there is; tell whether the connection goes on."""
        if pair.is_over:
            return False
        if self._is_stalled:
            time.sleep(_STEP)
            return True
        pending = isinstance(pair.client, ssl.SSLSocket) and pair.client.pending() > 0
        timeout = 0 if pending else _STEP
        readable, _, _ = select.select([pair.client, pair.server], [], [], timeout)
        most = int(max(1, self._rate * _STEP)) if self._rate else _CHUNK
        for end in {*readable, pair.client} if pending else readable:
            data = _receive(end, min(most, _CHUNK))
            if data is None:
                continue
            if not data:
                return False
            pair.other(end).sendall(data)
            self.passed += len(data) if end is pair.server else 0
            if self._rate:
                time.sleep(len(data) / self._rate)
        return True


def _receive(end: socket.socket, most: int) -> bytes | None:
    """Return what has come, nothing at the end; None when it was no data, or not all of it."""
    if not isinstance(end, ssl.SSLSocket):
        return end.recv(most)
    # Waiting for the rest would keep what goes the other way waiting, too.
    end.settimeout(0)
    try:
        return end.recv(most)
    except ssl.SSLWantReadError:
        return None
    finally:
        end.settimeout(None)


class _Pair:
    """Both ends of one connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.is_over = False
        self._with_reset = False

    def other(self, end: socket.socket) -> socket.socket:
        return self.server if end is self.client else self.client

    def end(self, *, with_reset: bool) -> None:
        """Have the thread that serves it end it."""
        self._with_reset = with_reset
        self.is_over = True

    def close(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if self._with_reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()

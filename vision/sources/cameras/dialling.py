"""Connections to a camera: a judged number is dialled, a certificate is checked for the name."""

import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Final

from vision.sources.cameras.address import CameraAddress
from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.hosts import AddressRules, resolve_host

PATIENCE: Final = 5.0  # seconds of silence after which a connection is given up
_DIALLING: Final = 3.0  # seconds for one of a host's numbers
_MOST_NUMBERS: Final = 4
_SECURE: Final = ("rtsps", "https")


class Line:
    """A camera's host, resolved once; it can be dialled again and again.

    Args:
        address: Of a camera on the network.
        rules: What is accepted.
        on_answer: Called when somebody has answered.

    Raises:
        CameraError: ``unknown_host`` or ``forbidden_address``.
    """

    def __init__(
        self,
        address: CameraAddress,
        rules: AddressRules,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        self._on_answer = on_answer
        self._numbers = resolve_host(address.host, address.dialled_port, rules)[:_MOST_NUMBERS]
        self._tls = _tls(rules) if address.kind in _SECURE else None

    def choose(self) -> str:
        """Return the number to connect to, for those who dial themselves.

        Raises:
            CameraError: ``no_answer``.
        """
        if len(self._numbers) > 1:
            self._dial_numbers().close()
        return self._numbers[0]

    def dial(self) -> socket.socket:
        """Return a connection; what it does not say for ``PATIENCE`` seconds times out.

        Raises:
            CameraError: ``no_answer``, ``bad_certificate`` or ``not_a_stream``.
        """
        link = self._dial_numbers()
        self._on_answer()
        link.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return link
        try:
            return self._tls.wrap_socket(link, server_hostname=self._address.host)
        except (OSError, ValueError) as error:
            link.close()
            raise _tls_failure(self._address, error) from None

    def _dial_numbers(self) -> socket.socket:
        reason: OSError | None = None
        for number in list(self._numbers):
            try:
                link = socket.create_connection((number, self._address.dialled_port), _DIALLING)
            except OSError as error:
                reason = error
                continue
            self._numbers = [number]
            return link
        raise no_answer(self._address, reason)


def _tls(rules: AddressRules) -> ssl.SSLContext:
    authorities = None if rules.certificates is None else str(rules.certificates)
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError):
        raise CameraError(
            "bad_certificate", "The file of trusted authorities cannot be read."
        ) from None


def no_answer(address: CameraAddress, reason: BaseException | None) -> CameraError:
    """Return the error of a host that cannot be reached, for the reason that its dialling gave."""
    where = f"{address.host}, port {address.dialled_port}"
    if isinstance(reason, ConnectionRefusedError):
        return CameraError("no_answer", f"The host is there, but nothing listens at {where}.")
    if isinstance(reason, OSError) and reason.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return CameraError("no_answer", f"There is no way to {where}.")
    return CameraError("no_answer", f"Nobody answers at {where}.")


def _tls_failure(address: CameraAddress, error: Exception) -> CameraError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CameraError(
            "bad_certificate",
            f"The certificate of {address.host} is not valid for that name, has expired, or was "
            "issued by nobody whom this machine trusts.",
        )
    if isinstance(error, TimeoutError):
        return CameraError("silent", f"{address.host} accepts the connection and says nothing.")
    return CameraError("not_a_stream", f"{address.host} does not speak TLS on this port.")

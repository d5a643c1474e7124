"""Which hosts cameras may have, and which number a name stands for."""

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vision.sources.cameras.errors import CameraError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST_NAME: Final = 253
# Where clouds tell a machine its secrets, beyond the link-local 169.254.169.254.
_METADATA: Final = frozenset(
    ipaddress.ip_address(number)
    for number in (
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("fd00:ec2::254", "fd00:42::42", "fd20:ce::254"),
    )
)
_THIS_NETWORK: Final = ipaddress.ip_network("0.0.0.0/8")
_TRANSLATED: Final = tuple(ipaddress.ip_network(network) for network in ("64:ff9b::/96", "::/96"))
# Where a network's own translation hides an IPv4 address in it cannot be known.
_TRANSLATED_LOCALLY: Final = ipaddress.ip_network("64:ff9b:1::/48")
_OURSELVES: Final = ("localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which cameras may be connected to.

    Attributes:
        folder: Where the files of ``loop:`` addresses lie; None: there are none.
        allowed: Names, addresses and networks (``10.0.0.0/8``) that are accepted although they
            are this machine, link-local, or otherwise refused.
        usb: Whether devices of this machine may be opened.
        certificates: A PEM file of authorities to trust for ``https`` and ``rtsps``; None trusts
            those that the system trusts.
    """

    folder: Path | None = None
    allowed: tuple[str, ...] = ()
    usb: bool = True
    certificates: Path | None = None


def normal_host(host: str) -> str:
    """Return a host as it is compared: lower case, ASCII, without a final dot.

    Raises:
        CameraError: ``bad_address``.
    """
    if ":" in host:
        try:
            number = ipaddress.IPv6Address(host)
        except ValueError:
            raise _bad_host() from None
        if number.scope_id is not None:
            raise _bad_host()
        return str(number)
    try:
        name = host.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        raise _bad_host() from None
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(part) for part in name.split(".")):
        raise _bad_host()
    return name


def check_host(host: str, rules: AddressRules) -> None:
    """Judge a host without asking the network: numbers, and names of this machine.

    Raises:
        CameraError: ``forbidden_address``.
    """
    number = _literal(host)
    if number is not None:
        _judge(host, number, rules)
    elif (host in _OURSELVES or host.endswith(".localhost")) and not _is_listed(host, rules):
        raise _forbidden(host)


def resolve_host(host: str, port: int, rules: AddressRules) -> list[str]:
    """Return the numbers of a host, the preferred one first; every one of them is acceptable.

    A name that leads to one forbidden address is refused as a whole: it is under the hand of
    somebody who tries.

    Args:
        host: As ``CameraAddress`` carries it.
        port: To connect to.
        rules: What is accepted.

    Raises:
        CameraError: ``unknown_host`` or ``forbidden_address``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CameraError("unknown_host", f"There is no host called {host}.") from None
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for number in numbers:
        _judge(host, ipaddress.ip_address(number.partition("%")[0]), rules)
    return numbers


def can_match(entry: str) -> bool:
    """Tell whether an entry of ``AddressRules.allowed`` can stand for any host at all."""
    text = entry.strip().lower()
    with contextlib.suppress(ValueError):
        ipaddress.ip_network(text.strip("[]") if text.startswith("[") else text, strict=False)
        return True
    try:
        name = normal_host(text)
    except CameraError:
        return False
    return name == text and not name.rpartition(".")[2][:1].isdigit()


def _judge(host: str, number: IPAddress, rules: AddressRules) -> None:
    forms = list(_forms(number))
    if any(_is_listed(str(form), rules) for form in forms) or _is_listed(host, rules):
        return
    if any(_is_refused(form) for form in forms):
        raise _forbidden(host)


def _forms(number: IPAddress) -> Iterator[IPAddress]:
    """Give an address as it is reached in the end: IPv4 ones come in several disguises."""
    if isinstance(number, ipaddress.IPv4Address):
        yield number
        return
    hidden = number.ipv4_mapped or number.sixtofour
    if hidden is None and number.teredo is not None:
        hidden = number.teredo[1]
    if hidden is None and any(number in network for network in _TRANSLATED) and int(number) > 1:
        hidden = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    yield hidden if hidden is not None else number


def _is_refused(number: IPAddress) -> bool:
    return (
        number.is_loopback
        or number.is_link_local
        or number.is_multicast
        or number.is_unspecified
        or number.is_reserved
        or number in _METADATA
        or number in _TRANSLATED_LOCALLY
        or (number.version == 4 and number in _THIS_NETWORK)
    )


def _is_listed(what: str, rules: AddressRules) -> bool:
    return any(_matches(what, entry.strip().lower()) for entry in rules.allowed)


def _matches(what: str, entry: str) -> bool:
    if what == entry.strip("[]"):
        return True
    try:
        return ipaddress.ip_address(what) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _literal(host: str) -> IPAddress | None:
    """Return the number that a host is written as; "127.1" and "0x7f000001" are numbers, too."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _forbidden(host: str) -> CameraError:
    return CameraError(
        "forbidden_address",
        f"{host} is an address that cameras may not have: it leads to this machine, to a "
        "link-local network or to a cloud's own services. An administrator can list it in "
        "SIGHTLINE_CAMERA_HOSTS.",
    )


def _bad_host() -> CameraError:
    return CameraError("bad_address", "The name of the host cannot be right.")

"""How often somebody may try, counted in the cache."""

from __future__ import annotations

import hashlib
import ipaddress

from django.http import HttpRequest

from common.counting import count

IPV6_PREFIX = 64


def network_of(request: HttpRequest | None) -> str:
    """Return what counts as one caller: an IPv4 address, or the /64 that one household has."""
    given = str(request.META.get("REMOTE_ADDR", "")) if request is not None else ""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return given  # a Unix socket, or a test
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def key_of(subject: str, *parts: object) -> str:
    """Return the cache key of a counter: whatever people type, it is short and valid."""
    joined = "\0".join(str(part) for part in parts)
    return f"{subject}.{hashlib.sha256(joined.encode(errors='replace')).hexdigest()}"


def exceeds(key: str, limit: tuple[int, int]) -> bool:
    """Count one try, and tell whether there were more than `limit` (attempts, seconds) allows."""
    attempts, seconds = limit
    return count(key, seconds) > attempts

"""Counters in the cache that run out by themselves."""

from django.core.cache import cache


def count(key: str, seconds: int) -> int:
    """Add one to a counter and return it; it starts again `seconds` after its first."""
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # it ran out, or was dropped, in between
        cache.set(key, 1, timeout=seconds)
        return 1


def uncount(key: str) -> None:
    """Take one from a counter, unless it has run out."""
    try:
        cache.decr(key)
    except ValueError:
        return

"""What the shared cache and the slots of live pictures hold of a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

PIECE = 500


def forget_in_cache(marks: Sequence[str]) -> int:
    """Delete every entry whose key or value holds one of these texts; return how many.

    Args:
        marks: Texts that stand for one person alone, such as an id.
    """
    found = list(_find(marks))
    for delete in found:
        delete()
    return len(found)


def count_in_cache(marks: Sequence[str]) -> int:
    """Count the entries whose key or value holds one of these texts."""
    return len(list(_find(marks)))


def _find(marks: Sequence[str]) -> Iterator[Any]:
    """Yield what deletes an entry, for each that is found; values are pickles, texts plain."""
    needles = [mark.encode() for mark in marks if mark]
    backend: Any = caches[DEFAULT_CACHE_ALIAS]
    if isinstance(backend, RedisCache):
        yield from _find_in_redis(backend, needles)
        spare = getattr(backend, "_spare", None)
        backend = spare if spare is not None else backend
    if isinstance(backend, LocMemCache):
        yield from _find_in_memory(backend, needles)


def _find_in_memory(backend: Any, needles: Sequence[bytes]) -> Iterator[Any]:
    with backend._lock:
        entries = list(backend._cache.items())
    for key, packed in entries:
        if _holds(key.encode(), needles) or _holds(packed, needles):
            yield lambda key=key: _delete_in_memory(backend, key)


def _delete_in_memory(backend: Any, key: str) -> None:
    with backend._lock:
        backend._delete(key)


def _find_in_redis(backend: Any, needles: Sequence[bytes]) -> Iterator[Any]:
    try:
        client = backend._cache.get_client(None, write=True)
        pattern = f"{backend.key_prefix}:*" if backend.key_prefix else "*"
        keys: list[bytes] = list(client.scan_iter(match=pattern, count=PIECE))
        for start in range(0, len(keys), PIECE):
            part = keys[start : start + PIECE]
            for key, packed in zip(part, client.mget(part), strict=True):
                if _holds(key, needles) or _holds(packed or b"", needles):
                    yield lambda key=key: client.delete(key)
    except RedisError:  # what it holds is forgotten with it, or when it runs out
        return


def _holds(data: bytes, needles: Sequence[bytes]) -> bool:
    return any(needle in data for needle in needles)

"""What the cache says to Redis: values that only we can have written, counters that run out."""

from __future__ import annotations

import hmac
from typing import Any, TypeAlias

from django.core.cache.backends.redis import RedisCacheClient, RedisSerializer
from django.utils.crypto import salted_hmac

Key: TypeAlias = "str | bytes | memoryview[int]"

SALT = "common.cache"
DIGEST_BYTES = 32
UNREADABLE = object()

# Asked and added to at once: what ran out in between would start again without an end.
_ADD_IF_THERE = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
return redis.call('INCRBY', KEYS[1], ARGV[1])
"""


class SignedSerializer(RedisSerializer):
    """Pickles with a signature: who can write to Redis must not thereby run code here.

    Whole numbers stay what they are, so that Redis can count with them.
    """

    def dumps(self, obj: Any) -> Any:
        """Return what is stored."""
        packed: Any = super().dumps(obj)
        return packed if isinstance(packed, int) else _signature(packed) + packed

    def loads(self, data: Any) -> Any:
        """Return what was stored; `UNREADABLE` when somebody else, or another key, has written."""
        try:
            return int(data)
        except ValueError:
            signature, packed = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if not hmac.compare_digest(signature, _signature(packed)):
            return UNREADABLE
        return super().loads(packed)


class SignedClient(RedisCacheClient):
    """Django's client; what cannot be read is not there."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **{"serializer": SignedSerializer, **options})

    def get(self, key: Key, default: Any) -> Any:
        """Return a value, or the default."""
        found = super().get(key, default)
        return default if found is UNREADABLE else found

    def get_many(self, keys: Any) -> dict[Key, Any]:
        """Return the values that there are."""
        found = super().get_many(keys)
        return {key: value for key, value in found.items() if value is not UNREADABLE}

    def incr(self, key: Key, delta: int) -> int:
        """Add to a number, which keeps its end.

        Raises:
            ValueError: There is none.
        """
        number = self.get_client(key, write=True).eval(_ADD_IF_THERE, 1, key, delta)
        if number is None:
            raise ValueError(f"Key {key!r} not found.")
        return int(number)


def _signature(packed: bytes) -> bytes:
    return salted_hmac(SALT, packed, algorithm="sha256").digest()

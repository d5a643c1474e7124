"""The shared cache, which may go away for a while without taking the pages with it."""

from common.cache.redis import ResilientRedisCache

__all__ = ["ResilientRedisCache"]

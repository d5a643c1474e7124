"""Reused network input buffers."""

import threading

import numpy as np
from numpy.typing import NDArray

from vision.detection.letterbox import Bucket

__all__ = ["BufferPool"]


class BufferPool:
    """Free uint8 buffers by bucket, so that a call need not fault in fresh pages.

    Thread safe. A buffer that is never given back is simply collected.

    Args:
        limit: Free buffers kept per bucket.
        buckets: Buckets remembered; the one used longest ago is forgotten first.
    """

    def __init__(self, limit: int = 8, buckets: int = 8) -> None:
        self._limit = limit
        self._buckets = buckets
        self._free: dict[Bucket, list[NDArray[np.uint8]]] = {}
        self._lock = threading.Lock()

    def take(self, bucket: Bucket) -> NDArray[np.uint8]:
        """Return a buffer (*bucket, 3) of unspecified content."""
        with self._lock:
            free = self._free.pop(bucket, [])
            self._free[bucket] = free  # most recently used last
            while len(self._free) > self._buckets:
                del self._free[next(iter(self._free))]
            if free:
                return free.pop()
        return np.empty((*bucket, 3), dtype=np.uint8)

    def give(self, buffer: NDArray[np.uint8]) -> None:
        """Take a buffer back; the caller must not touch it afterwards."""
        height, width, _ = buffer.shape
        with self._lock:
            free = self._free.get((height, width))
            if free is not None and len(free) < self._limit:
                free.append(buffer)

"""Memory that a parent and its child share, cut into slots of one picture each.

It has no name anywhere: the parent makes it, the child inherits its descriptor, and it is gone
with the last of the two, however they end.
"""

import contextlib
import fcntl
import mmap
import os
import tempfile
from typing import Final

import numpy as np
from numpy.typing import NDArray

_RING_BYTES: Final = 64 * 1024 * 1024
_MOST_SLOTS: Final = 6
_FEWEST_SLOTS: Final = 2


def create_memory() -> int:
    """Return a descriptor of empty, nameless memory; the caller closes it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("video-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as stream:
        return os.dup(stream.fileno())


def fix_size(memory: int, size: int) -> None:
    """Give the memory its size for good, so that a child cannot take pages from under a parent."""
    os.ftruncate(memory, size)
    with contextlib.suppress(AttributeError, OSError):
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)


def count_slots(width: int, height: int) -> int:
    """Return how many pictures the ring holds: fewer of large ones, at least two."""
    return max(_FEWEST_SLOTS, min(_MOST_SLOTS, _RING_BYTES // (width * height * 3)))


class FrameRing:
    """A view on the shared memory.

    Args:
        memory: Its descriptor; it may be closed afterwards.
        width: Pixels of every picture.
        height: Pixels of every picture.
        slots: Pictures that it holds.
    """

    def __init__(self, memory: int, *, width: int, height: int, slots: int) -> None:
        self.slots = slots
        self._shape = (height, width, 3)
        self._bytes = height * width * 3
        self._map = mmap.mmap(memory, ring_bytes(width, height, slots))

    def write(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Copy an (H, W, 3) picture into a slot."""
        self._slot(slot)[...] = image

    def read(self, slot: int) -> NDArray[np.uint8]:
        """Return a copy of a slot: (H, W, 3) uint8, contiguous and writable."""
        return self._slot(slot).copy()

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()

    def _slot(self, slot: int) -> NDArray[np.uint8]:
        if not 0 <= slot < self.slots:
            raise IndexError(f"slot {slot} of {self.slots}")
        flat = np.frombuffer(self._map, np.uint8, self._bytes, slot * self._bytes)
        return flat.reshape(self._shape)


def ring_bytes(width: int, height: int, slots: int) -> int:
    """Return the bytes that a ring takes."""
    return width * height * 3 * slots

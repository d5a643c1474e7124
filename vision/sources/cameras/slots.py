"""Shared memory for the pictures of a camera, which may change their size at any time."""

import mmap
import os
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.videos.ring import create_memory, fix_size

MOST_PIXELS: Final = 4096 * 2304
LONGEST_SIDE: Final = 4096
SHORTEST_SIDE: Final = 16
SLOTS: Final = 3  # one that waits to be taken, one on its way, one being filled

_SLOT_BYTES: Final = MOST_PIXELS * 3


def create_slots() -> int:
    """Return a descriptor of nameless memory for all slots; the caller closes it.

    Every slot has room for the largest picture, but only what was written takes real memory.
    """
    memory = create_memory()
    try:
        fix_size(memory, _SLOT_BYTES * SLOTS)
    except BaseException:
        os.close(memory)
        raise
    return memory


class PictureSlots:
    """A view on the shared memory.

    Args:
        memory: Its descriptor; it may be closed afterwards.
    """

    def __init__(self, memory: int) -> None:
        self._map = mmap.mmap(memory, _SLOT_BYTES * SLOTS)

    def write(self, slot: int, image: NDArray[np.uint8]) -> None:
        """Copy an (H, W, 3) picture into a slot."""
        height, width = image.shape[:2]
        self._view(slot, width, height)[...] = image

    def read(self, slot: int, width: int, height: int) -> NDArray[np.uint8]:
        """Return a copy of a slot: (H, W, 3) uint8, contiguous and writable."""
        return self._view(slot, width, height).copy()

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()

    def _view(self, slot: int, width: int, height: int) -> NDArray[np.uint8]:
        if not 0 <= slot < SLOTS or not fits(width, height):
            raise IndexError(f"slot {slot}, {width} x {height}")
        flat = np.frombuffer(self._map, np.uint8, width * height * 3, slot * _SLOT_BYTES)
        return flat.reshape(height, width, 3)


def fits(width: int, height: int) -> bool:
    """Tell whether pictures of this size are accepted."""
    return (
        min(width, height) >= SHORTEST_SIDE
        and max(width, height) <= LONGEST_SIDE
        and width * height <= MOST_PIXELS
    )

"""Settings of the process itself that a server of pictures gains by."""

import ctypes
import gc
import sys

# malloc.h of the GNU C library
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_MIB = 1024 * 1024


def keep_freed_memory() -> None:
    """Let the C library reuse the memory of large buffers instead of giving it back each time.

    A decoded picture of some megabytes is otherwise mapped, zeroed page by page, and unmapped
    for every request: about 400 page faults, half a millisecond.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library
        return
    mallopt(_MMAP_THRESHOLD, 32 * _MIB)  # the most that it accepts
    mallopt(_TRIM_THRESHOLD, 256 * _MIB)


def calm_garbage_collection() -> None:
    """Leave out what is there after the start from every later search for cycles.

    Hundreds of thousands of objects of imported modules never become garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)

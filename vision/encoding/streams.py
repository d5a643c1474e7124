"""Columns of small whole numbers as bytes: differences, escapes, zstd.

Every column is a zstd frame of its own, because columns differ in what is frequent in them.
"""

from typing import Final

import numpy as np
import zstandard
from numpy.typing import NDArray

__all__ = ["compress", "decompress", "join_planes", "join_steps", "split_planes", "split_steps"]

_ESCAPE: Final = -128
_LEVEL: Final = 1


def split_steps(values: NDArray[np.integer]) -> tuple[NDArray[np.int8], NDArray[np.integer]]:
    """Return the differences of neighbours as one byte each, and those that need more.

    The first value counts as the difference to 0.
    """
    steps = np.empty_like(values)
    steps[:1] = values[:1]
    np.subtract(values[1:], values[:-1], out=steps[1:])
    small = steps.astype(np.int8)
    wide = np.flatnonzero((small != steps) | (small == _ESCAPE))
    small[wide] = _ESCAPE
    return small, steps[wide]


def join_steps(
    small: NDArray[np.int8], wide: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Undo `split_steps`.

    Args:
        small: The bytes.
        wide: What their escapes stand for, and whatever follows.

    Returns:
        The values, of the type of ``wide``, and what is left of ``wide``.

    Raises:
        ValueError: ``wide`` is too short.
    """
    steps = small.astype(wide.dtype)
    escapes = np.flatnonzero(small == _ESCAPE)
    if len(escapes) > len(wide):
        raise ValueError("escapes are missing")
    steps[escapes] = wide[: len(escapes)]
    np.cumsum(steps, out=steps, dtype=steps.dtype)
    return steps, wide[len(escapes) :]


def split_planes(values: NDArray[np.integer]) -> bytes:
    """Return the lowest byte of all values, then the next: the high ones are mostly the same."""
    return values.view(np.uint8).reshape(-1, values.itemsize).T.tobytes()


def join_planes(content: bytes, dtype: "np.dtype[np.signedinteger]") -> NDArray[np.integer]:
    """Undo `split_planes`.

    Raises:
        ValueError: The content is no whole number of values.
    """
    planes = np.frombuffer(content, np.uint8).reshape(dtype.itemsize, -1)
    joined: NDArray[np.integer] = np.ascontiguousarray(planes.T).view(dtype).reshape(-1)
    return joined


def compress(columns: list[bytes]) -> list[bytes]:
    """Return each column as a zstd frame that tells its size."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    return [compressor.compress(column) for column in columns]


def decompress(frames: list[memoryview], sizes: list[int]) -> list[bytes]:
    """Undo `compress`.

    Args:
        frames: The zstd frames.
        sizes: What each must hold; nothing larger is ever allocated.

    Raises:
        ValueError: A frame is damaged, or says that it is of another size.
    """
    decompressor = zstandard.ZstdDecompressor()
    columns = []
    for frame, size in zip(frames, sizes, strict=True):
        try:
            # The size that a frame claims is allocated at once: it is checked before.
            if zstandard.frame_content_size(frame) != size:
                raise ValueError("a column has another size")
            content = decompressor.decompress(frame)
        except zstandard.ZstdError as error:
            raise ValueError("a column is damaged") from error
        if len(content) != size:
            raise ValueError("a column has another size")
        columns.append(content)
    return columns

"""COCO run-length codes, taken apart.

COCO counts pixels down the columns: background first, then foreground, in turns. Compressed, the
counts are a string in which each is the difference to the one before last, in groups of five bits
(pycocotools, ``rleToString``).
"""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class Rle(TypedDict):
    """A compressed COCO code: size is [height, width]; counts is ASCII, fit for JSON."""

    size: list[int]
    counts: str


def runs_of(rle: Rle) -> NDArray[np.int64]:
    """Decompress a code to run lengths: background, foreground, background, ...

    Raises:
        ValueError: The code is no compressed COCO code, or does not fit its size.
    """
    bits = np.frombuffer(rle["counts"].encode("latin-1", "replace"), np.uint8).astype(np.int64) - 48
    height, width = rle["size"]
    if bits.size and (bits.min() < 0 or bits.max() > 63 or bits[-1] & 0x20):
        raise ValueError("counts is not a compressed COCO run-length code")
    runs = _undo_differences(_join_groups(bits))
    if (runs < 0).any() or int(runs.sum()) != height * width:
        raise ValueError(f"the runs of the code do not fill {width} x {height} pixels")
    return runs


def column_spans(runs: NDArray[np.int64], height: int) -> NDArray[np.int64]:
    """Cut foreground runs at the columns' ends.

    Args:
        runs: Run lengths of a column-major mask, background first.
        height: Length of a column.

    Returns:
        (K, 3) column, first row, row after the last; in reading order of the code.
    """
    edges = np.cumsum(runs)
    stops = edges[1::2]
    starts = edges[: 2 * len(stops) : 2]
    kept = stops > starts
    starts, stops = starts[kept], stops[kept]
    first = starts // height
    columns_each = (stops - 1) // height - first + 1
    run = np.repeat(np.arange(len(starts)), columns_each)
    ordinal = np.arange(len(run)) - np.repeat(np.cumsum(columns_each) - columns_each, columns_each)
    column = first[run] + ordinal
    top = np.maximum(starts[run] - column * height, 0)
    bottom = np.minimum(stops[run] - column * height, height)
    return np.stack((column, top, bottom), axis=1)


def _join_groups(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join groups of five bits, lowest first; 0x20 says that more follow, 0x10 is the sign."""
    last = (bits & 0x20) == 0
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    lengths = ends - starts + 1
    shift = 5 * (np.arange(len(bits)) - np.repeat(starts, lengths))
    values = np.zeros(len(ends), np.int64)
    np.add.at(values, np.repeat(np.arange(len(ends)), lengths), (bits & 0x1F) << shift)
    negative = (bits[ends] & 0x10) != 0
    return values - np.where(negative, np.int64(1) << (5 * lengths), 0)


def _undo_differences(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """From the fourth on, a count is stored as its difference to the one before last."""
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs

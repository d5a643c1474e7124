"""Trajectories as one compact blob: three to four bytes per point, read back by the million.

What is kept: box coordinates in steps of a quarter pixel (so within 0.125 px; where boxes jump by
many pixels from frame to frame, in steps of 15/32, within 0.235 px), times in steps of 10
microseconds, confidence in steps of 1/127, ids, classes and the detected flag exactly.

How: all tracks are laid end to end. The frames' times are a table of their own, and a point names
its frame, so that a regular or irregular rate costs once per frame and not once per point. Left,
top, width, height and frame are differences to the point before, one byte each; larger ones (the
first of a track, mostly) are escaped. Every column is compressed on its own.

Layout, little endian: magic, version, step in 1/32 px, tracks, points, frames, then for each column
its size raw and compressed, then the columns. A reader refuses versions that it does not know.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.encoding.streams import (
    compress,
    decompress,
    join_planes,
    join_steps,
    split_planes,
    split_steps,
)
from vision.errors import VisionError
from vision.structures.trajectories import Trajectory

__all__ = [
    "MAX_POINTS",
    "TrackPoints",
    "group_trajectories",
    "pack_trajectories",
    "unpack_points",
    "unpack_trajectories",
]

MAX_POINTS: Final = 1 << 21
"""Points that one blob may hold; the arrays of so many take some 100 MB."""

_MAGIC: Final = b"SLTJ"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<4sBBxxIII")
_MAX_TRACKS: Final = 1 << 20
_MAX_KINDS_BYTES: Final = 1 << 20

_STEPS_PER_PIXEL: Final = 32  # the unit of the step that the header tells
_FINE: Final = 8
_COARSE: Final = 15
_SAMPLES: Final = 2048
_ROUGH_PIXELS: Final = 2.5  # median change from point to point that calls for the coarse step
_PER_SECOND: Final = 100_000
_FULL_CONFIDENCE: Final = 127
_FARTHEST: Final = 1 << 20  # pixels
_LATEST: Final = 1e11  # seconds; beyond, float64 keeps no 10 microseconds

_I32: Final = np.dtype("<i4")
_I64: Final = np.dtype("<i8")
_STREAMS: Final = 5  # frame, left, top, width, height
_COLUMNS: Final = 7 + _STREAMS
_SIZES: Final = struct.Struct(f"<{2 * _COLUMNS}I")


@dataclass(frozen=True, slots=True, eq=False)
class TrackPoints:
    """The points of many tracks end to end, for questions over all of them at once.

    Attributes:
        track_ids: (K,) int64.
        class_ids: (K,) int64.
        class_names: K names.
        starts: (K + 1,) int64: track k has the points ``starts[k]`` up to ``starts[k + 1]``.
        times: (N,) float64 seconds.
        boxes: (N, 4) float32 xyxy pixels.
        confidence: (N,) float32, 0..1.
        detected: (N,) bool.
    """

    track_ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    class_names: tuple[str, ...]
    starts: NDArray[np.int64]
    times: NDArray[np.float64]
    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    detected: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def track_index(self) -> NDArray[np.int64]:
        """(N,) which track each point belongs to, 0 to K - 1."""
        return np.repeat(np.arange(len(self.track_ids)), np.diff(self.starts))

    @property
    def foot_points(self) -> NDArray[np.float32]:
        """(N, 2) float32: the middle of each box's lower edge, where an object stands."""
        points = np.empty((len(self.boxes), 2), np.float32)
        np.add(self.boxes[:, 0], self.boxes[:, 2], out=points[:, 0])
        points[:, 0] *= 0.5
        points[:, 1] = self.boxes[:, 3]
        return points


def group_trajectories(
    trajectories: Iterable[Trajectory], *, tracks: int = 200, points: int = 250_000
) -> Iterator[list[Trajectory]]:
    """Yield trajectories in groups that make good blobs, in their order.

    Args:
        trajectories: Of one source.
        tracks: Most of a group.
        points: Most of a group, but for a single trajectory that has more.
    """
    group: list[Trajectory] = []
    size = 0
    for item in trajectories:
        if group and (len(group) >= tracks or size + len(item) > points):
            yield group
            group, size = [], 0
        group.append(item)
        size += len(item)
    if group:
        yield group


def pack_trajectories(trajectories: Sequence[Trajectory]) -> bytes:
    """Return trajectories as a blob; some 200 of them make a good one.

    Raises:
        VisionError: ``bad_trajectories``: too many points, or values that are not finite or absurd.
    """
    boxes = _joined([item.boxes for item in trajectories], (0, 4), np.float32)
    times = _joined([item.times for item in trajectories], (0,), np.float64)
    confidence = _joined([item.confidence for item in trajectories], (0,), np.float32)
    detected = _joined([item.detected for item in trajectories], (0,), np.bool_)
    _check_values(trajectories, boxes, times, confidence)
    kinds, tracks = _track_table(trajectories)
    ticks, frames = _frames_of(times)
    tick_steps, wide_ticks = split_steps(np.diff(ticks, prepend=ticks[:1] * 0))
    step = _choose_step(boxes)
    streams, wide = _box_streams(frames, boxes, step)
    columns = [
        kinds,
        split_planes(tracks.reshape(-1)),
        tick_steps.tobytes(),
        split_planes(wide_ticks),
        split_planes(wide),
        np.rint(confidence * _FULL_CONFIDENCE).astype(np.uint8).tobytes(),
        np.packbits(detected).tobytes(),
        *streams,
    ]
    packed = compress(columns)
    sizes = [size for pair in zip(columns, packed, strict=True) for size in map(len, pair)]
    header = _HEADER.pack(_MAGIC, _VERSION, step, len(trajectories), len(times), len(ticks))
    return b"".join((header, _SIZES.pack(*sizes), *packed))


def unpack_points(blob: bytes) -> TrackPoints:
    """Read a blob into flat arrays.

    Raises:
        VisionError: ``bad_trajectories``: it is no blob of trajectories, damaged or too large.
    """
    try:
        return _unpack(memoryview(blob))
    # Whatever is wrong with the bytes shows as one of these; nothing is allocated by their word.
    except (ValueError, TypeError, struct.error, RecursionError) as error:
        raise VisionError(
            "bad_trajectories", "The stored trajectories are damaged and cannot be read."
        ) from error


def unpack_trajectories(blob: bytes) -> list[Trajectory]:
    """Read a blob into trajectories; their arrays are views of a few large ones.

    Raises:
        VisionError: ``bad_trajectories``.
    """
    points = unpack_points(blob)
    bounds = points.starts.tolist()
    return [
        Trajectory(
            track_id=track_id,
            class_id=class_id,
            class_name=name,
            times=points.times[start:stop],
            boxes=points.boxes[start:stop],
            confidence=points.confidence[start:stop],
            detected=points.detected[start:stop],
        )
        for track_id, class_id, name, start, stop in zip(
            points.track_ids.tolist(),
            points.class_ids.tolist(),
            points.class_names,
            bounds[:-1],
            bounds[1:],
            strict=True,
        )
    ]


def _joined(parts: list[NDArray[Any]], empty: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts, dtype=dtype) if parts else np.empty(empty, dtype)


def _check_values(
    trajectories: Sequence[Trajectory],
    boxes: NDArray[np.float32],
    times: NDArray[np.float64],
    confidence: NDArray[np.float32],
) -> None:
    if len(times) > MAX_POINTS or len(trajectories) > _MAX_TRACKS:
        raise VisionError(
            "bad_trajectories",
            f"{len(times)} points of {len(trajectories)} tracks are too many for one piece.",
        )
    # A comparison with NaN is false, so this finds them, too.
    near = len(boxes) == 0 or (boxes.min() >= -_FARTHEST and boxes.max() <= _FARTHEST)
    soon = len(times) == 0 or (times.min() >= -_LATEST and times.max() <= _LATEST)
    sure = len(confidence) == 0 or (confidence.min() >= 0 and confidence.max() <= 1)
    if not (near and soon and sure):
        raise VisionError(
            "bad_trajectories", "A trajectory has a box, a time or a confidence that cannot be."
        )


def _track_table(trajectories: Sequence[Trajectory]) -> tuple[bytes, NDArray[np.int64]]:
    """Return the kinds as JSON, and (3, K) id steps, lengths and kinds."""
    kinds: dict[tuple[int, str], int] = {}
    rows = np.zeros((3, len(trajectories)), _I64)
    for at, item in enumerate(trajectories):
        kind = kinds.setdefault((int(item.class_id), item.class_name), len(kinds))
        rows[:, at] = (item.track_id, len(item.times), kind)
    rows[0] = np.diff(rows[0], prepend=0)
    text = json.dumps([list(kind) for kind in kinds], separators=(",", ":")).encode()
    if len(text) > _MAX_KINDS_BYTES:
        raise VisionError("bad_trajectories", "The trajectories have too many or too long classes.")
    return text, rows


def _frames_of(times: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the distinct times in steps, ascending, and which of them each point has."""
    ticks = np.rint(times * _PER_SECOND).astype(_I64)
    ordered = np.sort(ticks)
    # numpy's unique hashes, at several times the cost.
    frames = ordered[np.diff(ordered, prepend=ordered[:1] - 1) > 0]
    return frames, np.searchsorted(frames, ticks).astype(_I32)


def _choose_step(boxes: NDArray[np.float32]) -> int:
    """Return the step: boxes that jitter by pixels need no quarters of one."""
    if len(boxes) < 2:
        return _FINE
    left = boxes[:, 0]
    some = np.abs(left[1:] - left[:-1])[:: max(len(left) // _SAMPLES, 1)]
    return _COARSE if float(np.median(some)) > _ROUGH_PIXELS else _FINE


def _box_streams(
    frames: NDArray[np.int32], boxes: NDArray[np.float32], step: int
) -> tuple[list[bytes], NDArray[np.int32]]:
    """Return the one-byte columns, and the escapes of all of them in their order."""
    corners = np.rint(boxes.T * np.float32(_STEPS_PER_PIXEL / step)).astype(_I32)
    corners[2:] -= corners[:2]
    parts = [split_steps(column) for column in (frames, *corners)]
    wide = np.concatenate([escapes for _, escapes in parts])
    return [small.tobytes() for small, _ in parts], wide.astype(_I32)


def _unpack(blob: memoryview) -> TrackPoints:
    magic, version, step, tracks, points, frames = _HEADER.unpack_from(blob)
    if magic != _MAGIC or version != _VERSION or step == 0:
        raise ValueError("not a blob of trajectories of this version")
    if points > MAX_POINTS or tracks > _MAX_TRACKS or frames > points:
        raise ValueError("too many points")
    columns = _read_columns(blob, tracks, points, frames)
    kinds, table, tick_bytes, wide_ticks, wide, scores, flags, *streams = columns
    track_ids, starts, kind_of = _read_table(table, tracks, points)
    class_ids, class_names = _read_kinds(kinds, kind_of)
    times, boxes = _read_path((tick_bytes, wide_ticks), streams, wide, step)
    return TrackPoints(
        track_ids=track_ids,
        class_ids=class_ids,
        class_names=class_names,
        starts=starts,
        times=times,
        boxes=boxes,
        confidence=_read_confidence(scores),
        detected=np.unpackbits(np.frombuffer(flags, np.uint8), count=points).view(np.bool_),
    )


def _read_columns(blob: memoryview, tracks: int, points: int, frames: int) -> list[bytes]:
    """Return the columns, decompressed; their sizes must be what the header says."""
    sizes = _SIZES.unpack_from(blob, _HEADER.size)
    raw, packed = list(sizes[::2]), list(sizes[1::2])
    most_ticks, most_wide = 8 * frames, 4 * points * _STREAMS
    if raw[0] > _MAX_KINDS_BYTES or raw[3] > most_ticks or raw[4] > most_wide:
        raise ValueError("a column is too large")
    expected = [raw[0], 24 * tracks, frames, raw[3], raw[4], points, -(-points // 8)]
    if raw != expected + [points] * _STREAMS:
        raise ValueError("a column has another size")
    at = _HEADER.size + _SIZES.size
    if at + sum(packed) != len(blob):
        raise ValueError("the blob has another size")
    pieces = []
    for size in packed:
        pieces.append(blob[at : at + size])
        at += size
    return decompress(pieces, raw)


def _read_table(
    table: bytes, tracks: int, points: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return track ids, where each track starts, and its kind."""
    steps, lengths, kinds = join_planes(table, _I64).reshape(3, tracks)
    # Each length is checked before they are added up: a sum of huge ones may wrap around.
    if tracks and (lengths.min() < 0 or lengths.max() > points):
        raise ValueError("a track has an impossible length")
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    if starts[-1] != points:
        raise ValueError("the tracks have another number of points")
    return np.cumsum(steps), starts, kinds.astype(np.int64)


def _read_kinds(
    text: bytes, kind_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    kinds = json.loads(text)
    if not isinstance(kinds, list) or not all(_is_kind(kind) for kind in kinds):
        raise ValueError("the classes are damaged")
    if len(kind_of) and not 0 <= kind_of.min() <= kind_of.max() < len(kinds):
        raise ValueError("a track has an unknown class")
    ids = np.array([kind[0] for kind in kinds], np.int64)
    names = [kind[1] for kind in kinds]
    return ids[kind_of], tuple(names[kind] for kind in kind_of.tolist())


def _is_kind(kind: Any) -> bool:
    return (
        isinstance(kind, list)
        and len(kind) == 2
        and type(kind[0]) is int
        and abs(kind[0]) < 1 << 62
        and isinstance(kind[1], str)
    )


def _read_path(
    time_columns: tuple[bytes, bytes], streams: list[bytes], wide: bytes, step: int
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return (N,) times and (N, 4) boxes."""
    tick_bytes, wide_ticks = time_columns
    tick_steps, rest = join_steps(np.frombuffer(tick_bytes, np.int8), join_planes(wide_ticks, _I64))
    if len(rest):
        raise ValueError("there are escapes too many")
    ticks = np.cumsum(tick_steps)
    escapes = join_planes(wide, _I32)
    values = []
    for stream in streams:
        column, escapes = join_steps(np.frombuffer(stream, np.int8), escapes)
        values.append(column)
    if len(escapes):
        raise ValueError("there are escapes too many")
    frames, left, top, width, height = values
    if len(frames) and not 0 <= frames.min() <= frames.max() < len(ticks):
        raise ValueError("a point has an unknown frame")
    boxes = np.empty((len(frames), 4), np.float32)
    width += left
    height += top
    pixels = np.float32(step / _STEPS_PER_PIXEL)
    for at, column in enumerate((left, top, width, height)):
        np.multiply(column, pixels, out=boxes[:, at], dtype=np.float32, casting="unsafe")
    seconds = ticks / _PER_SECOND
    return seconds[frames], boxes


def _read_confidence(scores: bytes) -> NDArray[np.float32]:
    values = np.frombuffer(scores, np.uint8)
    if len(values) and values.max() > _FULL_CONFIDENCE:
        raise ValueError("a confidence is above 1")
    table = (np.arange(_FULL_CONFIDENCE + 1) / _FULL_CONFIDENCE).astype(np.float32)
    return table[values]

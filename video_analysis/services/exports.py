"""Results as files: a log of every frame, a table of points, MOTChallenge, statistics.

Two hours of video are a million points and more, so files are written piece by piece, from a few
seconds of the video at a time.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import PurePath
from typing import Any

import numpy as np
from django.core.serializers.json import DjangoJSONEncoder

from common.uploads.names import clean_name
from detector.errors import DetectorError
from detector.models import DetectionSession
from video_analysis.services.analyses import options_as_data, options_of
from video_analysis.services.facts import all_events, all_tracks, file_facts
from video_analysis.services.files import require_done
from video_analysis.services.points import Chunk, Window, iterate_windows, stored_chunks
from vision.encoding.csv import escape_cell
from vision.encoding.motchallenge import motchallenge_line
from vision.structures.trajectories import Trajectory

CSV_COLUMNS = (
    *("track", "class_id", "class", "time", "x", "y", "width", "height", "confidence"),
    "detected",
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # spreadsheets take UTF-8 for the local code page without it
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".gif"))
ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class VideoExport:
    """A file to download: its pieces are made when they are asked for, once."""

    pieces: Iterator[bytes]
    media_type: str
    name: str


def export_video(session: DetectionSession, form: str) -> VideoExport:
    """Write the result of a video as a file.

    Args:
        session: A session over a video that is done.
        form: A key of ``EXPORTS``.

    Raises:
        DetectorError: ``unknown_format``.
        SessionConflictError: ``not_done`` when there is no result yet.
    """
    writer = EXPORTS.get(form)
    if writer is None:
        message = f"The format is one of {', '.join(EXPORTS)}."
        raise DetectorError("unknown_format", message, fields={"format": message})
    require_done(session)
    pieces, media_type, ending = writer(session)
    return VideoExport(iter(pieces), media_type, f"{stem_of(session.name)}{ending}")


Written = tuple[Iterable[bytes], str, str]


def _write_json(session: DetectionSession) -> Written:
    chunks = stored_chunks(session.video)
    return frames_json(_head(session), chunks), "application/json", ".json"


def _write_csv(session: DetectionSession) -> Written:
    return points_csv(stored_chunks(session.video)), "text/csv; charset=utf-8", ".csv"


def _write_mot(session: DetectionSession) -> Written:
    video = session.video
    rate = measured_rate(video.statistics, video.rate)
    return motchallenge(stored_chunks(video), rate=rate), "text/plain; charset=utf-8", "-mot.txt"


def _write_statistics(session: DetectionSession) -> Written:
    video = session.video
    head = {**_head(session), "statistics": video.statistics}
    written = json_document(head, tracks=all_tracks(video), events=all_events(video))
    return written, "application/json", "-statistics.json"


EXPORTS: Mapping[str, Callable[[DetectionSession], Written]] = {
    "json": _write_json,
    "csv": _write_csv,
    "mot": _write_mot,
    "statistics": _write_statistics,
}


def frames_json(head: Mapping[str, Any], chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """The log: for every frame that shows something, its time and the objects in it."""
    frames = chain.from_iterable(map(_frames, iterate_windows(chunks)))
    return json_document(head, frames=frames)


def points_csv(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """One row per point, track by track in the order in which they ended."""
    yield _TABLE_HEAD
    for chunk in chunks:
        for trajectory in chunk.unpack():
            yield from _table(trajectory)


def trajectory_csv(trajectory: Trajectory) -> Iterator[bytes]:
    """The same of one track."""
    yield _TABLE_HEAD
    yield from _table(trajectory)


def motchallenge(chunks: Iterable[Chunk], *, rate: float) -> Iterator[bytes]:
    """Results as the MOTChallenge wants them, by frame and track, frames from 1.

    The number of a frame is its time times the rate. Where frames come unevenly, two of them might
    get one number: then the later one, and if need be those after it, move on by one.
    """
    number = 0
    for window in iterate_windows(chunks):
        lines = []
        columns = (window.tracks, window.boxes, window.confidence)
        tracks, boxes, confidence = (column.tolist() for column in columns)
        for first, last in pairwise(window.starts.tolist()):
            number = max(number + 1, round(float(window.times[first]) * rate) + 1)
            lines += [
                motchallenge_line(number, tracks[at], boxes[at], confidence[at])
                for at in range(first, last)
            ]
        yield "".join(lines).encode()


def measured_rate(statistics: Mapping[str, Any], otherwise: float) -> float:
    """Frames per second as they came; those that could not be decoded count.

    Args:
        statistics: Of the whole video.
        otherwise: What its header says, for a video of which nothing is known.
    """
    frames = statistics.get("frames", 0) + statistics.get("frames_skipped", 0)
    duration = statistics.get("duration", 0.0)
    return float(frames / duration) if frames and duration else float(otherwise)


def _frames(window: Window) -> Iterator[dict[str, Any]]:
    boxes = left_top_size(window.boxes).tolist()
    tracks, times = window.tracks.tolist(), window.times.round(5).tolist()
    confidence = window.confidence.astype(np.float64).round(3).tolist()
    detected = window.detected.tolist()
    for first, last in pairwise(window.starts.tolist()):
        objects = []
        for at in range(first, last):
            class_id, name = window.kinds[tracks[at]]
            objects.append(
                {
                    "track": tracks[at],
                    "class": name,
                    "class_id": class_id,
                    "confidence": confidence[at],
                    "bbox": boxes[at],
                    "detected": detected[at],
                }
            )
        yield {"time": times[first], "objects": objects}


def _table(trajectory: Trajectory) -> Iterator[bytes]:
    return map(_csv, _batched(_rows(trajectory), ROWS_AT_ONCE))


def _rows(trajectory: Trajectory) -> Iterator[Sequence[Any]]:
    start = (trajectory.track_id, trajectory.class_id, escape_cell(trajectory.class_name))
    columns = zip(
        trajectory.times.tolist(),
        left_top_size(trajectory.boxes).tolist(),
        trajectory.confidence.tolist(),
        trajectory.detected.tolist(),
        strict=True,
    )
    for time, box, confidence, detected in columns:
        numbers = (f"{time:.5f}", *(f"{value:.2f}" for value in box), f"{confidence:.3f}")
        yield (*start, *numbers, int(detected))


def left_top_size(boxes: Any) -> Any:
    """Turn corners into left, top, width and height: (N, 4) float64 pixels."""
    corners = np.asarray(boxes, np.float64)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).round(2)


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


_TABLE_HEAD = BYTE_ORDER_MARK + _csv([CSV_COLUMNS])


def _head(session: DetectionSession) -> dict[str, Any]:
    return {
        "session": str(session.pk),
        "name": session.name,
        "created_at": session.created_at,
        "options": options_as_data(options_of(session)),
        "model": session.model,
        "backend": session.backend,
        "device": session.device,
        "precision": session.precision,
        "file": file_facts(session),
    }


def json_document(head: Mapping[str, Any], **lists: Iterable[Any]) -> Iterator[bytes]:
    """One JSON object: what is small as a whole, what is long entry by entry."""
    yield _dump(head)[:-1]
    for name, entries in lists.items():
        yield b',\n"%s":[' % name.encode()
        separator = b"\n"
        for some in _batched(entries, 200):
            yield separator + b",\n".join(map(_dump, some))
            separator = b",\n"
        yield b"]"
    yield b"}\n"


def _batched(entries: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(entries)
    while some := list(islice(rest, size)):
        yield some


def _dump(value: Any) -> bytes:
    return json.dumps(
        value, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False
    ).encode()


def stem_of(name: str) -> str:
    """The name of a session as that of a file, without the suffix of a video."""
    cleaned = clean_name(name.replace("/", "_").replace("\\", "_"))
    path = PurePath(cleaned)
    stem = path.stem if path.suffix.lower() in VIDEO_SUFFIXES else cleaned
    return stem[:120].strip(". ") or "video"

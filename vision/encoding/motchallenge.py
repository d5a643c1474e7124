"""Text files of the MOTChallenge: detections, ground truth and results, one box per line.

``frame, id, left, top, width, height, confidence, ...`` with frames from 1. In ground truth of
2016 and later the seventh value says whether the box counts, the eighth is its class and the ninth
how much of it can be seen (https://arxiv.org/abs/1603.00831, section 4); the files of 2015 end in
``-1, -1, -1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.structures.trajectories import Trajectory

__all__ = [
    "MotRows",
    "frames_of_rows",
    "motchallenge_line",
    "parse_motchallenge",
    "trajectories_to_motchallenge",
]

_FEWEST: Final = 6
_MOST: Final = 10
_LAST_FRAME: Final = 1_000_000
_FARTHEST: Final = 1e7


@dataclass(frozen=True, slots=True, eq=False)
class MotRows:
    """The lines of a file, in their order.

    Attributes:
        frames: (N,) int64, from 1.
        ids: (N,) int64; -1 for detections.
        boxes: (N, 4) float64, x1, y1, x2, y2 in pixels.
        confidence: (N,) float64: what the seventh value says; 1 where there is none.
        classes: (N,) int64: the eighth value; -1 where there is none.
        visibility: (N,) float64: the ninth value; -1 where there is none.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    confidence: NDArray[np.float64]
    classes: NDArray[np.int64]
    visibility: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)

    def where(self, kept: NDArray[np.bool_]) -> "MotRows":
        """Return some of the lines."""
        return MotRows(
            self.frames[kept],
            self.ids[kept],
            self.boxes[kept],
            self.confidence[kept],
            self.classes[kept],
            self.visibility[kept],
        )


def parse_motchallenge(text: str) -> MotRows:
    """Read a file; empty lines are skipped, and values may be apart by commas or white space.

    Raises:
        VisionError: ``bad_motchallenge``, with the number of the line.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            rows.append(_parse_line(line, number))
    table = np.array(rows, np.float64).reshape(-1, _MOST - 1)
    boxes = table[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    return MotRows(
        frames=table[:, 0].astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        boxes=boxes,
        confidence=table[:, 6],
        classes=table[:, 7].astype(np.int64),
        visibility=table[:, 8],
    )


def frames_of_rows(rows: MotRows, frames: int | None = None) -> list[sv.Detections]:
    """Return the detections of each frame, from the first to the last.

    Args:
        rows: As `parse_motchallenge` reads them.
        frames: How many frames there are; by default as far as the rows go.

    Returns:
        Detections with confidence, class 0 and ``tracker_id``, where the file has ids.
    """
    last = int(rows.frames.max()) if len(rows) else 0
    count = last if frames is None else frames
    order = np.argsort(rows.frames, kind="stable")
    bounds = np.searchsorted(rows.frames[order], np.arange(1, count + 2))
    return [_detections(rows, order[start:stop]) for start, stop in pairwise(bounds.tolist())]


def trajectories_to_motchallenge(trajectories: Sequence[Trajectory], *, rate: float) -> str:
    """Return trajectories as results, ordered by frame and track.

    Args:
        trajectories: Paths of one source.
        rate: Frames per second; the frame of a point is its time times the rate, from 1. Where two
            points of a track fall on one frame, the first is written.
    """
    lines: list[tuple[int, int, str]] = []
    for trajectory in trajectories:
        numbers = np.rint(trajectory.times * rate).astype(np.int64) + 1
        _, firsts = np.unique(numbers, return_index=True)
        for at in firsts.tolist():
            number, score = int(numbers[at]), float(trajectory.confidence[at])
            text = motchallenge_line(
                number, trajectory.track_id, trajectory.boxes[at].tolist(), score
            )
            lines.append((number, trajectory.track_id, text))
    return "".join(text for _, _, text in sorted(lines, key=lambda item: item[:2]))


def _parse_line(line: str, number: int) -> list[float]:
    cells = line.split(",") if "," in line else line.split()
    while cells and not cells[-1].strip():
        cells.pop()
    if not _FEWEST <= len(cells) <= _MOST:
        raise _bad(number, f"has {len(cells)} values, not {_FEWEST} to {_MOST}")
    try:
        values = [float(cell) for cell in cells[: _MOST - 1]]
    except ValueError as error:
        raise _bad(number, "has something that is no number") from error
    values += [1.0, -1.0, -1.0][len(values) - _FEWEST :]
    if not np.isfinite(values).all():
        raise _bad(number, "has a number that is not finite")
    _check(values, number)
    return values


def _check(values: list[float], number: int) -> None:
    frame, track = values[:2]
    if frame != int(frame) or track != int(track):
        raise _bad(number, "has a frame or an id that is no whole number")
    if not 1 <= frame <= _LAST_FRAME:
        raise _bad(number, f"has frame {frame:g}; frames are 1 to {_LAST_FRAME}")
    if max(abs(value) for value in values[1:]) > _FARTHEST:
        raise _bad(number, "has a number that is too large")
    if min(values[4:6]) < 0:
        raise _bad(number, "has a box with a negative size")


def _bad(number: int, what: str) -> VisionError:
    return VisionError("bad_motchallenge", f"Line {number} {what}.")


def _detections(rows: MotRows, at: NDArray[np.int64]) -> sv.Detections:
    ids = rows.ids[at]
    return sv.Detections(
        xyxy=rows.boxes[at].astype(np.float32),
        confidence=rows.confidence[at].astype(np.float32),
        class_id=np.zeros(len(at), np.int64),
        tracker_id=ids if len(ids) and (ids >= 0).all() else None,
    )


def motchallenge_line(frame: int, track: int, box: Sequence[float], score: float) -> str:
    """Return one box of a track's results as a line: frame from 1, box as xyxy pixels."""
    x1, y1, x2, y2 = box
    return f"{frame},{track},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1\n"

"""Folders of the MOTChallenge: detections, ground truth and pictures of sequences."""

import configparser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.encoding.motchallenge import MotRows, frames_of_rows, parse_motchallenge
from vision.errors import VisionError
from vision.structures import Frame

__all__ = ["MotSequence", "read_sequences"]

_DEFAULT_RATE: Final = 25.0
_LARGEST_FILE: Final = 256 * 1024 * 1024
_PICTURES: Final = (".jpg", ".jpeg", ".png")
_VIDEOS: Final = (".mp4", ".avi", ".mkv", ".mov", ".webm")
# https://motchallenge.net: 1 is a pedestrian; these are neither right nor wrong to find.
_PEDESTRIAN: Final = 1
_IGNORED: Final = (2, 7, 8, 12)
_BLANK: Final = np.zeros((16, 16, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class MotSequence:
    """One sequence of a folder.

    Attributes:
        name: The folder's.
        rate: Frames per second.
        frames: How many there are, as far as the text files and pictures tell.
        detections: Public detections per frame; None without det/det.txt.
        truth: Ground truth per frame; None without gt/gt.txt.
        ignored: Boxes per frame that are neither right nor wrong; None without gt/gt.txt.
        pictures: Files of the frames, in order; may be empty.
        video: The sequence as one file, where there are no pictures.
    """

    name: str
    rate: float
    frames: int
    detections: list[sv.Detections] | None
    truth: list[sv.Detections] | None
    ignored: list[NDArray[np.float32]] | None
    pictures: tuple[Path, ...]
    video: Path | None

    @property
    def has_pictures(self) -> bool:
        """Whether the frames can be looked at."""
        return bool(self.pictures) or self.video is not None

    def blank_frames(self, count: int | None = None) -> Iterator[Frame]:
        """Yield the frames' times, with a small black picture each.

        Args:
            count: How many; by default all that are known. Those of a video are not.
        """
        for index in range(self.frames if count is None else count):
            yield self._frame(_BLANK, index)

    def read_frames(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises:
            VisionError: ``no_pictures``, or what is wrong with a file.
        """
        if self.pictures:
            from vision.sources.pictures import decode_picture

            for index, path in enumerate(self.pictures[: self.frames or None]):
                yield self._frame(decode_picture(path.read_bytes()), index)
        elif self.video is not None:
            from vision.sources.videos import open_video

            with open_video(self.video) as video:
                yield from video
        else:
            raise VisionError(
                "no_pictures",
                f"{self.name} has neither pictures in img1/ nor a video {self.name}.mp4.",
            )

    def _frame(self, image: NDArray[np.uint8], index: int) -> Frame:
        return Frame(image, index, index / self.rate, datetime.now(UTC), self.name)


def read_sequences(folder: Path) -> list[MotSequence]:
    """Read a sequence, or a folder of sequences, by name.

    Raises:
        VisionError: ``no_sequences``, ``bad_motchallenge`` or ``bad_seqinfo``; the message names
            the file.
    """
    if not folder.is_dir():
        raise VisionError("no_sequences", f"{folder} is no folder.")
    if _is_sequence(folder):
        return [_read_sequence(folder)]
    found = [_read_sequence(path) for path in sorted(folder.iterdir()) if _is_sequence(path)]
    if not found:
        raise VisionError(
            "no_sequences",
            f"{folder} has no sequences: folders with det/det.txt, gt/gt.txt, img1/ or a video.",
        )
    return found


def _is_sequence(folder: Path) -> bool:
    parts = ("det/det.txt", "gt/gt.txt", "img1")
    if not folder.is_dir():
        return False
    known = any((folder / part).exists() for part in parts)
    return known or _video(folder, folder.resolve().name) is not None


def _read_sequence(folder: Path) -> MotSequence:
    name = folder.resolve().name
    detections = _read_rows(folder / "det" / "det.txt")
    truth = _read_rows(folder / "gt" / "gt.txt")
    info = _read_info(folder / "seqinfo.ini")
    pictures = _pictures(folder / info.get("imDir", "img1"))
    video = None if pictures else _video(folder, name)
    frames = max(
        _whole(info, "seqLength", folder),
        len(pictures),
        *(int(rows.frames.max(initial=0)) for rows in (detections, truth) if rows is not None),
        0,
    )
    return MotSequence(
        name=name,
        rate=_rate(info, video, folder),
        frames=frames,
        detections=None if detections is None else frames_of_rows(detections, frames),
        truth=None if truth is None else frames_of_rows(_counting(truth), frames),
        ignored=None if truth is None else _boxes(_distractors(truth), frames),
        pictures=pictures,
        video=video,
    )


def _read_rows(path: Path) -> MotRows | None:
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST_FILE:
            raise VisionError("bad_motchallenge", f"{path} is too large.")
        return parse_motchallenge(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise VisionError("bad_motchallenge", f"{path} cannot be read as text.") from error
    except VisionError as error:
        raise VisionError(error.code, f"{path}: {error.message}") from error


def _counting(rows: MotRows) -> MotRows:
    """Ground truth that counts: not marked 0 and, where there are classes, a pedestrian."""
    pedestrian = np.isin(rows.classes, (-1, _PEDESTRIAN))
    return rows.where((rows.confidence != 0) & pedestrian)


def _distractors(rows: MotRows) -> MotRows:
    return rows.where(np.isin(rows.classes, _IGNORED))


def _boxes(rows: MotRows, frames: int) -> list[NDArray[np.float32]]:
    return [np.asarray(detections.xyxy, np.float32) for detections in frames_of_rows(rows, frames)]


def _read_info(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise VisionError("bad_seqinfo", f"{path} cannot be read.") from error
    return dict(parser["Sequence"]) if parser.has_section("Sequence") else {}


def _whole(info: dict[str, str], key: str, folder: Path) -> int:
    text = info.get(key, "0")
    if not text.isascii() or not text.isdecimal() or int(text) > 1_000_000:
        raise VisionError("bad_seqinfo", f"{folder / 'seqinfo.ini'} has a {key} of {text!r}.")
    return int(text)


def _rate(info: dict[str, str], video: Path | None, folder: Path) -> float:
    text = info.get("frameRate")
    if text is None and video is not None:
        from vision.sources.videos import inspect_video

        return inspect_video(video)[0].rate or _DEFAULT_RATE
    try:
        rate = _DEFAULT_RATE if text is None else float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1000:
        raise VisionError("bad_seqinfo", f"{folder / 'seqinfo.ini'} has a frameRate of {text!r}.")
    return rate


def _pictures(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES))


def _video(folder: Path, name: str) -> Path | None:
    for suffix in _VIDEOS:
        path = folder / f"{name}{suffix}"
        if path.is_file():
            return path
    return None

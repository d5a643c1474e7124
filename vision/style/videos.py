"""Whole videos in a style, frame by frame, with their sound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.encoding.video import VideoWriter, finish_video
from vision.sources.videos import VideoError, VideoLimits, VideoSource, open_video
from vision.style.framing import reduce_picture
from vision.style.protocol import Stylizer

__all__ = ["OnFrame", "StylizedVideo", "VideoProgress", "stylize_video"]

_LIMITS: Final = VideoLimits()


@dataclass(frozen=True, slots=True, eq=False)
class VideoProgress:
    """How far a video has come.

    Attributes:
        frames: Done.
        total: As its header says, at least ``frames``; 0 when it says nothing.
        frames_per_second: On average so far.
        image: The newest painted frame, (H, W, 3) uint8 BGR; not to be changed.
    """

    frames: int
    total: int
    frames_per_second: float
    image: NDArray[np.uint8]


OnFrame = Callable[[VideoProgress], bool | None]
"""Called after every frame. False ends the work, and so does whatever it raises."""


@dataclass(frozen=True, slots=True)
class StylizedVideo:
    """What has become of a video.

    Attributes:
        frames: Painted.
        skipped: That could not be decoded.
        width: Pixels of the new video.
        height: Pixels of the new video.
        seconds: How long it took.
        sound: Whether the sound came along; None where there was none.
        stopped: Whether a callback ended it: then there is no file.
        model: What painted it.
    """

    frames: int
    skipped: int
    width: int
    height: int
    seconds: float
    sound: bool | None
    stopped: bool
    model: str


def stylize_video(
    source: Path,
    target: Path,
    stylizer: Stylizer,
    *,
    longer_side: int | None = None,
    on_progress: OnFrame | None = None,
    on_wait: Callable[[], None] = lambda: None,
    limits: VideoLimits = _LIMITS,
    isolated: bool = True,
) -> StylizedVideo:
    """Paint every frame of a video in a stylizer's one style: H.264 in MP4, playable at once.

    Args:
        source: The video.
        target: Where to write; it appears when it is complete, and an existing file is replaced.
            What is stopped or fails leaves nothing.
        stylizer: Needs no picture of a style, as `FeedForwardStylizer`.
        longer_side: Pixels to which larger frames are reduced.
        on_progress: See `OnFrame`.
        on_wait: Called now and then while the sound is joined to the pictures; what it raises
            ends the work.
        limits: What is accepted.
        isolated: Decode in a child process with limits; False only for a file that is trusted.

    Raises:
        VideoError: The file is no video that is accepted, or not one frame of it can be read.
        PictureError: ``too_small``.
        ModelError: ``out_of_memory``.
        OSError: The target cannot be written.
    """
    with open_video(source, limits=limits, isolated=isolated) as frames:
        run = _Run(frames, target, stylizer, longer_side, on_progress)
        try:
            return run.finish(source, on_wait)
        finally:
            run.discard()


@dataclass(slots=True)
class _Run:
    """One video on its way; owns the file that is being written."""

    source: VideoSource
    target: Path
    stylizer: Stylizer
    longer_side: int | None
    on_progress: OnFrame | None
    began: float = field(default_factory=time.perf_counter)
    done: int = 0
    part: Path = field(init=False)
    writer: VideoWriter | None = None

    def __post_init__(self) -> None:
        self.part = self.target.with_name(f".{self.target.name}.part.mp4")

    def finish(self, original: Path, on_wait: Callable[[], None]) -> StylizedVideo:
        """Take every frame through, and put the video in its place."""
        image = np.empty((0, 0, 3), np.uint8)
        for frame in self.source:
            reduced = reduce_picture(frame.image, self.longer_side)
            image = self.stylizer.stylize(reduced, None).image
            self._write(image, frame.timestamp)
            if self._is_stopped(image):
                return self._result(image, sound=None, stopped=True)
        if self.writer is None:
            raise VideoError("damaged_video", "The video holds no frames.")
        self.writer.close(self.source.end)
        sound = finish_video(self.part, original, self.target, on_wait=on_wait)
        return self._result(image, sound=sound, stopped=False)

    def discard(self) -> None:
        """Remove what is only half a video; the finished one is elsewhere."""
        if self.writer is not None:
            self.writer.abort()
        self.part.unlink(missing_ok=True)

    def _write(self, image: NDArray[np.uint8], timestamp: float) -> None:
        if self.writer is None:  # only now is it known how large the stylizer makes them
            height, width = image.shape[:2]
            rate = self.source.info.rate
            self.writer = VideoWriter(self.part, width=width, height=height, rate=rate)
        self.writer.write(image, timestamp)
        self.done += 1

    def _is_stopped(self, image: NDArray[np.uint8]) -> bool:
        if self.on_progress is None:
            return False
        total = self.source.info.frames
        rate = self.done / max(1e-6, time.perf_counter() - self.began)
        told = VideoProgress(self.done, max(total, self.done) if total else 0, rate, image)
        return self.on_progress(told) is False

    def _result(
        self, image: NDArray[np.uint8], *, sound: bool | None, stopped: bool
    ) -> StylizedVideo:
        return StylizedVideo(
            frames=self.done,
            skipped=self.source.skipped,
            width=image.shape[1],
            height=image.shape[0],
            seconds=time.perf_counter() - self.began,
            sound=sound,
            stopped=stopped,
            model=self.stylizer.model,
        )

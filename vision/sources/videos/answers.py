"""What a decoding child says, believed only where it can be true.

The child parses a hostile file and may have been taken over by it. Whatever it says is checked
here, in the calling process, without libav.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final

from vision.sources.videos.info import VIDEO_CODECS, VideoError, VideoInfo, VideoLimits
from vision.sources.videos.limits import check_claims, check_progress, check_size, end_of
from vision.sources.videos.process import Message
from vision.sources.videos.signatures import Container

_PIXEL_FORMAT: Final = re.compile(r"[a-z0-9_]{1,32}")
_ROTATIONS: Final = (0, 90, 180, 270)
_MOST_SKIPPED: Final = 1 << 31
_SLACK: Final = 1e-6  # seconds


class AnswerChecker:
    """Checks the answers of one child, from the first to the last.

    What an honest child cannot say raises ``decoder_failed``: it judges the limits itself, so an
    answer beyond them is a lie as well.

    Args:
        kind: The container that the file's signature tells.
        limits: What is accepted.
    """

    def __init__(self, kind: Container, limits: VideoLimits) -> None:
        self._kind = kind
        self._limits = limits
        self._given = 0
        self._last = 0.0
        self._skipped = 0

    def info(self, message: Message) -> VideoInfo:
        """Return what the child says about the video."""
        values = message.get("info")
        kinds: dict[str, Any] = {field.name: field.type for field in fields(VideoInfo)}
        if not isinstance(values, dict) or values.keys() != kinds.keys():
            raise nonsense()
        info = VideoInfo(**{name: _typed(values[name], kinds[name]) for name in kinds})
        _check_names(info, self._kind)
        if min(info.width, info.height) < 1 or info.rotation not in _ROTATIONS:
            raise nonsense()
        if info.rate <= 0 or info.duration < 0 or info.frames < 0:
            raise nonsense()
        with _a_refusal_is_a_lie():
            check_size(info.width, info.height, self._limits)
            check_claims(
                duration=info.duration, frames=info.frames, rate=info.rate, limits=self._limits
            )
        return info

    def skipped(self, message: Message) -> int:
        """Return how many frames were left out so far."""
        skipped: int = _typed(message.get("skipped"), int)
        if not self._skipped <= skipped <= _MOST_SKIPPED:
            raise nonsense()
        self._skipped = skipped
        return skipped

    def slot(self, message: Message, slots: int) -> int:
        """Return where the next picture lies."""
        slot: int = _typed(message.get("slot"), int)
        if not 0 <= slot < slots:
            raise nonsense()
        return slot

    def timestamp(self, message: Message) -> float:
        """Return the time of the next picture; they start at 0.0 and increase."""
        timestamp: float = _typed(message.get("timestamp"), float)
        follows = timestamp > self._last if self._given else timestamp == 0.0
        if not follows:
            raise nonsense()
        with _a_refusal_is_a_lie():
            check_progress(self._given, timestamp, self._limits)
        self._given += 1
        self._last = timestamp
        return timestamp

    def end(self, message: Message, info: VideoInfo) -> float:
        """Return the seconds at which the last picture stops being shown."""
        end: float = _typed(message.get("end"), float)
        shortest = end_of(self._last, 0.0, info, self._limits)
        longest = end_of(self._last, math.inf, info, self._limits)
        if not self._given or not shortest - _SLACK <= end <= longest + _SLACK:
            raise nonsense()
        return end

    def truncated(self, message: Message) -> bool:
        """Return whether the video ends earlier than it says."""
        truncated: bool = _typed(message.get("truncated"), bool)
        return truncated


def nonsense() -> VideoError:
    """Return the error of an answer that cannot be true."""
    return VideoError(
        "decoder_failed",
        "The process that decodes the video answered nonsense. The file may be damaged.",
    )


def _check_names(info: VideoInfo, kind: Container) -> None:
    said = (info.container, info.media_type, info.extension)
    if said != (kind.name, kind.media_type, kind.extension):
        raise nonsense()
    if info.codec not in VIDEO_CODECS or not _PIXEL_FORMAT.fullmatch(info.pixel_format):
        raise nonsense()


def _typed(value: Any, kind: Any) -> Any:
    """Return a value of exactly this type; a whole number, finite like any, may be a float."""
    if kind is float and type(value) is int and abs(value) < 1 << 53:
        value = float(value)
    if type(value) is not kind:
        raise nonsense()
    if kind is float and not math.isfinite(value):
        raise nonsense()
    return value


@contextmanager
def _a_refusal_is_a_lie() -> Iterator[None]:
    try:
        yield
    except VideoError as error:
        raise nonsense() from error

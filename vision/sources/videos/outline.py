"""What a video's headers claim about its length and rate, made plausible."""

import math
import re
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import av.container
import av.error
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from vision.sources.videos.demuxing import choose_stream, open_file
from vision.sources.videos.info import VideoLimits
from vision.sources.videos.signatures import AVI, Container

# Matroska tells the length of a single stream in a tag; its header's is that of the longest one.
_TAGGED_DURATION: Final = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,12})?)")
_SCAN_SECONDS: Final = 5.0
_FALLBACK_RATE: Final = 25.0
_SAMPLE: Final = 300  # packets whose distances tell the rate
_SAMPLE_SECONDS: Final = 1.0
_EVEN: Final = 0.1  # share by which the rates of an even video may differ


@dataclass(frozen=True, slots=True)
class Outline:
    """Seconds, frames (0: unknown), and frames per second while it moves."""

    duration: float
    frames: int
    rate: float


def outline_of(
    path: Path,
    kind: Container,
    opened: av.container.InputContainer,
    stream: VideoStream,
    limits: VideoLimits,
) -> Outline:
    """Return what the headers of an open video say; where they are silent, its packets.

    Raises:
        VideoError: The file cannot be opened again.
    """
    duration = _claimed_duration(opened, stream)
    # A frame takes at least a byte: a count beyond that is a lie and not believed.
    frames = stream.frames if 0 < stream.frames <= path.stat().st_size else 0
    if duration <= 0:
        duration, frames = _scan(path, kind, limits)
    average = frames / duration if frames > 1 and duration > 0 else _FALLBACK_RATE
    rate = _claimed_rate(stream) or average
    if kind is AVI and stream.time_base:
        # Its tick is one frame. libav takes the length from the bytes that are there, the header
        # knows what should be.
        rate = float(1 / stream.time_base)
        duration = max(duration, frames / rate)
    elif not _is_even(stream):
        rate = _typical_rate(path, stream, limits) or rate
    expected = math.ceil(duration * rate)
    # A cut by an edit list shows fewer frames than the table counts.
    return Outline(duration, min(frames, expected) if frames else expected, rate)


def _claimed_duration(opened: av.container.InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    tagged = _TAGGED_DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if tagged is not None:
        hours, minutes, seconds = tagged.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return max(0.0, (opened.duration or 0) / 1_000_000)


def _claimed_rate(stream: VideoStream) -> float | None:
    """Return the stream's own rate, unless it is only the tick of its clock."""
    tick = float(1 / stream.time_base) if stream.time_base else 0.0
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < float(rate) < max(tick, 1.0):
            return float(rate)
    return None


def _is_even(stream: VideoStream) -> bool:
    """Whether the average rate is that of single frames: not with a last one that stays."""
    average, single = stream.average_rate, stream.guessed_rate
    return bool(average and single and abs(average / single - 1) <= _EVEN)


def _typical_rate(path: Path, stream: VideoStream, limits: VideoLimits) -> float | None:
    """Return the rate that follows from the median distance of the first frames.

    None where there are too few, or they are so close that the times are no rate. Where the stream
    claims nearly the same its claim is taken: times are often rounded to milliseconds.
    """
    give_up = time.monotonic() + _SAMPLE_SECONDS
    times: list[float] = []
    with closing(_timed(path, limits)) as packets:
        for seconds, _ in islice(packets, _SAMPLE):
            times.append(seconds)
            if time.monotonic() > give_up:
                break
    gaps = np.diff(np.unique(times))  # decoding order is not that of showing
    if len(gaps) < 2:
        return None
    rate = 1 / float(np.median(gaps))
    if rate > limits.max_rate:
        return None
    claims = [float(claim) for claim in (stream.guessed_rate, stream.average_rate) if claim]
    return next((claim for claim in claims if abs(claim / rate - 1) <= _EVEN), rate)


def _scan(path: Path, kind: Container, limits: VideoLimits) -> tuple[float, int]:
    """Find seconds and frames by walking over the packets, where headers are silent.

    Recordings that a browser makes have no duration. What a few seconds of reading do not reach
    is extrapolated from the bytes.
    """
    first: float | None = None
    last, end, count, position = 0.0, 0.0, 0, 0
    give_up = time.monotonic() + _SCAN_SECONDS
    reached_end = True
    with closing(_timed(path, limits)) as packets:
        for seconds, packet in packets:
            first = seconds if first is None else min(first, seconds)
            last, count = max(last, seconds), count + 1
            end = max(end, seconds + float((packet.duration or 0) * packet.time_base))
            position = max(position, packet.pos or 0)
            if time.monotonic() > give_up or count > limits.max_frames:
                reached_end = False
                break
    if first is None or count < 2:
        return 0.0, count
    span = end - first if end > last else (last - first) * count / (count - 1)
    share = 1.0 if reached_end or position <= 0 else min(1.0, position / path.stat().st_size)
    return span / share, round(count / share)


def _timed(path: Path, limits: VideoLimits) -> Generator[tuple[float, "Packet[VideoStream]"]]:
    """Open a video once more and give its packets with their seconds, as far as they can be read.

    The end of what can be read is the end that counts here.
    """
    _, opened = open_file(path, limits)
    with opened:
        try:
            for packet in opened.demux(choose_stream(opened)):
                if packet.size and packet.pts is not None:
                    yield float(packet.pts * packet.time_base), packet
        except av.error.FFmpegError:
            return

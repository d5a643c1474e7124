"""The sound of an original video, cut and shifted to go with pictures that start at 0.0."""

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av.container
import av.error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream

from vision.errors import VisionError
from vision.sources.videos.confinement import allow_more_work
from vision.sources.videos.decoding import VideoDecoder
from vision.sources.videos.demuxing import open_file
from vision.sources.videos.info import VideoLimits

logger = logging.getLogger(__name__)

Heard = tuple[float, "Packet[Stream]"]  # seconds, packet

_COPIED: Final = frozenset({"aac", "mp3"})
_DECODED: Final = frozenset(
    {
        *("aac", "mp3", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "amrnb", "amrwb", "mp2"),
        *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le", "pcm_u8", "pcm_alaw", "pcm_mulaw"),
    }
)
_RATES: Final = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
_BIT_RATE: Final = 128_000
_ALLOWANCE: Final = 256  # packets
_ANY_LENGTH: Final = VideoLimits(
    max_bytes=1 << 40, max_seconds=1e9, max_frames=1 << 40, max_rate=1e6
)


class UnreadableSoundError(Exception):
    """There may be sound, but it cannot be read."""


class Sound:
    """One audio stream on the time line of the pictures.

    Args:
        file: The original, open; closed by ``close``.
        stream: Its audio stream.
        origin: Seconds of the original at which the pictures start.
        duration: Seconds of the pictures.

    Attributes:
        heard: Whether any packet has been given.
    """

    def __init__(
        self,
        file: av.container.InputContainer,
        stream: AudioStream,
        *,
        origin: float,
        duration: float,
    ) -> None:
        self._file = file
        self._stream = stream
        self._origin = origin
        self._duration = duration
        self.heard = False

    def packets(self, output: av.container.OutputContainer) -> Iterator[Heard]:
        """Add a stream to the output, at once, and return its packets in order of time.

        The packets end where the sound breaks off.
        """
        if self._stream.codec_context.codec.canonical_name in _COPIED:
            return self._noted(self._copy(output.add_stream_from_template(self._stream)))
        return self._noted(self._encode(self._add_encoder(output)))

    def close(self) -> None:
        """Close the original."""
        self._file.close()

    def _noted(self, packets: Iterator[Heard]) -> Iterator[Heard]:
        for packet in packets:
            self.heard = True
            yield packet

    def _copy(self, heard: AudioStream) -> Iterator[Heard]:
        for seconds, packet in self._read():
            base = packet.time_base
            shift = round(self._origin / base)
            if seconds >= 0:
                packet.pts = cast(int, packet.pts) - shift
                packet.dts = packet.pts
                packet.stream = heard
                yield seconds, cast("Packet[Stream]", packet)

    def _encode(self, heard: AudioStream) -> Iterator[Heard]:
        context = heard.codec_context
        resampler = AudioResampler(
            format="fltp", layout=context.layout, rate=context.sample_rate, frame_size=1024
        )
        for frame in self._frames():
            for part in resampler.resample(frame):
                yield from _timed(heard.encode(part))
        for part in resampler.resample(None):
            yield from _timed(heard.encode(part))
        yield from _timed(heard.encode(None))

    def _frames(self) -> Iterator[AudioFrame]:
        """Decode; what cannot be decoded is left out."""
        for _, packet in self._read():
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError):
                continue
            for frame in frames:
                if self._place(frame):
                    yield frame

    def _place(self, frame: AudioFrame) -> bool:
        """Move a frame to the pictures' time line; False for one that is not on it."""
        if frame.pts is None or frame.time_base is None:
            return False
        seconds = float(frame.pts * frame.time_base) - self._origin
        if not 0 <= seconds < self._duration:
            return False
        frame.pts = round(seconds * frame.sample_rate)
        frame.time_base = Fraction(1, frame.sample_rate)
        return True

    def _add_encoder(self, output: av.container.OutputContainer) -> AudioStream:
        context = self._stream.codec_context
        rate = next((r for r in _RATES if r <= context.sample_rate), _RATES[-1])
        heard = output.add_stream("aac", rate=rate)
        heard.codec_context.layout = "mono" if context.channels == 1 else "stereo"
        heard.codec_context.bit_rate = _BIT_RATE
        return heard

    def _read(self) -> Iterator[tuple[float, "Packet[AudioStream]"]]:
        """Give the packets up to the end of the pictures, or of what can be read."""
        last = -float("inf")
        try:
            for number, packet in enumerate(self._file.demux(self._stream)):
                if number % _ALLOWANCE == 0:
                    allow_more_work()
                if packet.size == 0 or packet.pts is None or packet.is_corrupt:
                    continue
                seconds = float(packet.pts * packet.time_base) - self._origin
                if seconds >= self._duration:
                    return
                if seconds > last:
                    last = seconds
                    yield seconds, packet
        except av.error.FFmpegError:
            logger.info("the sound breaks off after %.1f s", last)


def open_sound(original: Path, duration: float) -> Sound | None:
    """Find the sound of a video; None when there is none.

    Args:
        original: The file that the pictures came from.
        duration: Seconds of the pictures.

    Raises:
        UnreadableSoundError: The file cannot be read, or its sound is in no known codec.
    """
    try:
        origin = _first_frame_time(original)
        _, file = open_file(original, _ANY_LENGTH)
    except (VisionError, av.error.FFmpegError, OSError) as error:
        raise UnreadableSoundError(str(error)) from error
    stream = next(iter(_usable(file.streams.audio)), None)
    if stream is None:
        count = len(file.streams.audio)
        file.close()
        if count:
            raise UnreadableSoundError("its codec is not known")
        return None
    return Sound(file, stream, origin=origin, duration=duration)


def _first_frame_time(original: Path) -> float:
    decoder = VideoDecoder(original, _ANY_LENGTH)
    decoder.close()
    return decoder.origin


def _usable(streams: Iterable[AudioStream]) -> Iterator[AudioStream]:
    for stream in streams:
        context = stream.codec_context
        if context is not None and context.codec.canonical_name in _DECODED:
            yield stream


def _timed(packets: Iterable["Packet[AudioStream]"]) -> Iterator[Heard]:
    for packet in packets:
        seconds = float((packet.pts or 0) * packet.time_base)
        yield seconds, cast("Packet[Stream]", packet)

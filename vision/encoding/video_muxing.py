"""The process that finishes a video for its parent: ``python -m vision.encoding.video_muxing``."""

import logging
import sys
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Final, cast

import av
import av.container
import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vision.encoding.video_sound import Sound, UnreadableSoundError, open_sound
from vision.errors import VisionError
from vision.sources.videos.confinement import allow_more_work, confine
from vision.sources.videos.demuxing import choose_stream, open_file
from vision.sources.videos.info import VideoError, VideoLimits, out_of_memory
from vision.sources.videos.process import Message, Orders, ParentGoneError

logger = logging.getLogger(__name__)

_LARGEST_FILE: Final = 1 << 40  # the disk is the limit
_OWN_LIMITS: Final = VideoLimits(max_bytes=_LARGEST_FILE)
_ALLOWANCE: Final = 256  # packets

Timed = tuple[float, "Packet[Stream]"]  # seconds, packet


def main() -> int:
    """Serve one parent, once."""
    orders = Orders()
    try:
        order = orders.receive()
        confine(memory=order["memory"], file_bytes=_LARGEST_FILE)
        orders.send(_answer(order))
    except ParentGoneError:
        return 1
    return 0


def _answer(order: Message) -> Message:
    original = order["original"]
    try:
        kept = join(Path(order["written"]), original and Path(original), Path(order["target"]))
    except VisionError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except MemoryError:
        refusal = out_of_memory()
        return {"error": {"code": refusal.code, "message": refusal.message}}
    except OSError as error:
        return {"os_error": error.errno}
    return {"done": True, "sound": kept}


def join(written: Path, original: Path | None, target: Path) -> bool | None:
    """Copy the pictures of one file and the sound of another into an MP4 file.

    Returns:
        Whether the sound came along, at least up to where it breaks off; None when there is none.

    Raises:
        VideoError: ``written`` cannot be read.
        OSError: The target cannot be written.
    """
    _, pictures = open_file(written, _OWN_LIMITS)
    with pictures:
        stream = choose_stream(pictures)
        duration = _duration(stream)
        try:
            sound = open_sound(original, duration) if original is not None else None
        except UnreadableSoundError as error:
            logger.warning("no sound: %s", error)
            _write(pictures, stream, None, target)
            return False
        try:
            _write(pictures, stream, sound, target)
        finally:
            if sound is not None:
                sound.close()
    return None if sound is None else sound.heard


def _write(
    pictures: av.container.InputContainer, stream: VideoStream, sound: Sound | None, target: Path
) -> None:
    with av.open(f"file:{target}", "w", format="mp4", options={"movflags": "+faststart"}) as output:
        shown = output.add_stream_from_template(stream)
        parts = [_copy(pictures, stream, shown)]
        if sound is not None:
            parts.append(sound.packets(output))
        for number, (_, packet) in enumerate(merge(*parts, key=lambda timed: timed[0])):
            if number % _ALLOWANCE == 0:
                allow_more_work()
            output.mux_one(packet)


def _copy(
    pictures: av.container.InputContainer, stream: VideoStream, shown: VideoStream
) -> Iterator[Timed]:
    try:
        for packet in pictures.demux(stream):
            if packet.dts is None:
                continue
            seconds = float(packet.dts * packet.time_base)
            packet.stream = shown
            yield seconds, cast("Packet[Stream]", packet)
    except av.error.InvalidDataError as error:
        raise VideoError("damaged_video", "The written video cannot be read back.") from error


def _duration(stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    raise VideoError("damaged_video", "The written video has no length.")


if __name__ == "__main__":
    sys.exit(main())

"""Videos and lookalikes of every awkward kind, made when a test asks for them."""

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64
# BGR of the four quarters: they tell every orientation and channel order apart.
RED, GREEN, BLUE, GREY = (40, 40, 210), (50, 190, 40), (200, 70, 50), (128, 128, 128)
Image = NDArray[np.uint8]


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image:
    """Four patches: red and green above, blue and grey below."""
    image = np.empty((height, width, 3), np.uint8)
    image[:] = GREY
    image[: height // 2, : width // 2] = RED
    image[: height // 2, width // 2 :] = GREEN
    image[height // 2 :, : width // 2] = BLUE
    return image


def corners(image: Image) -> Image:
    """(4, 3) BGR colours in the middle of the four patches, in reading order."""
    height, width = image.shape[:2]
    spots = [(y, x) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return np.array([image[spot] for spot in spots], np.uint8)


def noise(frames: int, width: int = WIDTH, height: int = HEIGHT) -> list[Image]:
    """Pictures that do not compress, so that cutting their file anywhere hurts."""
    random = np.random.default_rng(5)
    return [random.integers(0, 256, (height, width, 3), np.uint8) for _ in range(frames)]


def write_clip(
    path: Path,
    *,
    codec: str = "libx264",
    images: Sequence[Image] | None = None,
    times: Iterable[float] | None = None,
    frames: int = 12,
    rate: int = 12,
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    full_range: bool = False,
    matrix: int | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    sound: str | None = None,
    sound_start: float = 0.0,
    sound_length: float | None = None,
) -> Path:
    """Write a video; its container follows from the name.

    Args:
        times: Seconds of every frame; evenly spaced by ``rate`` otherwise.
        rotation: Degrees clockwise that a player must turn the picture.
        matrix: libav's number of the colour matrix, which is also written into the file.
        aspect: Width of a pixel by its height; square where it is not given.
        sound: A codec for a tone of 440 Hz that lasts as long as the pictures.
        sound_start: Seconds at which the tone starts.
        sound_length: Seconds of the tone, if it does not end with the pictures.
    """
    images = [scene()] * frames if images is None else images
    stamps = [i / rate for i in range(len(images))] if times is None else list(times)
    with av.open(str(path), "w", options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        height, width = images[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        tick = Fraction(1, rate) if times is None else Fraction(1, 1000)
        stream.codec_context.time_base = tick
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.color_range = 2 if full_range else 1
        if rotation:
            stream.set_display_rotation(-rotation)  # libav turns the other way
        tone = output.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for image, stamp in zip(images, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(
                format=pixel_format,
                dst_colorspace={1: 1}.get(matrix or 0, 5),
                dst_color_range=2 if full_range or "rgb" in pixel_format else 1,
            )
            frame.pts, frame.time_base = round(stamp / tick), tick
            frame.pict_type = 0
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if tone is not None:
            end = stamps[-1] + 1 / rate
            _write_tone(output, tone, sound_start, sound_length or end)
    return path


def _write_tone(output, stream, start: float, end: float) -> None:
    size = stream.codec_context.frame_size or 1024
    for at in range(round(start * 48_000), round(end * 48_000), size):
        wave = np.sin(np.arange(at, at + size) * (2 * np.pi * 440 / 48_000)) * 0.3
        kind = stream.codec_context.format.name
        scale, number = {
            "flt": (1, np.float32),
            "s16": (2**15, np.int16),
            "s32": (2**31, np.int32),
        }[kind.removesuffix("p")]
        frame = av.AudioFrame.from_ndarray((wave * scale).astype(number)[None], kind, "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def sound_only(path: Path) -> Path:
    """An MP4 file without pictures."""
    with av.open(str(path), "w") as output:
        _write_tone(output, output.add_stream("aac", rate=48_000, layout="mono"), 0.0, 1.0)
    return path


def sound_with_cover(path: Path) -> Path:
    """A Matroska file of sound and an attached picture that is no video."""
    with av.open(str(path), "w") as output:
        tone = output.add_stream("aac", rate=48_000, layout="mono")
        picture = cv2.imencode(".jpg", scene())[1].tobytes()
        output.add_attachment("cover.jpg", "image/jpeg", picture)
        _write_tone(output, tone, 0.0, 1.0)
    return path


def lasting(path: Path, seconds: float, *, container_options: dict[str, str] | None = None) -> Path:
    """Two seconds of pictures at 25 a second, of which the last one stays for so long."""
    even = write_clip(path.with_name("even.mp4"), images=noise(50), rate=25, options={"bf": "0"})
    with (
        av.open(str(even)) as source,
        av.open(str(path), "w", options=container_options or {}) as output,
    ):
        shown = source.streams.video[0]
        stream = output.add_stream_from_template(shown)
        packets = [packet for packet in source.demux(shown) if packet.dts is not None]
        packets[-1].duration = round(seconds / packets[-1].time_base)
        for packet in packets:
            packet.stream = stream
            output.mux_one(packet)
    even.unlink()
    return path


def lasting_gif(path: Path, seconds: float) -> Path:
    """Ten pictures at 25 a second, of which the last one stays for so long."""
    return write_clip(
        path,
        codec="gif",
        pixel_format="rgb8",
        frames=10,
        rate=25,
        container_options={"final_delay": str(round(seconds * 100))},
    )


def changing_size(path: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    """Motion JPEG whose pictures have different (width, height)."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=10)
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = "yuvj420p"
        for index, size in enumerate(sizes):
            packet = av.Packet(cv2.imencode(".jpg", scene(*size))[1].tobytes())
            packet.stream = stream
            packet.pts = packet.dts = index
            packet.time_base = Fraction(1, 10)
            packet.is_keyframe = True
            output.mux_one(packet)
    return path


def cut(path: Path, share: float) -> Path:
    """Cut a file's end off."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path


def damage(path: Path, start: float, end: float) -> Path:
    """Overwrite a part of a file with noise."""
    data = bytearray(path.read_bytes())
    first, last = round(len(data) * start), round(len(data) * end)
    data[first:last] = np.random.default_rng(9).bytes(last - first)
    path.write_bytes(data)
    return path


def patch_box(path: Path, name: bytes, offset: int, value: int) -> Path:
    """Put a 32 bit number into an MP4 box, ``offset`` bytes after its name."""
    data = bytearray(path.read_bytes())
    at = data.index(name) + 4 + offset
    struct.pack_into(">I", data, at, value)
    path.write_bytes(data)
    return path


def claim_frames(path: Path, count: int) -> Path:
    """Let the sample tables of an MP4 file claim a number of frames."""
    patch_box(path, b"stts", 8, count)
    return patch_box(path, b"stsz", 8, count)


def claim_matroska_duration(path: Path, seconds: float) -> Path:
    """Let the header and the tags of a Matroska file claim a duration."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">d", data, data.index(b"\x44\x89\x88") + 3, seconds * 1000)
    minutes, rest = divmod(seconds, 60)
    tag = f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{rest:012.9f}".encode()
    at = data.index(b"DURATION")
    at = data.index(b"00:0", at)
    data[at : at + len(tag)] = tag
    path.write_bytes(data)
    return path


def silent_headers(path: Path) -> Path:
    """A WebM file as a browser records it: no duration, no index, no frame counts."""
    return write_clip(
        path,
        codec="libvpx",
        frames=24,
        options={"deadline": "realtime", "cpu-used": "8"},
        container_options={"live": "1"},
    )

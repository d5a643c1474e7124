"""Videos are judged by content, come out as a player would show them, and harm nobody."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import video_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from vision.sources.videos import VideoError, VideoLimits, inspect_video, open_video
from vision.sources.videos.clock import FrameClock
from vision.sources.videos.ring import FrameRing, count_slots, create_memory, fix_size, ring_bytes
from vision.sources.videos.signatures import sniff_container
from vision.structures import Frame

WANTED = np.array([samples.RED, samples.GREEN, samples.BLUE, samples.GREY], np.int16)


def read(path: Path, *, isolated: bool = False, **options) -> list[Frame]:
    with open_video(path, isolated=isolated, **options) as source:
        return list(source)


def error_of(path: Path, *, isolated: bool = True, **options) -> str:
    with pytest.raises(VideoError) as caught:
        read(path, isolated=isolated, **options)
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) > 15
    return caught.value.code


def assert_scene(image, tolerance: int = 8) -> None:
    found = samples.corners(image).astype(np.int16)
    assert np.abs(found - WANTED).max() <= tolerance, found


FAST_VPX = {"deadline": "realtime", "cpu-used": "8"}
FORMATS = {
    "H.264 in MP4": ("a.mp4", {}, "mp4", "h264", "video/mp4"),
    "H.264 in MOV": ("a.mov", {}, "mov", "h264", "video/quicktime"),
    "H.264 in MKV": ("a.mkv", {}, "matroska", "h264", "video/x-matroska"),
    "H.264 in AVI": ("a.avi", {}, "avi", "h264", "video/x-msvideo"),
    "H.265": ("a.mp4", {"codec": "libx265"}, "mp4", "hevc", "video/mp4"),
    "MPEG-4": ("a.avi", {"codec": "mpeg4"}, "avi", "mpeg4", "video/x-msvideo"),
    "VP8": ("a.webm", {"codec": "libvpx", "options": FAST_VPX}, "webm", "vp8", "video/webm"),
    "VP9": ("a.webm", {"codec": "libvpx-vp9", "options": FAST_VPX}, "webm", "vp9", "video/webm"),
    "AV1": (
        "a.mp4",
        {"codec": "libsvtav1", "options": {"preset": "12"}},
        *("mp4", "av1", "video/mp4"),
    ),
    "ProRes": (
        "a.mov",
        {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
        *("mov", "prores", "video/quicktime"),
    ),
    "Motion JPEG": (
        "a.avi",
        {"codec": "mjpeg", "pixel_format": "yuvj420p", "full_range": True},
        *("avi", "mjpeg", "video/x-msvideo"),
    ),
    "GIF": ("a.gif", {"codec": "gif", "pixel_format": "rgb8"}, "gif", "gif", "image/gif"),
    "10 bit": ("a.mp4", {"pixel_format": "yuv420p10le"}, "mp4", "h264", "video/mp4"),
    "10 bit H.265": (
        "a.mp4",
        {"codec": "libx265", "pixel_format": "yuv420p10le"},
        *("mp4", "hevc", "video/mp4"),
    ),
    "4:4:4": ("a.mp4", {"pixel_format": "yuv444p"}, "mp4", "h264", "video/mp4"),
    "full range": ("a.mp4", {"full_range": True}, "mp4", "h264", "video/mp4"),
    "BT.709 matrix": ("a.mp4", {"matrix": 1}, "mp4", "h264", "video/mp4"),
    "BT.601 matrix": ("a.mp4", {"matrix": 6}, "mp4", "h264", "video/mp4"),
    "lossless RGB": (
        "a.avi",
        {"codec": "png", "pixel_format": "rgb24"},
        *("avi", "png", "video/x-msvideo"),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_come_out_as_they_went_in(name: str, tmp_path: Path) -> None:
    file_name, options, container, codec, media_type = FORMATS[name]
    path = samples.write_clip(tmp_path / file_name, **options)
    with open_video(path, isolated=False, source_id="x") as source:
        frames = list(source)
        info = source.info
        assert (source.skipped, source.truncated) == (0, False)
    assert (info.container, info.codec, info.media_type) == (container, codec, media_type)
    assert (info.width, info.height, info.rotation) == (samples.WIDTH, samples.HEIGHT, 0)
    assert info.extension == path.suffix
    assert not info.has_audio
    assert len(frames) == 12
    assert info.frames == pytest.approx(12, abs=1)
    assert info.rate == pytest.approx(12, rel=0.05)
    assert info.duration == pytest.approx(1.0, abs=0.1)
    assert [f.index for f in frames] == list(range(12))
    assert {f.source_id for f in frames} == {"x"}
    times = [f.timestamp for f in frames]
    assert times == pytest.approx([i / 12 for i in range(12)], abs=0.03)
    # A palette of 3-3-2 bits is coarse.
    for frame in (frames[0], frames[-1]):
        assert frame.image.flags.c_contiguous
        assert frame.image.flags.writeable
        assert_scene(frame.image, 60 if codec == "gif" else 8)


def test_the_child_gives_the_same_frames(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(20), sound="aac")
    with open_video(path) as source:
        isolated = list(source)
        info = source.info
    with open_video(path, isolated=False) as source:
        assert source.info == info
        local = list(source)
    assert info.has_audio
    assert len(isolated) == len(local) == 20
    for one, other in zip(isolated, local, strict=True):
        assert one.timestamp == other.timestamp
        np.testing.assert_array_equal(one.image, other.image)
        assert one.image.flags.writeable
        assert one.wall_clock.tzinfo is not None


def test_inspection_gives_the_first_frame(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mkv")
    info, image = inspect_video(path)
    assert info.container == "matroska"
    assert_scene(image)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_is_applied(rotation: int, tmp_path: Path) -> None:
    turned = np.ascontiguousarray(np.rot90(samples.scene(), rotation // 90))
    path = samples.write_clip(tmp_path / "a.mp4", images=[turned] * 3, rotation=rotation)
    # The box says in which direction: x' = a x + c y, so b = 1, c = -1 turns clockwise.
    data = path.read_bytes()
    at = data.index(b"tkhd") + 4 + 40
    b = int.from_bytes(data[at + 4 : at + 8], "big", signed=True)
    assert b == {90: 1 << 16, 180: 0, 270: -(1 << 16)}[rotation]
    for isolated in (True, False):
        with open_video(path, isolated=isolated) as source:
            assert source.info.rotation == rotation
            assert (source.info.width, source.info.height) == (samples.WIDTH, samples.HEIGHT)
            for frame in source:
                assert_scene(frame.image)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_variable_rates_keep_their_times(name: str, tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.52, 2.0, 5.0]
    path = samples.write_clip(tmp_path / name, images=[samples.scene()] * 6, times=times)
    assert [f.timestamp for f in read(path)] == pytest.approx(times, abs=0.002)


LASTING = {
    "MP4": ("a.mp4", {}),
    "fragmented MP4": ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    "MKV": ("a.mkv", {}),
    "MKV without a length": ("a.mkv", {"live": "1"}),
}


@pytest.mark.parametrize("name", LASTING)
@pytest.mark.parametrize("isolated", [True, False])
def test_a_last_frame_that_stays_is_no_missing_end(
    name: str, isolated: bool, tmp_path: Path
) -> None:
    file_name, options = LASTING[name]
    path = samples.lasting(tmp_path / file_name, 5.0, container_options=options)
    with open_video(path, isolated=isolated) as source:
        assert source.info.rate == pytest.approx(25)
        assert source.info.duration == pytest.approx(6.96, abs=0.002)
        frames = list(source)
        assert (len(frames), source.truncated) == (50, False)
        assert frames[-1].timestamp == pytest.approx(1.96)
        assert source.end == pytest.approx(6.96, abs=0.002)


def test_a_gif_that_pauses_keeps_its_rate(tmp_path: Path) -> None:
    with open_video(samples.lasting_gif(tmp_path / "a.gif", 3.0)) as source:
        assert source.info.rate == pytest.approx(25)
        assert len(list(source)) == 10
        assert (source.end, source.truncated) == (pytest.approx(3.36), False)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_video_that_lost_its_last_frame_is_truncated(isolated: bool, tmp_path: Path) -> None:
    options = {"movflags": "+faststart"}
    path = samples.lasting(tmp_path / "a.mp4", 5.0, container_options=options)
    samples.cut(path, 0.9)
    with open_video(path, isolated=isolated) as source:
        last = list(source)[-1].timestamp
        assert source.truncated
        assert source.end == pytest.approx(last + 1 / 25, abs=0.002)


@pytest.mark.parametrize("isolated", [True, False])
def test_an_even_video_ends_one_interval_after_its_last_frame(
    isolated: bool, tmp_path: Path
) -> None:
    path = samples.write_clip(tmp_path / "a.mkv")
    with open_video(path, isolated=isolated) as source:
        assert source.end == 0.0
        list(source)
        assert source.end == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(64, 45), (137, 64)),
        (Fraction(8, 9), (85, 64)),
        (Fraction(2), (192, 64)),
        (Fraction(1280, 1281), (96, 64)),
        (Fraction(9), (96, 64)),
    ],
    ids=str,
)
def test_pixels_are_made_square(
    name: str, aspect: Fraction, size: tuple[int, int], tmp_path: Path
) -> None:
    path = samples.write_clip(tmp_path / name, aspect=aspect)
    info, image = inspect_video(path)
    assert (info.width, info.height) == size
    assert image.shape == (size[1], size[0], 3)
    assert_scene(image)


def test_pixels_are_made_square_before_they_are_turned(tmp_path: Path) -> None:
    turned = np.ascontiguousarray(np.rot90(samples.scene(64, 96)))
    path = samples.write_clip(
        tmp_path / "a.mp4", images=[turned] * 2, rotation=90, aspect=Fraction(3, 2)
    )
    for frame in read(path):
        assert frame.image.shape == (144, 64, 3)
        assert_scene(frame.image)


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("limits", [VideoLimits(max_side=150), VideoLimits(max_pixels=10_000)])
def test_limits_hold_for_square_pixels(limits: VideoLimits, isolated: bool, tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", aspect=Fraction(2))
    assert error_of(path, limits=limits, isolated=isolated) == "video_too_large"


@pytest.mark.parametrize("rate", [1, 240])
def test_slow_and_fast_videos_are_read(rate: int, tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", rate=rate, frames=8)
    frames = read(path)
    assert [f.timestamp for f in frames] == pytest.approx([i / rate for i in range(8)], abs=1e-3)
    assert inspect_video(path)[0].rate == pytest.approx(rate)


@pytest.mark.parametrize("size", [(33, 17), (1, 1), (2, 300)])
def test_odd_sizes_are_read(size: tuple[int, int], tmp_path: Path) -> None:
    images = [samples.scene(*size)] * 2
    path = samples.write_clip(
        tmp_path / "a.avi", codec="mjpeg", pixel_format="yuvj444p", images=images
    )
    assert {f.image.shape for f in read(path, isolated=True)} == {(size[1], size[0], 3)}


def test_longer_sound_does_not_make_a_video_truncated(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mkv", sound="aac", sound_length=5.0)
    with open_video(path, isolated=False) as source:
        assert source.info.duration == pytest.approx(1.0, abs=0.05)
        assert len(list(source)) == 12
        assert not source.truncated


def test_a_trimmed_video_has_the_length_that_is_shown(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", frames=48)
    samples.patch_box(path, b"elst", 8, 1000)
    with open_video(path, isolated=False) as source:
        assert source.info.duration == pytest.approx(1.0)
        assert source.info.frames == 12
        assert len(list(source)) == 12
        assert not source.truncated


def test_a_recording_without_headers_is_measured(tmp_path: Path) -> None:
    info, _ = inspect_video(samples.silent_headers(tmp_path / "a.webm"))
    assert info.duration == pytest.approx(2.0, abs=0.1)
    assert info.frames == pytest.approx(24, abs=1)
    assert info.rate == pytest.approx(12, rel=0.1)


def test_a_size_that_changes_is_scaled_to_the_first(tmp_path: Path) -> None:
    path = samples.changing_size(tmp_path / "a.mkv", [(96, 64), (96, 64), (48, 32), (200, 100)])
    frames = read(path, isolated=True)
    assert [f.image.shape for f in frames] == [(64, 96, 3)] * 4
    for frame in frames:
        assert_scene(frame.image, 12)


def test_a_size_that_grows_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    path = samples.changing_size(tmp_path / "a.mkv", [(96, 64), (96, 64), (960, 640)])
    assert error_of(path, limits=VideoLimits(max_pixels=100_000)) == "video_too_large"


def test_broken_frames_in_the_middle_are_skipped(tmp_path: Path) -> None:
    path = samples.write_clip(
        tmp_path / "a.avi", codec="png", pixel_format="rgb24", images=samples.noise(30)
    )
    samples.damage(path, 0.41, 0.42)
    with open_video(path) as source:
        frames = list(source)
        assert source.skipped > 0
    assert 27 <= len(frames) < 30
    assert frames[-1].timestamp == pytest.approx(29 / 12, abs=0.1)


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mp4"])
@pytest.mark.parametrize("isolated", [True, False])
def test_a_missing_end_ends_the_video(name: str, isolated: bool, tmp_path: Path) -> None:
    options = {"movflags": "+faststart"} if name.endswith("mp4") else {}
    path = samples.write_clip(tmp_path / name, images=samples.noise(48), container_options=options)
    samples.cut(path, 0.6)
    with open_video(path, isolated=isolated) as source:
        assert 10 < len(list(source)) < 40
        assert source.truncated


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{target}'\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
DASH = '<?xml version="1.0"?><MPD><BaseURL>{target}</BaseURL></MPD>'


def text(pattern: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        target = samples.write_clip(folder / "secret.mp4")
        path = folder / "a.mp4"
        path.write_text(pattern.format(target=target))
        return path

    return write


def raw(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "a.mp4").write_bytes(data)
        return folder / "a.mp4"

    return write


def clip(**options) -> Callable[[Path], Path]:
    return lambda folder: samples.write_clip(folder / "a.mp4", **options)


def lying(count: int) -> Callable[[Path], Path]:
    return lambda folder: samples.claim_frames(samples.write_clip(folder / "a.mp4"), count)


RANDOM = np.random.default_rng(1).bytes(50_000)
FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
HOSTILE = {
    "missing": (lambda folder: folder / "no.mp4", {"missing_file"}),
    "a folder": (lambda folder: folder, {"not_a_video"}),
    "zero bytes": (raw(b""), {"empty_file"}),
    "text": (raw(b"hello, this is no video"), {"not_a_video"}),
    "random bytes": (raw(RANDOM), {"not_a_video"}),
    "web page": (raw(b"<html><body>hi</body></html>"), {"not_a_video"}),
    "HLS playlist": (text(PLAYLIST), {"not_a_video"}),
    "concat list": (text(CONCAT), {"not_a_video"}),
    "plain concat list": (text("file '{target}'\n"), {"not_a_video"}),
    "SDP": (text(SDP), {"not_a_video"}),
    "DASH": (text(DASH), {"not_a_video"}),
    "playlist behind an MP4 signature": (
        raw(FTYP + PLAYLIST.encode()),
        {"truncated_video", "damaged_video", "no_video_stream"},
    ),
    "noise behind an MP4 signature": (
        raw(FTYP + RANDOM),
        {"truncated_video", "damaged_video", "no_video_stream"},
    ),
    "noise behind a Matroska signature": (
        raw(b"\x1aE\xdf\xa3\x93\x42\x82\x88matroska" + RANDOM),
        {"damaged_video", "no_video_stream"},
    ),
    "noise behind an AVI signature": (
        raw(b"RIFF\x00\x00\x01\x00AVI " + RANDOM),
        {"damaged_video", "no_video_stream"},
    ),
    "noise behind a GIF signature": (raw(b"GIF89a" + RANDOM), {"damaged_video"}),
    "HEIC picture": (raw(b"\x00\x00\x00\x18ftypheic" + bytes(100)), {"not_a_video"}),
    "transport stream": (
        lambda folder: samples.write_clip(folder / "a.ts"),
        {"unsupported_container"},
    ),
    "Flash video": (
        lambda folder: samples.write_clip(folder / "a.flv"),
        {"unsupported_container"},
    ),
    "unknown EBML": (raw(b"\x1aE\xdf\xa3" + bytes(100)), {"unsupported_container"}),
    "unsupported codec": (
        lambda folder: samples.write_clip(folder / "a.mkv", codec="ffv1", pixel_format="yuv420p"),
        {"unsupported_codec"},
    ),
    "sound only": (lambda folder: samples.sound_only(folder / "a.mp4"), {"no_video_stream"}),
    "sound with a cover": (
        lambda folder: samples.sound_with_cover(folder / "a.mkv"),
        {"no_video_stream"},
    ),
    "no table of frames": (
        lambda folder: samples.cut(
            samples.write_clip(folder / "a.mp4", images=samples.noise(20)), 0.5
        ),
        {"truncated_video"},
    ),
    "zero frames": (lying(0), {"damaged_video", "truncated_video", "no_video_stream"}),
    "pictures overwritten": (
        lambda folder: samples.damage(
            samples.write_clip(folder / "a.mp4", images=samples.noise(20)), 0.01, 0.95
        ),
        {"damaged_video"},
    ),
    "hours claimed by an MP4": (
        clip(images=[samples.scene()] * 2, times=[0.0, 5 * 3600.0]),
        {"video_too_long"},
    ),
    "hours claimed by a Matroska file": (
        lambda folder: samples.claim_matroska_duration(
            samples.write_clip(folder / "a.mkv"), 40 * 3600.0
        ),
        {"video_too_long"},
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    make, codes = HOSTILE[name]
    path = make(tmp_path)
    assert error_of(path) in codes
    with pytest.raises(VideoError):
        inspect_video(path)


def test_a_billion_claimed_frames_are_not_believed(tmp_path: Path) -> None:
    path = lying(1_000_000_000)(tmp_path)
    before = time.monotonic()
    found: int | str
    try:
        found = len(read(path, isolated=True))
    except VideoError as error:
        found = error.code
    assert found in {12, "damaged_video", "decoder_memory", "video_too_long"}
    assert time.monotonic() - before < 10


FUZZED = {
    "MP4": ("a.mp4", {"sound": "aac"}),
    "MKV": ("a.mkv", {"sound": "aac"}),
    "AVI": ("a.avi", {"codec": "mpeg4"}),
    "GIF": ("a.gif", {"codec": "gif", "pixel_format": "rgb8"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED)
@pytest.mark.parametrize("seed", range(6))
def test_damage_anywhere_gives_frames_or_a_reason(name: str, seed: int, tmp_path: Path) -> None:
    file_name, options = FUZZED[name]
    path = samples.write_clip(tmp_path / file_name, **options)
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), 3 ** (seed % 4 + 1)):
        data[at] = random.integers(0, 256)
    path.write_bytes(data)
    found: int | str
    try:
        found = len(read(path, isolated=True))
    except VideoError as error:
        found = error.code
    assert found
    assert found != "decoder_timeout"


LIMITED = {
    "pixels": (VideoLimits(max_pixels=5000), "video_too_large"),
    "side": (VideoLimits(max_side=90), "video_too_large"),
    "seconds": (VideoLimits(max_seconds=0.5), "video_too_long"),
    "frames": (VideoLimits(max_frames=6), "too_many_frames"),
    "rate": (VideoLimits(max_rate=10), "rate_too_high"),
    "bytes": (VideoLimits(max_bytes=500), "file_too_large"),
}


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("isolated", [True, False])
def test_limits_hold_before_decoding(name: str, isolated: bool, tmp_path: Path) -> None:
    limits, code = LIMITED[name]
    path = samples.write_clip(tmp_path / "a.mp4")
    with pytest.raises(VideoError) as caught:
        open_video(path, limits=limits, isolated=isolated)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["seconds", "frames"])
def test_limits_hold_while_decoding(name: str, tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mkv")
    samples.claim_matroska_duration(path, 0.1)
    limits, code = LIMITED[name]
    with open_video(path, limits=limits) as source:
        assert source.info.duration == pytest.approx(0.1)
        with pytest.raises(VideoError) as caught:
            list(source)
    assert caught.value.code == code


def test_8k_is_refused_by_its_size(tmp_path: Path) -> None:
    image = np.zeros((4320, 7680, 3), np.uint8)
    path = samples.write_clip(
        tmp_path / "a.avi", codec="mjpeg", pixel_format="yuvj420p", images=[image]
    )
    with pytest.raises(VideoError, match="7,680 x 4,320") as caught:
        open_video(path)
    assert caught.value.code == "video_too_large"


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGXCPU])
def test_a_killed_child_is_an_error_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(60))
    before = open_descriptors()
    source = open_video(path)
    frames = iter(source)
    next(frames)
    os.kill(source.pid, number)
    with pytest.raises(VideoError) as caught:
        list(frames)
    assert caught.value.code == (
        "decoder_timeout" if number == signal.SIGXCPU else "decoder_failed"
    )
    source.close()
    assert open_descriptors() == before
    assert not Path(f"/proc/{source.pid}").exists()


@needs_proc
def test_closing_early_ends_the_child(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(60))
    before = open_descriptors()
    with open_video(path) as source:
        assert next(iter(source)).index == 0
    source.close()
    assert not Path(f"/proc/{source.pid}").exists()
    del source
    assert open_descriptors() == before


def test_a_source_can_be_closed_by_another_thread(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(60))
    source = open_video(path, timeout=20)
    os.kill(source.pid, signal.SIGSTOP)
    threading.Timer(0.3, source.close).start()
    started = time.monotonic()
    assert len(list(source)) <= 10
    assert time.monotonic() - started < 5


def test_a_child_that_hangs_is_given_up(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(60))
    with open_video(path, timeout=3) as source:
        os.kill(source.pid, signal.SIGSTOP)
        with pytest.raises(VideoError) as caught:
            list(source)
    assert caught.value.code == "decoder_timeout"


def test_the_child_waits_for_a_slow_reader(tmp_path: Path) -> None:
    images = samples.noise(40)
    path = samples.write_clip(tmp_path / "a.avi", codec="png", pixel_format="rgb24", images=images)
    with open_video(path) as source:
        for frame, wanted in zip(source, images, strict=True):
            time.sleep(0.01)
            np.testing.assert_array_equal(frame.image, wanted)


def test_too_little_memory_is_an_error(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4")
    code = error_of(path, memory=1, limits=VideoLimits(max_pixels=10_000))
    assert code in {"decoder_memory", "decoder_failed"}


@needs_proc
def test_the_child_ends_when_its_parent_dies(tmp_path: Path) -> None:
    path = samples.write_clip(tmp_path / "a.mp4", images=samples.noise(60))
    script = (
        "import os, sys; from pathlib import Path; from vision.sources.videos import open_video\n"
        f"source = open_video(Path({str(path)!r})); next(iter(source))\n"
        "print(source.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=root, timeout=60
    )
    child = Path(f"/proc/{int(done.stdout)}")
    for _ in range(100):
        if not child.exists() or "Z" in (child / "stat").read_text().rpartition(")")[2][:3]:
            return
        time.sleep(0.05)
    pytest.fail("the child outlived its parent")


def test_the_calling_process_loads_no_decoder() -> None:
    script = "import sys, vision.sources.videos; assert 'av' not in sys.modules"
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, timeout=60)


@given(st.binary(max_size=600))
def test_any_bytes_have_a_container_or_a_reason(head: bytes) -> None:
    try:
        found = sniff_container(head).demuxer
    except VideoError as error:
        found = error.code
    containers = {"mov", "matroska", "avi", "gif"}
    assert found in containers | {"not_a_video", "unsupported_container"}


stamps = st.one_of(st.none(), st.floats(-1e6, 1e6))


@given(st.lists(stamps, min_size=1, max_size=60), st.floats(0.001, 1.0))
def test_times_always_start_at_zero_and_increase(times: list[float | None], gap: float) -> None:
    clock = FrameClock(gap)
    found = [clock.stamp(time) for time in times]
    assert found[0] == 0.0
    assert all(later > earlier for earlier, later in itertools.pairwise(found))


@given(st.floats(-1e4, 1e4), st.lists(st.floats(0.001, 10), max_size=50), st.floats(0.001, 1.0))
def test_good_times_are_only_shifted(start: float, gaps: list[float], gap: float) -> None:
    times = list(itertools.accumulate(gaps, initial=start))
    clock = FrameClock(gap)
    found = [clock.stamp(time) for time in times]
    assert found == pytest.approx([time - start for time in times], abs=1e-9)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([5.0, 5.1, 5.2], [0.0, 0.1, 0.2]),
        ([0.0, 0.1, 0.1, 0.3], [0.0, 0.1, 0.101, 0.3]),
        ([0.0, 0.2, 0.1, 0.3], [0.0, 0.2, 0.201, 0.3]),
        ([0.0, None, None, 0.3], [0.0, 0.1, 0.2, 0.3]),
        ([None, None, 7.0, 7.1], [0.0, 0.1, 0.2, 0.3]),
        ([50.0, 50.1, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3]),
        ([0.0] * 6, [0.0, 0.001, 0.002, 0.102, 0.202, 0.302]),
    ],
)
def test_wrong_times_are_repaired(times: list[float | None], wanted: list[float]) -> None:
    clock = FrameClock(0.1)
    assert [clock.stamp(time) for time in times] == pytest.approx(wanted)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(2, 5), st.integers(0, 10**6))
def test_slots_do_not_touch_each_other(width: int, height: int, slots: int, seed: int) -> None:
    memory = create_memory()
    try:
        fix_size(memory, ring_bytes(width, height, slots))
        ring = FrameRing(memory, width=width, height=height, slots=slots)
    finally:
        os.close(memory)
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (height, width, 3), np.uint8) for _ in range(slots)]
    for slot, image in enumerate(images):
        ring.write(slot, image)
    for slot, image in enumerate(images):
        np.testing.assert_array_equal(ring.read(slot), image)
    with pytest.raises(IndexError):
        ring.read(slots)
    ring.close()


def test_shared_memory_cannot_be_shrunk() -> None:
    memory = create_memory()
    try:
        fix_size(memory, 100)
        if hasattr(os, "memfd_create"):
            with pytest.raises(PermissionError):
                os.ftruncate(memory, 10)
    finally:
        os.close(memory)


def test_a_platform_without_memfd_uses_a_nameless_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    path = samples.write_clip(tmp_path / "a.mp4")
    frames = read(path, isolated=True)
    assert len(frames) == 12
    assert_scene(frames[-1].image)


@pytest.mark.parametrize(("size", "slots"), [((480, 360), 6), ((4096, 2304), 2), ((1, 1), 6)])
def test_large_pictures_get_fewer_slots(size: tuple[int, int], slots: int) -> None:
    assert count_slots(*size) == slots


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [
        ("vtest_480x360.mp4", 795, (480, 360)),
        ("gestures/walk.mkv", 89, (640, 480)),
    ],
)
def test_real_clips_are_read_to_the_end(
    name: str, frames: int, size: tuple[int, int], test_data: Path
) -> None:
    with open_video(test_data / "videos" / name) as source:
        assert (source.info.width, source.info.height) == size
        read_frames = sum(1 for _ in source)
        assert read_frames == frames
        assert not source.truncated

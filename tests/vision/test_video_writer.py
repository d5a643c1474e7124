"""What is written is played by browsers: H.264 in MP4, right times, colours, sound."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import video_samples as samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vision.encoding.video import VideoWriter, finish_video
from vision.sources.videos import VideoError, inspect_video, open_video


def write(path: Path, images, times=None, rate: float = 12) -> Path:
    height, width = images[0].shape[:2]
    stamps = [i / rate for i in range(len(images))] if times is None else times
    with VideoWriter(path, width=width, height=height, rate=rate) as writer:
        for image, time in zip(images, stamps, strict=True):
            writer.write(image, time)
    return path


def read_times(path: Path) -> list[float]:
    with open_video(path, isolated=False) as source:
        return [frame.timestamp for frame in source]


def read_images(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as opened:
        return [frame.to_ndarray(format="bgr24") for frame in opened.decode(video=0)]


def boxes(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    at = 0
    while at < len(data):
        yield data[at + 4 : at + 8].decode()
        at += int.from_bytes(data[at : at + 4], "big")


def tone_span(path: Path) -> tuple[float, float]:
    """Seconds at which the sound starts and ends."""
    with av.open(str(path)) as opened:
        loud = [
            frame
            for frame in opened.decode(audio=0)
            if np.abs(frame.to_ndarray().astype(np.float32)).max() > 0.05
        ]
    return loud[0].time, loud[-1].time + loud[-1].samples / loud[-1].sample_rate


def codecs(path: Path) -> list[str]:
    with av.open(str(path)) as opened:
        return [stream.codec_context.codec.canonical_name for stream in opened.streams]


def seconds(path: Path) -> float:
    with av.open(str(path)) as opened:
        return opened.duration / 1e6


@pytest.mark.parametrize("size", [(96, 64), (97, 65), (102, 70), (1280, 720), (1, 1), (33, 2)])
def test_colours_and_sizes_survive(size: tuple[int, int], tmp_path: Path) -> None:
    image = samples.scene(*size)
    path = write(tmp_path / "a.mp4", [image] * 3)
    info, first = inspect_video(path)
    width, height = size
    assert (info.codec, info.pixel_format, info.container) == ("h264", "yuv420p", "mp4")
    assert (info.width, info.height) == (width + width % 2, height + height % 2)
    if min(size) > 30:
        difference = samples.corners(first[:height, :width]).astype(int) - samples.corners(image)
        assert np.abs(difference).max() <= 6
    with av.open(str(path)) as opened:
        context = opened.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)
        assert context.profile is not None


def test_the_last_column_and_row_are_repeated(tmp_path: Path) -> None:
    image = np.zeros((33, 33, 3), np.uint8)
    image[:, -1] = 255
    image[-1] = 255
    _, found = inspect_video(write(tmp_path / "a.mp4", [image] * 2))
    assert found.shape == (34, 34, 3)
    assert found[-2:].min() > 180
    assert found[:, -2:].min() > 180


@pytest.mark.parametrize(
    "times",
    [
        [0.0, 0.04, 0.5, 0.52, 2.0, 5.0],
        [0.0, 1 / 240, 2 / 240, 3 / 240],
        [0.0, 1.0, 2.0],
        [0.0],
    ],
)
def test_times_survive(times: list[float], tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [samples.scene()] * len(times), times)
    assert read_times(path) == pytest.approx(times, abs=1e-4)
    assert seconds(path) == pytest.approx(times[-1] + 1 / 12, abs=0.02)


@pytest.mark.parametrize(
    ("times", "end", "length"),
    [
        ([0.0, 0.1, 0.2], 5.0, 5.0),
        ([0.0, 0.1, 0.2], 0.21, 0.21),
        ([0.0, 0.1, 0.2], None, 0.2 + 1 / 12),
        ([0.0, 0.1, 0.2], 0.2, 0.2 + 1 / 12),
        ([0.0, 0.1, 0.2], -1.0, 0.2 + 1 / 12),
        ([0.0, 0.1, 0.2], float("nan"), 0.2 + 1 / 12),
        ([0.0], 3.0, 3.0),
        ([i / 12 for i in range(100)], 20.0, 20.0),
    ],
)
def test_the_last_picture_stays_until_the_end(
    times: list[float], end: float | None, length: float, tmp_path: Path
) -> None:
    writer = VideoWriter(tmp_path / "w.mp4", width=96, height=64, rate=12)
    for time_ in times:
        writer.write(samples.scene(), time_)
    writer.close(end)
    writer.close(end)
    finish_video(tmp_path / "w.mp4", None, tmp_path / "t.mp4")
    for path in (tmp_path / "w.mp4", tmp_path / "t.mp4"):
        assert read_times(path) == pytest.approx(times, abs=1e-4)
        assert seconds(path) == pytest.approx(length, abs=0.002)


def test_an_annotated_video_lasts_as_long_as_its_original(tmp_path: Path) -> None:
    original = samples.lasting(tmp_path / "o.mp4", 5.0)
    with open_video(original) as source:
        size = {"width": source.info.width, "height": source.info.height}
        writer = VideoWriter(tmp_path / "w.mp4", **size, rate=source.info.rate)
        for frame in source:
            writer.write(frame.image, frame.timestamp)
        writer.close(source.end)
    finish_video(tmp_path / "w.mp4", original, tmp_path / "t.mp4")
    assert seconds(tmp_path / "t.mp4") == pytest.approx(6.96, abs=0.002)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.floats(-1, 100), min_size=1, max_size=12))
def test_any_times_are_written_increasing(tmp_path: Path, times: list[float]) -> None:
    path = write(tmp_path / "a.mp4", [samples.scene(32, 32)] * len(times), times)
    found = read_times(path)
    assert len(found) == len(times)
    assert all(np.diff(found) > 0)


def test_key_frames_are_two_seconds_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [samples.scene()] * 100, rate=10)
    with av.open(str(path)) as opened:
        keys = [float(p.pts * p.time_base) for p in opened.demux(video=0) if p.is_keyframe]
    assert keys == pytest.approx([0, 2, 4, 6, 8], abs=0.01)


def test_views_are_written_like_copies(tmp_path: Path) -> None:
    image = np.ascontiguousarray(np.rot90(samples.scene(64, 96)))
    view = np.rot90(samples.scene(64, 96))
    one, other = (write(tmp_path / f"{i}.mp4", [x] * 2) for i, x in enumerate((image, view)))
    for ours, theirs in zip(*(read_images(path) for path in (one, other)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=96, height=64, rate=10) as writer:
        writer.write(samples.scene(), 0.0)
        with pytest.raises(ValueError, match=r"expected \(64, 96, 3\)"):
            writer.write(samples.scene(64, 96), 0.1)
        with pytest.raises(ValueError, match="float"):
            writer.write(samples.scene().astype(float), 0.1)
    with pytest.raises(ValueError, match="closed"):
        writer.write(samples.scene(), 0.2)


@pytest.mark.parametrize(
    "options", [{"width": 0}, {"height": -1}, {"rate": 0.0}, {"width": 20_000}, {"rate": 1e9}]
)
def test_impossible_videos_are_refused(options: dict, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot have"):
        VideoWriter(tmp_path / "a.mp4", **{"width": 8, "height": 8, "rate": 10.0, **options})
    assert not (tmp_path / "a.mp4").exists()


def test_giving_up_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, width=96, height=64, rate=10)
    writer.write(samples.scene(), 0.0)
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(ValueError, match="expected"),
        VideoWriter(path, width=96, height=64, rate=10) as writer,
    ):
        writer.write(samples.scene(8, 8), 0.0)
    assert list(tmp_path.iterdir()) == []
    VideoWriter(path, width=96, height=64, rate=10).close()
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import errno, resource, signal, sys
from pathlib import Path
import numpy as np
from vision.encoding.video import VideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
writer = VideoWriter(path, width=256, height=256, rate=10)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
random = np.random.default_rng(1)
try:
    for index in range(int(sys.argv[2])):
        writer.write(random.integers(0, 256, (256, 256, 3), np.uint8), index / 10)
    writer.close()
except OSError as error:
    assert error.errno == errno.EFBIG, error
    writer.abort()
    sys.exit(7 if not path.exists() else 8)
"""


@pytest.mark.parametrize("frames", [1, 60])
def test_a_full_disk_is_an_os_error(frames: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4"), str(frames)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, timeout=60, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr


SOUNDS = {
    "AAC in MP4": ("o.mp4", {"sound": "aac"}, "aac"),
    "MP3 in MP4": ("o.mp4", {"sound": "libmp3lame"}, "mp3"),
    "MP3 in AVI": ("o.avi", {"sound": "libmp3lame"}, "mp3"),
    "Opus in WebM": (
        "o.webm",
        {"sound": "libopus", "codec": "libvpx", "options": {"deadline": "realtime"}},
        "aac",
    ),
    "PCM in AVI": ("o.avi", {"sound": "pcm_s16le"}, "aac"),
    "FLAC in MKV": ("o.mkv", {"sound": "flac"}, "aac"),
    "AC-3 in MKV": ("o.mkv", {"sound": "ac3"}, "aac"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_comes_along(name: str, tmp_path: Path) -> None:
    file_name, options, wanted = SOUNDS[name]
    original = samples.write_clip(tmp_path / file_name, frames=24, **options)
    written = write(tmp_path / "w.mp4", [samples.scene()] * 24)
    target = tmp_path / "t.mp4"
    assert finish_video(written, original, target) is True
    assert codecs(target) == ["h264", wanted]
    order = list(boxes(target))
    assert order.index("moov") < order.index("mdat")
    assert len(read_times(target)) == 24
    assert seconds(target) == pytest.approx(2.0, abs=1 / 12)
    start, end = tone_span(target)
    assert start == pytest.approx(0.0, abs=0.08)
    assert end == pytest.approx(2.0, abs=0.12)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([file_name, "w.mp4", "t.mp4"])


@pytest.mark.parametrize("sound", ["aac", "flac"])
def test_sound_stays_in_time_with_the_pictures(sound: str, tmp_path: Path) -> None:
    # The pictures of the original start at 1.0 s, the tone at 1.5 s.
    times = [1.0 + i / 12 for i in range(36)]
    original = samples.write_clip(
        tmp_path / "o.mkv", frames=36, times=times, sound=sound, sound_start=1.5
    )
    written = write(tmp_path / "w.mp4", [samples.scene()] * 36)
    finish_video(written, original, tmp_path / "t.mp4")
    start, end = tone_span(tmp_path / "t.mp4")
    assert start == pytest.approx(0.5, abs=0.08)
    assert end == pytest.approx(3.0, abs=0.12)


def test_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    original = samples.write_clip(tmp_path / "o.mp4", frames=60, sound="aac")
    written = write(tmp_path / "w.mp4", [samples.scene()] * 12)
    finish_video(written, original, tmp_path / "t.mp4")
    assert seconds(tmp_path / "t.mp4") == pytest.approx(1.0, abs=1 / 12)


@pytest.mark.parametrize("sound", ["aac", "flac"])
def test_broken_sound_is_cut(sound: str, tmp_path: Path) -> None:
    original = samples.write_clip(tmp_path / "o.mkv", images=samples.noise(48), sound=sound)
    samples.cut(original, 0.6)
    written = write(tmp_path / "w.mp4", [samples.scene()] * 48)
    finish_video(written, original, tmp_path / "t.mp4")
    assert codecs(tmp_path / "t.mp4") == ["h264", "aac"]
    assert seconds(tmp_path / "t.mp4") == pytest.approx(4.0, abs=1 / 12)
    assert 0.5 < tone_span(tmp_path / "t.mp4")[1] < 3.5


def test_without_sound_the_video_is_silent(tmp_path: Path) -> None:
    written = write(tmp_path / "w.mp4", [samples.scene()] * 6)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    silent = samples.write_clip(tmp_path / "silent.mp4")
    missing = tmp_path / "missing.mp4"
    for original, kept in ((None, None), (silent, None), (broken, False), (missing, False)):
        assert finish_video(written, original, tmp_path / "t.mp4") is kept
        assert codecs(tmp_path / "t.mp4") == ["h264"]
        assert seconds(tmp_path / "t.mp4") == pytest.approx(0.5, abs=0.02)


def test_variable_rate_survives_the_finish(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.52, 2.0, 5.0]
    written = write(tmp_path / "w.mp4", [samples.scene()] * 6, times)
    finish_video(written, None, written)
    assert read_times(written) == pytest.approx(times, abs=1e-4)
    assert seconds(written) == pytest.approx(5 + 1 / 12, abs=0.02)
    assert [p.name for p in tmp_path.iterdir()] == ["w.mp4"]


def test_an_unreadable_video_cannot_be_finished(tmp_path: Path) -> None:
    written = tmp_path / "w.mp4"
    written.write_bytes(b"nothing")
    with pytest.raises(VideoError):
        finish_video(written, None, tmp_path / "t.mp4")
    assert [p.name for p in tmp_path.iterdir()] == ["w.mp4"]


def test_a_target_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    written = write(tmp_path / "w.mp4", [samples.scene()] * 2)
    with pytest.raises(OSError, match="No such file"):
        finish_video(written, None, tmp_path / "no" / "t.mp4")


def test_a_finished_video_can_be_sought(tmp_path: Path) -> None:
    images = [np.full((64, 96, 3), 5 * i, np.uint8) for i in range(48)]
    written = write(tmp_path / "w.mp4", images)
    finish_video(written, None, tmp_path / "t.mp4")
    with av.open(str(tmp_path / "t.mp4")) as opened:
        opened.seek(3_000_000)
        frame = next(f for f in opened.decode(video=0) if f.time >= 3.0)
    assert frame.to_ndarray(format="bgr24").mean() == pytest.approx(5 * 36, abs=4)


CHILD = """
import os, time
from pathlib import Path
from vision.encoding.video_muxing import join
from vision.sources.videos.process import Orders

orders = Orders()
order = orders.receive()
with Path(__file__).with_suffix(".log").open("a") as log:
    print(os.getpid(), file=log)
if {always} or order["original"] is not None:
    Path(order["target"]).write_bytes(b"half")
    {act}
join(Path(order["written"]), None, Path(order["target"]))
orders.send({{"done": True, "sound": None}})
orders.receive_bytes(1)
"""
HANG = "time.sleep(60)"


@pytest.fixture
def ill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Have the child misbehave, always or with sound only; gives the list of its process ids."""
    folder = tmp_path / "child"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr("vision.encoding.video_finish._CHILD", "ill_child")

    def make(act: str, *, always: bool = False) -> Path:
        (folder / "ill_child.py").write_text(CHILD.format(act=act, always=always))
        return folder / "ill_child.log"

    return make


class StopError(Exception):
    """Raised by whoever waits."""


@pytest.mark.parametrize(
    "stop",
    [
        StopError(),
        KeyboardInterrupt(),
        OSError(28, "full"),
        VideoError("decoder_failed", "It failed."),
        VideoError("decoder_timeout", "It was slow."),
    ],
    ids=["own", "interrupt", "system", "video", "timeout"],
)
def test_finishing_can_be_stopped(
    stop: BaseException, ill: Callable[..., Path], tmp_path: Path
) -> None:
    log = ill(HANG)
    written = write(tmp_path / "w.mp4", [samples.scene()] * 2)
    calls = 0

    def wait() -> None:
        nonlocal calls
        calls += 1
        if log.exists():
            raise stop

    started = time.monotonic()
    with pytest.raises(type(stop)) as caught:
        finish_video(written, written, tmp_path / "t.mp4", on_wait=wait)
    assert caught.value is stop
    assert 1 <= calls <= (time.monotonic() - started) / 0.25 + 1
    (pid,) = log.read_text().split()
    assert not Path(f"/proc/{pid}").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child", "w.mp4"]


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_time_that_runs_out_costs_no_more_than_the_sound(
    in_place: bool,
    links: bool,
    ill: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no links here")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    log = ill(HANG, always=True)
    written = write(tmp_path / "w.mp4", [samples.scene()] * 6)
    data = written.read_bytes()
    target = written if in_place else tmp_path / "t.mp4"
    started = time.monotonic()
    assert finish_video(written, written, target, timeout=1.5) is False
    assert time.monotonic() - started < 20  # it hangs for as long as it is let
    assert target.read_bytes() == written.read_bytes() == data
    assert len(log.read_text().split()) == 1
    assert not list(tmp_path.glob(".*"))


FAILURES = {
    "killed": "os.kill(os.getpid(), 9)",
    "an exception": "raise RuntimeError",
    "invalid argument": 'orders.send({"os_error": 22})',
    "full": 'orders.send({"os_error": 28})',
    "memory": 'orders.send({"error": {"code": "decoder_memory", "message": "Too much."}})',
    "nonsense": 'orders.send({"done": "yes"})',
    "nonsense about the sound": 'orders.send({"done": True, "sound": 7})',
    "no error": 'orders.send({"os_error": -5})',
}


@pytest.mark.parametrize("name", FAILURES)
def test_sound_that_cannot_be_joined_is_left_out(
    name: str, ill: Callable[..., Path], tmp_path: Path
) -> None:
    log = ill(FAILURES[name])
    written = write(tmp_path / "w.mp4", [samples.scene()] * 6)
    assert finish_video(written, written, tmp_path / "t.mp4") is False
    assert codecs(tmp_path / "t.mp4") == ["h264"]
    assert len(log.read_text().split()) == 2
    assert not list(tmp_path.glob(".*"))


def test_a_disk_that_is_full_without_sound_too_is_an_error(
    ill: Callable[..., Path], tmp_path: Path
) -> None:
    ill(FAILURES["full"], always=True)
    written = write(tmp_path / "w.mp4", [samples.scene()] * 2)
    with pytest.raises(OSError, match="No space left"):
        finish_video(written, written, tmp_path / "t.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child", "w.mp4"]

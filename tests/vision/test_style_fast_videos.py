"""Videos in a style: every frame, the sound, one size; and nothing of what is stopped."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import video_samples as samples
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.sources.videos import VideoError, VideoLimits
from vision.style import videos
from vision.style.structures import OnProgress, Stylized
from vision.style.videos import VideoProgress, stylize_video

Image = NDArray[np.uint8]

pytestmark = pytest.mark.once


class Negative:
    """Paints the negative: easy to know again."""

    model = "negative"

    def __init__(self, fails_at: int = -1) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self._fails_at = fails_at

    def stylize(
        self, content: Image, style: Image | None, *, on_progress: OnProgress | None = None
    ) -> Stylized:
        assert style is None
        if len(self.shapes) == self._fails_at:
            raise ModelError("out_of_memory", "There is too little memory.")
        self.shapes.append(content.shape)
        return Stylized(255 - content, np.empty(0), 0.0, False, self.model, "cpu")

    def close(self) -> None:
        """Nothing to let go of."""


def frames_of(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_every_frame_is_painted_and_the_sound_is_kept(tmp_path: Path) -> None:
    source = samples.write_clip(tmp_path / "o.mp4", frames=12, rate=12, sound="aac")
    target = tmp_path / "painted.mp4"
    told: list[VideoProgress] = []
    made = stylize_video(source, target, Negative(), on_progress=told.append)

    assert (made.frames, made.skipped, made.sound, made.stopped) == (12, 0, True, False)
    assert (made.width, made.height, made.model) == (samples.WIDTH, samples.HEIGHT, "negative")
    assert [one.frames for one in told] == list(range(1, 13))
    assert {one.total for one in told} == {12}
    assert all(one.frames_per_second > 0 for one in told)
    pictures = frames_of(target)
    assert len(pictures) == 12
    wanted = 255 - samples.corners(samples.scene()).astype(int)
    assert np.abs(samples.corners(pictures[-1]) - wanted).max() < 24  # what H.264 leaves
    with av.open(str(target)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sound.codec_context.name == "aac"
        assert float(video.duration * video.time_base) == pytest.approx(1.0, abs=0.02)
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "it must play before it has arrived"
    assert [path.name for path in tmp_path.iterdir() if path not in (source, target)] == []


def test_frames_are_reduced_to_one_size(tmp_path: Path) -> None:
    source = samples.write_clip(tmp_path / "o.mp4", frames=3)
    painter = Negative()
    made = stylize_video(source, tmp_path / "p.mp4", painter, longer_side=48)
    assert set(painter.shapes) == {(32, 48, 3)}
    assert (made.width, made.height, made.sound) == (48, 32, None)
    assert {picture.shape for picture in frames_of(tmp_path / "p.mp4")} == {(32, 48, 3)}


def test_uneven_times_and_odd_sizes_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.5, 0.6]
    images = [samples.scene(96, 64)] * 4
    source = samples.write_clip(tmp_path / "o.mkv", images=images, times=times)
    stylize_video(source, tmp_path / "p.mp4", Negative(), longer_side=75)
    with av.open(str(tmp_path / "p.mp4")) as container:
        stamps = [frame.time for frame in container.decode(video=0)]
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert stamps == pytest.approx(times, abs=0.01)


def test_stopping_leaves_no_file(tmp_path: Path) -> None:
    source = samples.write_clip(tmp_path / "o.mp4", frames=12, sound="aac")
    target = tmp_path / "p.mp4"
    painter = Negative()
    made = stylize_video(source, target, painter, on_progress=lambda told: told.frames < 4)
    assert (made.stopped, made.frames, len(painter.shapes)) == (True, 4, 4)
    assert list(tmp_path.iterdir()) == [source]


def _interrupt(told: VideoProgress) -> None:
    raise KeyboardInterrupt


FAILURES: dict[str, tuple[dict[str, object], type[BaseException]]] = {
    "a callback raises": ({"on_progress": _interrupt}, KeyboardInterrupt),
    "too long a video": ({"limits": VideoLimits(max_frames=2)}, VideoError),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_leaves_the_older_file(name: str, tmp_path: Path) -> None:
    options, error = FAILURES[name]
    source = samples.write_clip(tmp_path / "o.mp4", frames=12)
    target = tmp_path / "p.mp4"
    target.write_bytes(b"older")
    with pytest.raises(error):
        stylize_video(source, target, Negative(), **options)  # type: ignore[arg-type]
    assert target.read_bytes() == b"older"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_a_full_disk_at_the_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> bool | None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(videos, "finish_video", fail)
    source = samples.write_clip(tmp_path / "o.mp4", frames=3)
    with pytest.raises(OSError, match="No space left"):
        stylize_video(source, tmp_path / "p.mp4", Negative())
    assert list(tmp_path.iterdir()) == [source]


def test_a_painter_that_fails_leaves_nothing(tmp_path: Path) -> None:
    source = samples.write_clip(tmp_path / "o.mp4", frames=6)
    with pytest.raises(ModelError, match="too little memory"):
        stylize_video(source, tmp_path / "p.mp4", Negative(fails_at=3))
    assert list(tmp_path.iterdir()) == [source]


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("#EXTM3U\nsecret.mp4\n")


def _sound(path: Path) -> None:
    samples.sound_only(path)


@pytest.mark.parametrize("make", [_empty, _text, _sound])
def test_what_is_no_video_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    source = tmp_path / "o.mp4"
    make(source)
    with pytest.raises(VideoError):
        stylize_video(source, tmp_path / "p.mp4", Negative())
    assert list(tmp_path.iterdir()) == [source]

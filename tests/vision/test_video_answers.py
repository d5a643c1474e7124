"""A child that decodes a hostile file may lie: nothing it says is believed unseen."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.sources.videos import VideoError, VideoInfo, VideoLimits, open_video
from vision.sources.videos.answers import AnswerChecker
from vision.sources.videos.limits import end_of
from vision.sources.videos.signatures import MP4

HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
INFO = VideoInfo(
    *("mp4", "h264", 8, 4, 0, 0.3, 3, 10.0, False, "video/mp4", ".mp4", "yuv420p"),
)
FRAMES = [{"slot": i, "timestamp": i / 10, "skipped": 0} for i in range(3)]
DONE = {"done": True, "end": 0.3, "skipped": 0, "truncated": False}
FORGER = """
import json
from pathlib import Path
from vision.sources.videos.process import Orders

orders = Orders()
orders.receive()
for answer in json.loads(Path(__file__).with_suffix(".json").read_text()):
    orders.send(answer)
while True:
    orders.receive_bytes(1)
"""


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list], Path]:
    """Have children answer what they are told, whatever the video is that comes back."""
    folder = tmp_path / "forged"
    folder.mkdir()
    (folder / "forged_child.py").write_text(FORGER)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr("vision.sources.videos.isolated._CHILD", "forged_child")

    def answer(messages: list) -> Path:
        (folder / "forged_child.json").write_text(json.dumps(messages))
        (tmp_path / "a.mp4").write_bytes(HEAD)
        return tmp_path / "a.mp4"

    return answer


def info_message(**changes: object) -> dict:
    return {"info": {**asdict(INFO), **changes}, "skipped": 0}


def test_a_plausible_child_is_believed(forge: Callable[[list], Path]) -> None:
    path = forge([info_message(), *FRAMES, DONE])
    with open_video(path) as source:
        assert source.info == INFO
        assert [frame.timestamp for frame in source] == [0.0, 0.1, 0.2]
        assert source.end == 0.3


FORGED = {
    "a web page": [info_message(media_type="text/html"), *FRAMES, DONE],
    "a path": [info_message(extension="/../../x"), *FRAMES, DONE],
    "times that repeat": [info_message(), FRAMES[0], FRAMES[1], FRAMES[1], DONE],
    "a slot beyond the memory": [info_message(), {**FRAMES[0], "slot": 99}],
    "an end without frames": [info_message(), DONE],
    "an endless last frame": [info_message(), *FRAMES, {**DONE, "end": 1e9}],
    "an unknown reason": [{"error": {"code": "<b>", "message": "No."}}],
    "a long reason": [{"error": {"code": "damaged_video", "message": "No. " * 1000}}],
    "a reason of control characters": [{"error": {"code": "damaged_video", "message": "\x1b[2J"}}],
    "no reason": [{"error": None}],
    "a list": [[]],
    "a number that is too long": [10**4000],
    "half a frame": [info_message(), {"slot": 0, "skipped": 0}],
}


@pytest.mark.parametrize("name", FORGED)
def test_a_child_that_lies_is_found_out(name: str, forge: Callable[[list], Path]) -> None:
    path = forge(FORGED[name])
    with pytest.raises(VideoError) as caught, open_video(path) as source:
        list(source)
    assert caught.value.code == "decoder_failed"
    assert len(caught.value.message) < 200


STRICT = VideoLimits(
    max_seconds=10, max_pixels=100, max_side=20, max_frames=30, max_rate=20, max_bytes=1000
)
LIES = [
    ("container", "webm"),
    ("container", "x" * 100),
    ("media_type", "video/webm"),
    ("extension", ".html"),
    ("codec", "y"),
    ("codec", None),
    ("width", 0),
    ("width", -1),
    ("width", 30),
    ("width", True),
    ("width", 4.0),
    ("height", 26),
    ("height", 10**30),
    ("rotation", 7),
    ("rotation", -90),
    ("duration", -1.0),
    ("duration", 10.5),
    ("duration", float("nan")),
    ("duration", float("inf")),
    ("duration", 10**400),
    ("frames", -1),
    ("frames", 31),
    ("rate", 0.0),
    ("rate", 21),
    ("rate", float("nan")),
    ("rate", "10"),
    ("has_audio", 1),
    ("pixel_format", "<script>"),
    ("pixel_format", "a" * 33),
    ("pixel_format", ""),
    ("unknown", 1),
]


@pytest.mark.parametrize(("name", "value"), LIES, ids=range(len(LIES)))
def test_no_lie_about_a_video_is_believed(name: str, value: object) -> None:
    with pytest.raises(VideoError) as caught:
        AnswerChecker(MP4, STRICT).info(info_message(**{name: value}))
    assert caught.value.code == "decoder_failed"


WRONG_TIMES = [
    [0.1],
    [-0.1],
    [0.0, 0.0],
    [0.0, 0.2, 0.1],
    [0.0, 10.1],
    [0.0, None],
    [0.0, float("nan")],
    [0.0, True],
    [0.0, "0.1"],
    [0.0, 1e300],
    [0.0, 10**400],
]


@pytest.mark.parametrize("times", WRONG_TIMES, ids=range(len(WRONG_TIMES)))
def test_no_impossible_time_is_believed(times: list) -> None:
    checker = AnswerChecker(MP4, STRICT)
    for stamp in times[:-1]:
        assert checker.timestamp({"timestamp": stamp}) == stamp
    with pytest.raises(VideoError) as caught:
        checker.timestamp({"timestamp": times[-1]})
    assert caught.value.code == "decoder_failed"


def test_more_frames_than_are_accepted_are_not_believed() -> None:
    checker = AnswerChecker(MP4, STRICT)
    for index in range(STRICT.max_frames):
        checker.timestamp({"timestamp": index / 10})
    with pytest.raises(VideoError):
        checker.timestamp({"timestamp": STRICT.max_frames / 10})


def test_more_frames_in_a_second_than_are_accepted_are_not_believed() -> None:
    checker = AnswerChecker(MP4, VideoLimits(max_rate=10))
    for index in range(21):
        checker.timestamp({"timestamp": index / 1e6})
    with pytest.raises(VideoError):
        checker.timestamp({"timestamp": 21 / 1e6})


@pytest.mark.parametrize("skipped", [None, -1, 1.0, True, 4, 1 << 40])
def test_left_out_frames_do_not_come_back(skipped: object) -> None:
    checker = AnswerChecker(MP4, STRICT)
    assert checker.skipped({"skipped": 5}) == 5
    with pytest.raises(VideoError):
        checker.skipped({"skipped": skipped})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(asdict(INFO))), json_values, min_size=1))
def test_what_is_believed_is_within_the_limits(changes: dict) -> None:
    with contextlib.suppress(VideoError):
        info = AnswerChecker(MP4, STRICT).info(info_message(**changes))
        assert (info.container, info.media_type, info.extension) == ("mp4", "video/mp4", ".mp4")
        assert info.width * info.height <= 100
        assert 0 <= info.duration <= 10
        assert 0 < info.rate <= 20


@given(st.floats(0, 20), st.floats(0, 1e9), st.floats(0, 10), st.floats(0.001, 20))
def test_nothing_is_shown_for_longer_than_is_accepted(
    last: float, shown: float, duration: float, rate: float
) -> None:
    info = VideoInfo(**{**asdict(INFO), "duration": duration, "rate": rate})
    end = end_of(last, shown, info, STRICT)
    assert last <= end <= max(last, STRICT.max_seconds)
    assert end >= min(last + 1 / rate, STRICT.max_seconds)

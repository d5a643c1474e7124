"""Pictures and videos that a network paints in a single pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from common.jobs import runner
from common.jobs.services import cancel_job
from common.models import Job
from common.storage.work import work_root
from styletransfer.models import Restyling, Style
from styletransfer.services import progress
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import restyle_video
from styletransfer.services.styles import delete_style, share_style
from tests.integration.styletransfer.makers import (
    GONE,
    again,
    decode,
    distance,
    failure,
    media,
    picture,
    pixels_of,
    restyle,
    rows,
    run_job,
)
from tests.made_videos import make_clip
from vision.style.feed_forward import FeedForwardStylizer
from vision.style.patterns import PATTERNS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("silent", "lightly"),
]
State = Job.State
News = list[tuple[str, dict[str, Any]]]


# Fast


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.slow
def test_a_fast_picture_is_painted_in_a_single_pass(user: Any, candy: Style, news: News) -> None:
    made = run_job(restyle(user, candy))
    assert (made.status, made.job.error_message) == ("done", "")
    assert pixels_of(made).shape == (72, 96, 3)
    assert (made.width, made.height, made.model) == (96, 72, "candy")
    assert made.seconds > 0
    assert (made.losses, made.steps_made) == ([], 0)
    assert distance(pixels_of(made), decode(picture())) > 10
    assert media() == {"uploads": 1, "thumbnails": 1, "derived": 2}
    assert news[-1][1]["status"] == "done"
    small, kept = (
        run_job(restyle(user, candy, **wishes)) for wishes in ({"size": 64}, {"keep_colours": "1"})
    )
    assert pixels_of(small).shape == (48, 64, 3)
    assert colour_change(kept) < 0.5 * colour_change(made)


def colour_change(restyling: Restyling) -> float:
    before, after = (
        cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)[..., 1:].astype(int)
        for image in (decode(picture()), pixels_of(restyling))
    )
    return float(np.abs(before - after).mean())


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.slow
def test_a_slow_painting_can_begin_with_a_fast_one(user: Any, own_style: Style) -> None:
    wishes = {"start": "fast", "start_network": "candy", "steps": 2}
    made = run_job(restyle(user, own_style, **wishes))
    assert (made.status, made.job.error_message) == ("done", "")
    plain = run_job(restyle(user, own_style, steps=2))
    assert distance(pixels_of(made), pixels_of(plain)) > 5


@pytest.mark.usefixtures("fast_engine")
def test_a_network_that_cannot_be_had_is_said_in_words(user: Any) -> None:
    made = run_job(restyle(user, Style.objects.get(key="fast:udnie")))
    code, message = failure(made)
    assert code not in ("", "internal_error")
    assert "udnie" in message
    wishes = {"start": "fast", "start_network": "udnie"}
    pattern = Style.objects.get(key=next(iter(PATTERNS)))
    assert failure(run_job(restyle(user, pattern, **wishes)))[0] == code


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.parametrize("what", ["picture", "file", "damaged", "style"])
def test_a_fast_painting_of_what_is_gone_fails_in_words(what: str, user: Any, candy: Style) -> None:
    made = restyle(user, candy)
    take, wanted = GONE[what]
    take(again(made))
    code, _ = failure(run_job(made))
    assert code == (wanted or code) != "internal_error"


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.parametrize("wishes", [{}, {"start": "fast", "start_network": "candy"}])
def test_what_is_larger_than_is_taken_by_now_fails_in_words(
    wishes: dict[str, Any], user: Any, candy: Style, own_style: Style, settings: Any
) -> None:
    made = restyle(user, own_style if wishes else candy, **wishes)
    settings.SIGHTLINE_MAX_PIXELS = 100
    assert failure(run_job(made))[0] == "too_many_pixels"


# Videos


def make_sound_clip(path: Path) -> Path:
    """A clip of six frames with a tone."""
    made_silent = make_clip(path.with_name("silent.mp4"), seconds=0.6)
    with av.open(str(made_silent)) as source, av.open(str(path), "w") as out:
        pictures = source.streams.video[0]
        stream = out.add_stream_from_template(pictures)
        tone = out.add_stream("aac", rate=48_000, layout="mono")
        for packet in source.demux(pictures):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
        for at in range(0, 28_800, 1024):
            wave = np.sin(np.arange(at, at + 1024) * 0.06).astype(np.float32)[None] * 0.3
            frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
            frame.sample_rate, frame.pts = 48_000, at
            out.mux(tone.encode(frame))
        out.mux(tone.encode(None))
    return path


def restyle_clip(owner: Any, style: Style, path: Path, **options: Any) -> Restyling:
    return restyle_video(
        owner=owner,
        chunks=[path.read_bytes()],
        file_name=path.name,
        style=style,
        options=parse_options(options, is_fast=True),
    )


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.slow
def test_every_frame_of_a_video_is_painted_and_its_sound_kept(
    user: Any, candy: Style, tmp_path: Path, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SHOW_SECONDS", 0.0)
    made = run_job(restyle_clip(user, candy, make_sound_clip(tmp_path / "walk.mp4"), size=64))
    assert (made.status, made.job.error_message) == ("done", "")
    assert (made.frames, made.has_sound, made.width, made.height) == (6, True, 64, 48)
    assert made.result is not None
    assert made.result.media_type == "video/mp4"
    with av.open(made.result.file.path) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video)]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 6
    steps = [one for _, one in news if one["type"] == "restyling.step"]
    assert [one["step"] for one in steps] == list(range(1, 7))
    assert {len(one["losses"]) for one in steps} == {0}
    assert made.thumbnail is not None
    assert media() == {"uploads": 1, "thumbnails": 1, "derived": 2}
    assert list(work_root().iterdir()) == []


@pytest.mark.usefixtures("fast_engine")
@pytest.mark.parametrize("end", ["stopped", "interrupted", "deleted", "disk"])
def test_a_part_of_a_video_is_not_kept(
    end: str, user: Any, candy: Style, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = restyle_clip(user, candy, make_clip(tmp_path / "walk.mp4", seconds=0.5))
    paint = FeedForwardStylizer.stylize

    def end_it(self: Any, *args: Any, **options: Any) -> Any:
        if end == "stopped":
            cancel_job(job=Job.objects.get(pk=made.job_id))
        elif end == "interrupted":
            runner.request_stop()
        elif end == "deleted":
            delete_restyling(restyling=again(made), user=user)
        else:
            raise OSError(28, "No space left on device")
        monkeypatch.setattr(FeedForwardStylizer, "stylize", paint)
        return paint(self, *args, **options)

    monkeypatch.setattr(FeedForwardStylizer, "stylize", end_it)
    try:
        runner.execute_job(made.job_id)
    finally:
        runner.allow_start()
    assert list(work_root().iterdir()) == []
    if end == "deleted":
        assert (rows()["Restyling"], media()) == (0, {})
        return
    ended = again(made)
    wanted = {"stopped": "cancelled", "interrupted": "queued", "disk": "failed"}
    assert (ended.status, ended.result) == (wanted[end], None)
    assert ended.job.error_code == ("disk_full" if end == "disk" else "")
    assert media() == {"uploads": 1, "thumbnails": 1}


def test_an_administrator_takes_a_shared_style_away_and_what_waits_says_so(
    user: Any, other_user: Any, chief: Any, own_style: Style
) -> None:
    share_style(style=own_style, user=user, audience="everybody")
    made = restyle(other_user, own_style)
    delete_style(style=own_style, user=chief)
    code, message = failure(run_job(made))
    assert code == "style_deleted"
    assert "night sky" in message

"""Statistics of a whole video, its progress, and the whole chain over a real file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import supervision as sv
from test_pipeline import WalkingEngine
from video_samples import write_clip

from vision.activity import ActivityState
from vision.analytics.timeline import Timeline
from vision.motion import MotionResult
from vision.pipeline.collect import Collector, EndedTrack
from vision.pipeline.config import PipelineConfig
from vision.pipeline.progress import Progress, SpeedMeter
from vision.pipeline.results import FrameResult
from vision.pipeline.video import VideoTask, analyse_video
from vision.sources.videos import VideoError, VideoInfo
from vision.structures import Frame

START = datetime(2026, 1, 1, tzinfo=UTC)
IMAGE = np.zeros((120, 160, 3), np.uint8)


def person(index: int, track: int = 1) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array([[10 + index, 20, 40 + index, 100]], np.float32),
        confidence=np.array([0.9], np.float32),
        class_id=np.array([0]),
        tracker_id=np.array([track]),
        data={"class_name": np.array(["person"])},
    )


def result(index: int, detections: sv.Detections, **more: Any) -> FrameResult:
    frame = Frame(IMAGE, index, index / 10, START, "test")
    return FrameResult(frame, detections, detected=True, **more)


def collect(results: list[FrameResult]) -> tuple[list[EndedTrack], dict[str, Any], Collector]:
    tracks: list[EndedTrack] = []
    collector = Collector(width=160, height=120, on_tracks=tracks.extend, patience=1.5)
    for item in results:
        collector.add(item, IMAGE)
    return tracks, collector.finish(), collector


def test_an_empty_video_has_empty_statistics() -> None:
    tracks, statistics, _ = collect([])
    assert tracks == []
    assert statistics["tracks"] == 0
    assert statistics["classes"] == {}
    assert statistics["timeline"]["classes"] == {}


def test_a_track_ends_with_its_figures_and_a_look() -> None:
    tracks, statistics, _ = collect([result(index, person(index)) for index in range(50)])
    (track,) = tracks
    assert track.trajectory.track_id == 1
    assert len(track.trajectory.times) == 50
    assert track.figures.dwell == pytest.approx(4.9)
    assert track.figures.displacement == pytest.approx(49, abs=2)
    assert track.snapshot is not None
    assert track.snapshot.startswith(b"\xff\xd8")
    expected = {"tracks": 1, "mean_dwell": 4.9, "most_at_once": 1}
    assert statistics["classes"] == {"person": expected}
    assert statistics["timeline"]["classes"]["person"] == [1.0] * 5
    assert statistics["timeline"]["speed"][1] == pytest.approx(10, rel=0.2)


def test_tracks_that_have_ended_leave_memory_before_the_end() -> None:
    seen: list[int] = []
    collector = Collector(
        width=160,
        height=120,
        patience=1.5,
        on_tracks=lambda ended: seen.extend(t.trajectory.track_id for t in ended),
    )
    for index in range(4000):
        collector.add(result(index, person(index % 60, track=1 + index // 10)), IMAGE)
    assert len(seen) >= 200
    collector.finish()
    assert sorted(seen) == list(range(1, 401))


def test_motion_and_activities_become_events() -> None:
    moving = MotionResult(np.array([[10, 10, 50, 90]], np.float32), 0.2, True)
    state = ActivityState(1, "walking", 0.9, "1.1 body heights a second")
    results = [result(at, person(at), motion=moving, activities=[state]) for at in range(40)]
    _, statistics, collector = collect(results)
    (motion,) = collector.motion
    assert motion.snapshot is not None
    assert motion.event.peak_share == pytest.approx(0.2)
    assert statistics["motion"]["events"] == 1
    assert [item.label for item in collector.activity_events] == ["walking"]
    assert statistics["activities"]["walking"] == pytest.approx(3.9, abs=0.5)


def test_nobody_meets_where_nobody_asked_what_people_do() -> None:
    two = sv.Detections.merge([person(0, 1), person(6, 2)])
    _, _, collector = collect([result(at, two) for at in range(80)])
    assert collector.activity_events == []


def test_a_day_of_video_is_at_most_so_many_steps() -> None:
    timeline = Timeline()
    for second in range(0, 86_400, 5):
        timeline.add(person(0), float(second))
    summary = timeline.summary()
    assert len(summary["classes"]["person"]) <= 600
    assert summary["step"] * len(summary["confidence"]) >= 86_395
    assert timeline.most_at_once == {"person": 1}


def info(duration: float = 10.0, rate: float = 10.0) -> VideoInfo:
    return VideoInfo(
        *("mp4", "h264", 160, 120, 0, duration, 100, rate, False, "video/mp4", ".mp4", "yuv420p")
    )


@pytest.mark.parametrize(
    ("duration", "share", "left"), [(10.0, 0.5, 2.5), (0.0, 0.0, None)], ids=["known", "unknown"]
)
def test_time_left_follows_from_the_pace(duration: float, share: float, left: float | None) -> None:
    now = [0.0]
    meter = SpeedMeter(info(duration), clock=lambda: now[0])
    progress = meter.add(0.0, IMAGE)
    assert progress.seconds_left is None
    for frame in range(1, 51):
        now[0] = frame / 20
        progress = meter.add(frame / 10, IMAGE)
    assert progress.share == pytest.approx(share)
    assert progress.frames_per_second == pytest.approx(20, rel=0.1)
    assert progress.seconds_left == (pytest.approx(left, rel=0.1) if left else None)


@pytest.mark.parametrize("styles", [(), ("boxes", "trails", "heat")], ids=["plain", "all"])
def test_a_file_becomes_an_annotated_file_as_long_as_it(
    tmp_path: Path, styles: tuple[str, ...]
) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=30, rate=12, sound="aac")
    target = tmp_path / "out.mp4"
    seen: list[Progress] = []
    tracks: list[EndedTrack] = []
    summary = analyse_video(
        source,
        VideoTask(PipelineConfig(motion="mog2", hide_people=bool(styles)), styles=styles),
        engine=WalkingEngine(),  # type: ignore[arg-type]
        target=target,
        on_tracks=tracks.extend,
        on_progress=seen.append,
    )
    assert summary.statistics["frames"] == len(seen) == 30
    assert summary.statistics["duration"] == pytest.approx(2.5, abs=0.09)
    assert [track.trajectory.track_id for track in tracks] == [1]
    with av.open(str(target)) as made:
        assert made.streams.video[0].codec_context.name == "h264"
        assert len(made.streams.audio) == 1
        assert float(made.duration / av.time_base) == pytest.approx(2.5, abs=0.1)
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


class StopHere(Exception):  # noqa: N818
    """Somebody cancels."""


def test_whoever_cancels_leaves_no_file(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", frames=30, rate=12)

    def stop(progress: Progress) -> None:
        if progress.frames == 7:
            raise StopHere

    with pytest.raises(StopHere):
        analyse_video(
            source,
            VideoTask(PipelineConfig()),
            engine=WalkingEngine(),  # type: ignore[arg-type]
            target=tmp_path / "out.mp4",
            on_progress=stop,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_text("Not a video at all, only words.\n" * 50)
    with pytest.raises(VideoError) as caught:
        analyse_video(path, VideoTask(PipelineConfig()), engine=WalkingEngine())  # type: ignore[arg-type]
    assert caught.value.code == "not_a_video"

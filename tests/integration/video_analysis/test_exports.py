"""Results as files, written from a few seconds of the video at a time."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from detector.models import DetectionSession
from video_analysis.models import TrajectoryChunk, VideoAnalysis
from video_analysis.services.exports import (
    EXPORTS,
    export_video,
    measured_rate,
    motchallenge,
    points_csv,
    stem_of,
)
from video_analysis.services.points import Chunk, iterate_windows
from video_analysis.services.streams import ExportStream
from vision.encoding.motchallenge import parse_motchallenge
from vision.encoding.trajectories import pack_trajectories, unpack_points
from vision.structures.trajectories import Trajectory

Make = Callable[..., DetectionSession]


def track(number: int, times: Any, *, name: str = "person") -> Trajectory:
    """A way whose boxes tell track and time: the left edge is the number, the top the time."""
    times = np.asarray(times, np.float64)
    left, top = np.full(len(times), float(number)), times.round()
    return Trajectory(
        track_id=number,
        class_id=0,
        class_name=name,
        times=times,
        boxes=np.column_stack((left, top, left + 4, top + 8)).astype(np.float32),
        confidence=np.full(len(times), 0.5, np.float32),
        detected=np.ones(len(times), np.bool_),
    )


def chunk(*tracks: Trajectory) -> Chunk:
    blob = pack_trajectories(tracks)
    return Chunk(min(item.start for item in tracks), lambda: blob)


def content(session: DetectionSession, form: str) -> bytes:
    return b"".join(export_video(session, form).pieces)


def all_points(session: DetectionSession) -> list[tuple[float, int]]:
    """Time and track of every stored point."""
    found = []
    for data in session.video.chunks.values_list("data", flat=True):
        points = unpack_points(bytes(data))
        ids = points.track_ids[points.track_index]
        found += list(zip(points.times.round(5).tolist(), ids.tolist(), strict=True))
    return sorted(found)


@pytest.fixture
def busy(make_video_session: Make) -> DetectionSession:
    """A minute with 41 tracks in eleven chunks that overlap."""
    return make_video_session(tracks=41, seconds=60, chunk=4)


@pytest.mark.django_db
def test_the_log_has_every_point_once_in_the_order_of_time(busy: DetectionSession) -> None:
    told = json.loads(content(busy, "json"))
    assert (told["session"], told["file"]["frames"]) == (str(busy.pk), 600)
    times = [frame["time"] for frame in told["frames"]]
    assert times == sorted(set(times))
    found = [
        (frame["time"], item["track"]) for frame in told["frames"] for item in frame["objects"]
    ]
    assert found == all_points(busy)
    item = told["frames"][0]["objects"][0]
    assert set(item) == {"track", "class", "class_id", "confidence", "bbox", "detected"}
    assert item["bbox"][2:] == pytest.approx([19.25, 36], abs=0.3)


@pytest.mark.django_db
def test_the_table_has_one_row_per_point(busy: DetectionSession) -> None:
    rows = list(csv.DictReader(io.StringIO(content(busy, "csv").decode("utf-8-sig"))))
    assert sorted((float(row["time"]), int(row["track"])) for row in rows) == all_points(busy)
    assert {row["class"] for row in rows} == {"person", "car", "dog"}
    assert {row["detected"] for row in rows} == {"0", "1"}


@pytest.mark.django_db
def test_motchallenge_counts_frames(busy: DetectionSession) -> None:
    found = parse_motchallenge(content(busy, "mot").decode())
    expected = [(round(time * 10) + 1, number) for time, number in all_points(busy)]
    assert list(zip(found.frames.tolist(), found.ids.tolist(), strict=True)) == expected


@pytest.mark.django_db
def test_statistics_have_tracks_and_what_happened(busy: DetectionSession) -> None:
    told = json.loads(content(busy, "statistics"))
    assert [row["number"] for row in told["tracks"]] == list(range(1, 42))
    assert [row["kind"] for row in told["events"]] == ["activity", "activity", "motion", "group"]
    assert told["statistics"] == busy.video.statistics
    assert told["options"]["tracker"] == "bytetrack"


@pytest.mark.django_db
@pytest.mark.parametrize("form", EXPORTS)
def test_a_video_without_tracks_has_its_exports(make_video_session: Make, form: str) -> None:
    session = make_video_session(tracks=0, motion=False, activity=False)
    written = content(session, form)
    if form in ("json", "statistics"):
        told = json.loads(written)
        assert not told.get("frames")
        assert not told.get("tracks")
    else:
        assert len(written.splitlines()) == (1 if form == "csv" else 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "media_type", "name"),
    [
        ("json", "application/json", "street.json"),
        ("csv", "text/csv; charset=utf-8", "street.csv"),
        ("mot", "text/plain; charset=utf-8", "street-mot.txt"),
        ("statistics", "application/json", "street-statistics.json"),
    ],
)
def test_a_file_is_offered_for_saving(
    api: APIClient, video_session: DetectionSession, form: str, media_type: str, name: str
) -> None:
    answer = api.get(f"/api/videos/{video_session.pk}/export", {"format": form})
    assert (answer.status_code, answer["Content-Type"]) == (200, media_type)
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    stored = DetectionSession.objects.get(pk=video_session.pk)
    assert b"".join(answer) == content(stored, form)


@pytest.mark.django_db
def test_a_format_that_is_not_known_is_refused(
    api: APIClient, video_session: DetectionSession
) -> None:
    answer = api.get(f"/api/videos/{video_session.pk}/export", {"format": "xlsx"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_format")


@pytest.mark.django_db(transaction=True)
def test_under_a_server_the_same_is_sent_piece_by_piece(busy: DetectionSession) -> None:
    export = export_video(busy, "csv")

    async def read() -> list[bytes]:
        return [piece async for piece in ExportStream(export)]

    pieces = async_to_sync(read)()
    assert len(pieces) > 20
    assert b"".join(pieces) == content(busy, "csv")


@pytest.mark.django_db
def test_what_is_replaced_while_it_is_sent_is_left_out(busy: DetectionSession) -> None:
    pieces = export_video(busy, "json").pieces
    head = next(pieces)
    TrajectoryChunk.objects.all().delete()
    assert json.loads(head + b"".join(pieces))["frames"] == []


def test_a_name_that_a_spreadsheet_would_run_is_escaped() -> None:
    text = b"".join(points_csv([chunk(track(1, [0.0], name='=cmd|"/c calc"!A1'))])).decode(
        "utf-8-sig"
    )
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["class"] == '\'=cmd|"/c calc"!A1'


NAMES = [
    ("street.mp4", "street"),
    ("street.MOV", "street"),
    ("v1.2 final", "v1.2 final"),
    ("../../etc/passwd", "_.._etc_passwd"),
    (".mp4", "mp4"),
    ("", "picture"),
    ("x" * 300, "x" * 120),
]


@pytest.mark.parametrize(("name", "stem"), NAMES)
def test_a_file_is_called_as_the_video(name: str, stem: str) -> None:
    assert stem_of(name) == stem


RATES = [
    ({"frames": 100, "duration": 10.0}, 10.0),
    ({"frames": 90, "frames_skipped": 10, "duration": 10.0}, 10.0),
    ({"frames": 0, "duration": 0.0}, 25.0),
    ({}, 25.0),
]


@pytest.mark.parametrize(("statistics", "rate"), RATES)
def test_the_rate_is_that_of_the_frames_that_came(statistics: dict[str, Any], rate: float) -> None:
    assert measured_rate(statistics, 25.0) == rate


def test_frames_that_come_unevenly_have_numbers_of_their_own() -> None:
    times = [0.0, 0.01, 0.02, 0.5, 0.51, 1.0]
    text = b"".join(motchallenge([chunk(track(1, times), track(2, times[2:]))], rate=6.0)).decode()
    found = parse_motchallenge(text)
    assert found.frames[found.ids == 1].tolist() == [1, 2, 3, 4, 5, 7]
    assert found.frames[found.ids == 2].tolist() == [3, 4, 5, 7]


@given(
    spans=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 200)), min_size=1, max_size=12),
    size=st.integers(1, 4),
    seconds=st.sampled_from([0.7, 1.0, 3.0, 50.0]),
)
def test_windows_have_every_point_once_in_order(
    spans: list[tuple[int, int]], size: int, seconds: float
) -> None:
    tracks = [
        track(number, np.arange(first, first + count) / 10)
        for number, (first, count) in enumerate(spans, start=1)
    ]
    chunks = [chunk(*tracks[at : at + size]) for at in range(0, len(tracks), size)]
    found = []
    for window in iterate_windows(chunks, seconds=seconds):
        assert window.times[-1] - window.times[0] <= seconds
        assert np.all(np.diff(window.times[window.starts[:-1]]) > 0)
        assert window.starts[-1] == len(window.times)
        assert window.boxes[:, 0].round().tolist() == window.tracks.tolist()
        found += list(zip(window.times.tolist(), window.tracks.tolist(), strict=True))
    expected = sorted(
        (float(time), item.track_id) for item in tracks for time in (item.times * 1e5).round() / 1e5
    )
    assert found == expected


def test_no_chunks_are_no_windows() -> None:
    assert list(iterate_windows([])) == []
    assert list(iterate_windows([Chunk(3.0, lambda: None)])) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "mot"])
def test_many_points_are_written_in_little_memory(form: str) -> None:
    """Three quarters of an hour of 14 people at a time, five frames a second."""

    def read(at: int) -> bytes:
        tracks = [track(at * 10 + number, at * 60 + np.arange(300) / 5) for number in range(1, 15)]
        return pack_trajectories(tracks)

    chunks = [Chunk(at * 60.0, lambda at=at: read(at)) for at in range(45)]
    tracemalloc.start()
    writer = points_csv(chunks) if form == "csv" else motchallenge(chunks, rate=5.0)
    size = sum(map(len, writer))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 6_000_000
    assert most < 6_000_000


@pytest.mark.django_db
def test_damage_is_no_answer_of_half_a_file(
    api: APIClient, video_session: DetectionSession
) -> None:
    TrajectoryChunk.objects.update(data=b"nonsense")
    answer = api.get(f"/api/videos/{video_session.pk}/tracks/1/trajectory")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "bad_trajectories"
    assert VideoAnalysis.objects.count() == 1

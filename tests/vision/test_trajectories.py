"""Trajectories: recording them, packing them, and what they say."""

import contextlib
import struct
from collections.abc import Sequence

import numpy as np
import pytest
import supervision as sv
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision.analytics.trajectories import describe_trajectory
from vision.encoding import trajectories as codec
from vision.encoding.trajectories import pack_trajectories, unpack_points, unpack_trajectories
from vision.errors import VisionError
from vision.structures.trajectories import Trajectory
from vision.tracking import TrajectoryRecorder

RATE = 25


def make_trajectory(
    x: NDArray[np.float64],
    y: NDArray[np.float64] | float,
    times: NDArray[np.float64] | None = None,
    *,
    track: int = 1,
    size: tuple[float, float] = (50, 120),
) -> Trajectory:
    """A box whose centre goes along x, y."""
    n = len(x)
    half = np.array(size) / 2
    centres = np.stack(np.broadcast_arrays(x, y), axis=1)
    boxes = np.concatenate((centres - half, centres + half), axis=1).astype(np.float32)
    seconds = np.arange(n) / RATE if times is None else times
    return Trajectory(
        track, 0, "person", seconds, boxes, np.full(n, 0.8, np.float32), np.ones(n, np.bool_)
    )


def walk(track: int, length: int, *, jitter: float = 0.4) -> Trajectory:
    rng = np.random.default_rng(track)
    start, speed = rng.uniform(50, 800, 2), rng.uniform(-3, 3, 2)
    steps = np.arange(length)
    noise = rng.normal(0, jitter, (length, 4))
    centres, half = start + steps[:, None] * speed, np.array([20, 60])
    boxes = np.concatenate((centres - half, centres + half), axis=1) + noise
    seconds = (rng.integers(0, 1000) + steps) / RATE
    confidence = np.clip(0.8 + rng.normal(0, 0.03, length), 0, 1).astype(np.float32)
    detected = np.ones(length, np.bool_)
    detected[1::2] = track % 2 == 0
    return Trajectory(
        track, track % 3, f"class {track % 3}", seconds, boxes.astype(np.float32), confidence,
        detected,
    )  # fmt: skip


def assert_same(read: Sequence[Trajectory], written: Sequence[Trajectory], error: float) -> None:
    assert len(read) == len(written)
    for ours, theirs in zip(read, written, strict=True):
        assert (ours.track_id, ours.class_id, ours.class_name) == (
            theirs.track_id,
            theirs.class_id,
            theirs.class_name,
        )
        np.testing.assert_allclose(ours.times, theirs.times, rtol=1e-12, atol=5.01e-6)
        np.testing.assert_allclose(ours.boxes, theirs.boxes, rtol=0, atol=error)
        np.testing.assert_allclose(ours.confidence, theirs.confidence, rtol=0, atol=0.005)
        np.testing.assert_array_equal(ours.detected, theirs.detected)
        assert ours.boxes.dtype == np.float32
        assert ours.times.dtype == np.float64


@pytest.mark.parametrize(
    "lengths",
    [[], [0], [1], [0, 3, 0, 1], [40, 57, 300]],
    ids=["no tracks", "no points", "one point", "some empty", "several"],
)
def test_packed_and_read_again(lengths: list[int]) -> None:
    tracks = [walk(number + 1, length) for number, length in enumerate(lengths)]
    blob = pack_trajectories(tracks)
    assert_same(unpack_trajectories(blob), tracks, 0.1251)
    points = unpack_points(blob)
    assert len(points) == sum(lengths)
    assert points.track_index.tolist() == np.repeat(np.arange(len(lengths)), lengths).tolist()
    assert points.foot_points.shape == (sum(lengths), 2)


def test_long_tracks_take_few_bytes() -> None:
    tracks = [walk(number, 60) for number in range(1, 201)]
    assert len(pack_trajectories(tracks)) / (200 * 60) <= 4.5


def test_jumping_boxes_take_few_bytes_and_stay_within_a_quarter_pixel() -> None:
    tracks = [walk(number, 60, jitter=6) for number in range(1, 201)]
    blob = pack_trajectories(tracks)
    assert len(blob) / (200 * 60) <= 4.5
    assert_same(unpack_trajectories(blob), tracks, 0.2351)


@pytest.mark.parametrize(
    "times",
    [
        np.arange(500) / 25,
        np.arange(500) * 1001 / 30000,
        3_600_000 + np.arange(500) / 240,
        np.cumsum(np.random.default_rng(0).uniform(0.001, 0.3, 500)),
    ],
    ids=["25 fps", "29.97 fps", "late", "irregular"],
)
def test_times_are_exact_to_ten_microseconds(times: NDArray[np.float64]) -> None:
    track = make_trajectory(np.linspace(0, 900, 500), 300, times)
    (read,) = unpack_trajectories(pack_trajectories([track]))
    assert np.abs(read.times - times).max() <= 5.01e-6
    assert (np.diff(read.times) > 0).all()


def test_a_regular_rate_costs_nothing_per_point() -> None:
    same = np.zeros(10_000)
    assert len(pack_trajectories([make_trajectory(same, 300)])) < 500


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.floats(-1e5, 1e5, width=32),
                st.floats(-1e5, 1e5, width=32),
                st.floats(0, 3000, width=32),
                st.floats(0, 3000, width=32),
                st.floats(0, 1, width=32),
                st.booleans(),
            ),
            max_size=12,
        ),
        max_size=5,
    )
)
def test_any_boxes_are_read_back_within_a_quarter_pixel(
    rows: list[list[tuple[float, float, float, float, float, bool]]],
) -> None:
    tracks = []
    for number, points in enumerate(rows):
        values = np.array([point[:5] for point in points], np.float64).reshape(-1, 5)
        boxes = np.concatenate((values[:, :2], values[:, :2] + values[:, 2:4]), axis=1)
        tracks.append(
            Trajectory(
                number * 1000,
                number - 2,
                "naïve „class“",
                np.arange(len(points)) * 0.37,
                boxes.astype(np.float32),
                values[:, 4].astype(np.float32),
                np.array([point[5] for point in points], np.bool_),
            )
        )
    assert_same(unpack_trajectories(pack_trajectories(tracks)), tracks, 0.25)


@pytest.mark.parametrize(
    "track",
    [
        make_trajectory(np.array([np.nan]), 1),
        make_trajectory(np.array([1e9]), 1),
        make_trajectory(np.array([1.0]), 1, np.array([np.inf])),
        make_trajectory(np.array([1.0]), 1, np.array([1e15])),
    ],
    ids=["not a number", "far away", "never", "too late"],
)
def test_absurd_values_are_not_packed(track: Trajectory) -> None:
    with pytest.raises(VisionError) as caught:
        pack_trajectories([track])
    assert caught.value.code == "bad_trajectories"


def refused(blob: bytes) -> None:
    with pytest.raises(VisionError) as caught:
        unpack_trajectories(blob)
    assert caught.value.code == "bad_trajectories"


@pytest.mark.parametrize("blob", [b"", b"SLTJ", b"x" * 500], ids=["empty", "magic", "noise"])
def test_what_is_no_blob_is_refused(blob: bytes) -> None:
    refused(blob)


def test_cut_and_padded_blobs_are_refused() -> None:
    blob = pack_trajectories([walk(1, 50), walk(2, 20)])
    for end in range(0, len(blob), 7):
        refused(blob[:end])
    refused(blob + b"\0")


def test_another_version_is_refused() -> None:
    blob = bytearray(pack_trajectories([walk(1, 50)]))
    blob[4] = 2
    refused(bytes(blob))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_blobs_never_crash(data: st.DataObject) -> None:
    blob = bytearray(pack_trajectories([walk(1, 50), walk(2, 20)]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(blob) - 1))
        blob[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(VisionError):
        points = unpack_points(bytes(blob))
        assert np.isfinite(points.boxes).all()
        assert np.isfinite(points.times).all()


@pytest.mark.parametrize("count", [2, 3, 4], ids=["tracks", "points", "frames"])
def test_a_header_that_claims_much_allocates_nothing(count: int) -> None:
    blob = bytearray(pack_trajectories([walk(1, 50)]))
    struct.pack_into("<I", blob, 4 * count, 0xFFFFFFFF)
    refused(bytes(blob))


def test_a_column_that_claims_to_be_huge_is_not_unpacked() -> None:
    blob = pack_trajectories([walk(1, 50)])
    sizes = list(codec._SIZES.unpack_from(blob, codec._HEADER.size))
    start = codec._HEADER.size + codec._SIZES.size
    columns, at = [], start
    for size in sizes[1::2]:
        columns.append(blob[at : at + size])
        at += size
    columns[-1] = zstandard.ZstdCompressor().compress(b"\1" * 200_000_000)
    sizes[-1] = len(columns[-1])
    head = blob[: codec._HEADER.size] + codec._SIZES.pack(*sizes)
    refused(head + b"".join(columns))


def tracked(
    ids: list[int], *, names: list[str] | None = None, predicted: bool = False
) -> sv.Detections:
    n = len(ids)
    names = names or ["person"] * n
    known = {"person": 0, "car": 2, "truck": 7}
    return sv.Detections(
        xyxy=np.tile(np.array([1, 2, 3, 4], np.float32), (n, 1)),
        confidence=np.full(n, 0.5, np.float32),
        class_id=np.array([known[name] for name in names], int),
        tracker_id=np.array(ids, int),
        data={"class_name": np.array(names), "predicted": np.full(n, predicted)},
    )


def test_tracks_are_handed_out_when_they_end() -> None:
    recorder = TrajectoryRecorder()
    for step in range(300):
        recorder.add(tracked([1, 2] if step < 100 else [2]), step * 0.1)
    assert recorder.take_finished(9.0) == []
    (first,) = recorder.take_finished(20.0)
    assert (first.track_id, len(first), first.end) == (1, 100, pytest.approx(9.9))
    assert recorder.take_finished(20.0) == []
    (second,) = recorder.finish()
    assert (second.track_id, len(second)) == (2, 300)
    assert recorder.finish() == []


def test_what_nobody_saw_at_the_end_is_not_recorded() -> None:
    recorder = TrajectoryRecorder()
    for step, predicted in enumerate([False, True, False, True, True]):
        recorder.add(tracked([5], predicted=predicted), step * 1.0)
    recorder.add(tracked([6], predicted=True), 9.0)
    (only,) = recorder.finish()
    assert only.detected.tolist() == [True, False, True]
    assert only.track_id == 5


def test_the_class_of_a_track_is_what_most_sightings_say() -> None:
    recorder = TrajectoryRecorder()
    for step, name in enumerate(["truck", "car", "car", "truck", "car"]):
        recorder.add(tracked([1], names=[name]), step * 1.0)
    (only,) = recorder.finish()
    assert (only.class_id, only.class_name) == (2, "car")


def test_nothing_recorded_is_nothing() -> None:
    recorder = TrajectoryRecorder()
    recorder.add(sv.Detections.empty(), 1.0)
    assert recorder.finish() == []
    with pytest.raises(ValueError, match="tracker_id"):
        recorder.add(sv.Detections(xyxy=np.zeros((1, 4), np.float32)), 2.0)


TIMES = np.arange(250) / RATE
JITTER = np.random.default_rng(0).normal(0, 2, (2, 250))


def test_who_stands_goes_nowhere() -> None:
    figures = describe_trajectory(
        make_trajectory(300 + JITTER[0], 200 + JITTER[1]), width=640, height=480
    )
    assert figures.path_length == figures.mean_speed == figures.top_speed == 0
    assert figures.direction_changes == 0
    assert figures.displacement < 10
    assert figures.dwell == pytest.approx(249 / RATE)
    assert (figures.entry_side, figures.exit_side) == ("inside", "inside")


def test_who_walks_through_the_picture() -> None:
    path = make_trajectory(25 + 59 * TIMES + JITTER[0], 200 + JITTER[1])
    figures = describe_trajectory(path, width=640, height=480, metres_per_pixel=0.02)
    assert figures.path_length == pytest.approx(588, rel=0.03)
    assert figures.mean_speed == pytest.approx(59, rel=0.03)
    assert figures.top_speed == pytest.approx(59, rel=0.15)
    assert figures.mean_speed_bh == pytest.approx(59 / 120, rel=0.04)
    assert figures.path_length_bh == pytest.approx(588 / 120, rel=0.04)
    assert figures.mean_speed_mps == pytest.approx(1.18, rel=0.03)
    assert figures.path_length_m == pytest.approx(11.8, rel=0.03)
    assert figures.direction_changes == 0
    assert (figures.entry_side, figures.exit_side) == ("left", "right")


@pytest.mark.parametrize(
    ("x", "y", "turns"),
    [
        (50 + 60 * np.minimum(TIMES, 10 - TIMES), 200 + 0 * TIMES, 1),
        (50 + 60 * np.minimum(TIMES, 5), 100 + 60 * np.maximum(TIMES - 5, 0), 1),
        (50 + 60 * TIMES, 200 + 20 * TIMES, 0),
        (300 + 90 * np.abs((TIMES / 2.5) % 2 - 1) * 2, 200 + 0 * TIMES, 3),
    ],
    ids=["there and back", "round the corner", "straight", "to and fro"],
)
def test_turns(x: NDArray[np.float64], y: NDArray[np.float64], turns: int) -> None:
    path = make_trajectory(x + JITTER[0], y + JITTER[1])
    assert describe_trajectory(path, width=640, height=480).direction_changes == turns


def test_the_top_speed_is_that_of_half_a_second() -> None:
    x = 100 + np.cumsum(np.where((TIMES > 4) & (TIMES < 5), 200, 20)) / RATE
    x[30] += 300  # one wrong box is no sprint
    figures = describe_trajectory(make_trajectory(x, 200), width=640, height=480)
    assert figures.top_speed == pytest.approx(200, rel=0.1)
    assert figures.mean_speed == pytest.approx(38, rel=0.05)


@pytest.mark.parametrize(
    ("start", "end", "sides"),
    [
        ((320, 65), (320, 410), ("top", "bottom")),
        ((610, 240), (300, 240), ("right", "inside")),
        ((300, 240), (30, 240), ("inside", "left")),
        ((30, 418), (300, 418), ("left", "inside")),
    ],
    ids=["down", "from the right", "to the left", "along the lower edge"],
)
def test_sides(start: tuple[int, int], end: tuple[int, int], sides: tuple[str, str]) -> None:
    share = np.linspace(0, 1, 250)[:, None]
    way = np.array(start) * (1 - share) + np.array(end) * share
    figures = describe_trajectory(make_trajectory(way[:, 0], way[:, 1]), width=640, height=480)
    assert (figures.entry_side, figures.exit_side) == sides


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_short_trajectories_have_figures(length: int) -> None:
    path = make_trajectory(np.linspace(100, 130, length), 200)
    figures = describe_trajectory(path, width=640, height=480)
    assert figures.path_length >= 0
    assert np.isfinite(figures.top_speed)
    assert figures.path_length_m is None


@pytest.mark.parametrize("rate", [1, 5, 240])
def test_figures_do_not_depend_on_the_rate(rate: int) -> None:
    times = np.arange(10 * rate + 1) / rate
    figures = describe_trajectory(
        make_trajectory(50 + 50 * times, 200, times), width=640, height=480
    )
    assert figures.path_length == pytest.approx(500, rel=0.03)
    assert figures.top_speed == pytest.approx(50, rel=0.05)
    assert figures.dwell == 10


def test_a_trajectory_with_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="3 times"):
        Trajectory(
            1, 0, "x", np.zeros(3), np.zeros((2, 4), np.float32), np.zeros(3, np.float32),
            np.zeros(3, np.bool_),
        )  # fmt: skip

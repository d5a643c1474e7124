"""Trajectories: recording and packing them."""

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
from paths import make_trajectory, walk

from vision.encoding import trajectories as codec
from vision.encoding.trajectories import (
    group_trajectories,
    pack_trajectories,
    unpack_points,
    unpack_trajectories,
)
from vision.errors import VisionError
from vision.structures.trajectories import Trajectory
from vision.tracking import TrajectoryRecorder


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
    ("lengths", "groups"),
    [([], []), ([5], [1]), ([5, 5, 5], [2, 1]), ([30, 1, 1, 1], [1, 2, 1]), ([9, 9], [1, 1])],
    ids=["none", "one", "by tracks", "one too long", "by points"],
)
def test_trajectories_are_grouped(lengths: list[int], groups: list[int]) -> None:
    tracks = [walk(number + 1, length) for number, length in enumerate(lengths)]
    found = list(group_trajectories(tracks, tracks=2, points=12))
    assert [len(group) for group in found] == groups
    assert [item for group in found for item in group] == tracks


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

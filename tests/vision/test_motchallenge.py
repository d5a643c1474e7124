"""Text files of the MOTChallenge: what is read, what is refused, what is written."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.encoding.motchallenge import (
    frames_of_rows,
    parse_motchallenge,
    trajectories_to_motchallenge,
)
from vision.errors import VisionError
from vision.structures.trajectories import Trajectory

DETECTION = "1,-1,281.5,187.25,80,209.5,0.99,-1,-1,-1\n"
TRUTH = "3,7,10,20,30,40,1,1,0.5\n"


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"], ids=["empty", "newlines", "blanks"])
def test_a_file_without_lines_has_no_rows(text: str) -> None:
    rows = parse_motchallenge(text)
    assert len(rows) == 0
    assert rows.boxes.shape == (0, 4)
    assert frames_of_rows(rows) == []


def test_a_line_of_public_detections() -> None:
    rows = parse_motchallenge(DETECTION)
    assert rows.frames.tolist() == [1]
    assert rows.ids.tolist() == [-1]
    np.testing.assert_allclose(rows.boxes, [[281.5, 187.25, 361.5, 396.75]])
    assert rows.confidence.tolist() == [0.99]


def test_a_line_of_ground_truth() -> None:
    rows = parse_motchallenge(TRUTH)
    assert (rows.frames[0], rows.ids[0], rows.confidence[0]) == (3, 7, 1)
    assert (rows.classes[0], rows.visibility[0]) == (1, 0.5)


@pytest.mark.parametrize(
    ("line", "ids"),
    [("1,2,3,4,5,6", 2), ("1 2 3 4 5 6 0.5", 2), ("1, 2, 3, 4, 5, 6,", 2), ("1.0,2.0,3,4,5,6", 2)],
    ids=["six values", "white space", "comma at the end", "whole floats"],
)
def test_lines_that_others_write(line: str, ids: int) -> None:
    rows = parse_motchallenge(line)
    assert rows.ids.tolist() == [ids]
    np.testing.assert_allclose(rows.boxes, [[3, 4, 8, 10]])
    assert rows.classes.tolist() == [-1]


@pytest.mark.parametrize(
    "line",
    [
        "1,2,3,4,5",
        "1,2,3,4,5,6,7,8,9,10,11",
        "1,2,3,x,5,6",
        "0,2,3,4,5,6",
        "1.5,2,3,4,5,6",
        "1,2.5,3,4,5,6",
        "1,2,nan,4,5,6",
        "1,2,inf,4,5,6",
        "1,2,3,4,-5,6",
        "1,2,3,4,5,1e30",
        "1000001,2,3,4,5,6",
        "{}",
    ],
    ids=lambda line: line[:20],
)
def test_bad_lines_are_named(line: str) -> None:
    with pytest.raises(VisionError, match=r"Line 2 ") as caught:
        parse_motchallenge(DETECTION + line)
    assert caught.value.code == "bad_motchallenge"


@given(st.text(alphabet="0123456789.,- \nenai", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(VisionError):
        assert np.isfinite(parse_motchallenge(text).boxes).all()


def test_frames_without_boxes_are_empty() -> None:
    frames = frames_of_rows(parse_motchallenge(TRUTH), frames=5)
    assert [len(frame) for frame in frames] == [0, 0, 1, 0, 0]
    assert frames[2].tracker_id is not None
    assert frames[2].tracker_id.tolist() == [7]
    assert frames_of_rows(parse_motchallenge(DETECTION))[0].tracker_id is None


def test_what_is_written_is_read_again() -> None:
    boxes = np.array([[1.25, 2, 30, 40.5], [5, 5, 9, 9]], np.float32)
    confidence = np.array([0.5, 0.75], np.float32)
    path = Trajectory(3, 0, "person", np.array([0.04, 0.08]), boxes, confidence, confidence > 0)
    rows = parse_motchallenge(trajectories_to_motchallenge([path], rate=25))
    assert rows.frames.tolist() == [2, 3]
    assert rows.ids.tolist() == [3, 3]
    np.testing.assert_allclose(rows.boxes, boxes, atol=0.011)
    np.testing.assert_allclose(rows.confidence, confidence)


def test_trajectories_are_written_by_frame() -> None:
    def path(track: int, times: list[float]) -> Trajectory:
        n = len(times)
        boxes = np.tile(np.array([0, 0, 10, 20], np.float32), (n, 1))
        ones = np.ones(n, np.float32)
        return Trajectory(track, 0, "person", np.array(times), boxes, ones, ones > 0)

    text = trajectories_to_motchallenge([path(2, [0, 0.04]), path(1, [0.04, 0.041])], rate=25)
    rows = parse_motchallenge(text)
    assert list(zip(rows.frames.tolist(), rows.ids.tolist(), strict=True)) == [
        (1, 2),
        (2, 1),
        (2, 2),
    ]
    assert trajectories_to_motchallenge([], rate=25) == ""

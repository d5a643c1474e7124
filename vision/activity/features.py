"""What can be read off people's joints and boxes in one frame: pure functions over arrays.

Image coordinates: x to the right, y downwards, pixels. What cannot be seen is NaN.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["JOINT_CONFIDENCE", "Column", "measure"]

Floats = NDArray[np.float64]

JOINT_CONFIDENCE = 0.4
"""Joints less certain than this are taken for unseen."""

# Share of the body height (Winter, Biomechanics and Motor Control of Human Movement, figure 4.1,
# as seen between COCO's joints): shoulders to hips, hip to knee, knee to ankle, shoulder breadth.
_TORSO, _THIGH, _SHIN, _BREADTH = 0.29, 0.245, 0.245, 0.22

# Rows of the table of pairs: COCO lists the joints of both sides one after the other.
_EYES, _EARS, _SHOULDERS, _WRISTS, _HIPS, _KNEES, _ANKLES = 0, 1, 2, 4, 5, 6, 7


class Column(IntEnum):
    """What a row of measurements holds; lengths and positions are pixels, angles degrees."""

    TIME = 0  # seconds
    X = 1  # of the hips, or of the box where no hip is seen
    Y = 2  # of the box's lower edge
    BOX_HEIGHT = 3
    BOX_WIDTH = 4
    BODY_HEIGHT = 5  # estimated from the bones, whatever the posture; else from the box
    LEAN = 6  # of the torso, from upright: 0 upright, 90 lying, 180 head down
    EXTENT = 7  # from the highest to the lowest visible joint
    THIGH_DROP = 8  # from hips down to knees
    LEG_DROP = 9  # from hips down to ankles
    STEP_X = 10  # from the right ankle to the left one
    STEP_Y = 11
    LEFT_OVER_HEAD = 12  # of the wrist above the eyes; negative below
    RIGHT_OVER_HEAD = 13
    LEFT_OVER_SHOULDER = 14
    RIGHT_OVER_SHOULDER = 15
    LEFT_REACH = 16  # of the wrist to the side, from its own shoulder
    RIGHT_REACH = 17
    SHOULDERS_X = 18  # of the middle of both; unknown where only one is seen
    TORSO_RISE = 19  # from hips up to shoulders
    POSED = 20  # 1: a shoulder is seen, 0: joints were looked for in vain, NaN: never looked for


def measure(
    time: float, boxes: NDArray[np.float32], keypoints: NDArray[np.float32] | None
) -> Floats:
    """Return (N, len(Column)) measurements of N people.

    Args:
        time: Seconds.
        boxes: (N, 4) xyxy.
        keypoints: (N, 17, 3) x, y, confidence; None without joints.
    """
    rows = np.full((len(boxes), len(Column)), np.nan)
    width, height = (boxes[:, 2:4] - boxes[:, :2]).T
    rows[:, Column.TIME] = time
    rows[:, Column.X] = (boxes[:, 0] + boxes[:, 2]) / 2
    rows[:, Column.Y] = boxes[:, 3]
    rows[:, Column.BOX_HEIGHT] = height
    rows[:, Column.BOX_WIDTH] = width
    # Who lies is as wide as tall when upright.
    rows[:, Column.BODY_HEIGHT] = np.maximum(height, width)
    if keypoints is not None:
        _measure_joints(rows, keypoints)
    return rows


def _measure_joints(rows: Floats, keypoints: NDArray[np.float32]) -> None:
    points = keypoints[..., :2].astype(np.float64)
    points[~(keypoints[..., 2] >= JOINT_CONFIDENCE)] = np.nan
    left, right = points[:, 1::2], points[:, 2::2]
    middle = _middle(left, right)
    shoulders, hips = middle[:, _SHOULDERS], middle[:, _HIPS]
    spine = shoulders - hips
    rows[:, Column.X] = np.where(np.isnan(hips[:, 0]), rows[:, Column.X], hips[:, 0])
    rows[:, Column.LEAN] = np.degrees(np.arctan2(np.abs(spine[:, 0]), -spine[:, 1]))
    body = np.fmax.reduce(points[..., 1], axis=1) - np.fmin.reduce(points[..., 1], axis=1)
    rows[:, Column.EXTENT] = np.where(np.isnan(rows[:, Column.LEAN]), np.nan, body)
    rows[:, Column.THIGH_DROP] = middle[:, _KNEES, 1] - hips[:, 1]
    rows[:, Column.LEG_DROP] = middle[:, _ANKLES, 1] - hips[:, 1]
    rows[:, Column.STEP_X : Column.STEP_Y + 1] = left[:, _ANKLES] - right[:, _ANKLES]
    wrists = np.stack((left[:, _WRISTS], right[:, _WRISTS]), axis=1)
    rows[:, Column.LEFT_OVER_HEAD : Column.RIGHT_OVER_HEAD + 1] = (
        _head(points, middle)[:, None] - wrists[..., 1]
    )
    over = shoulders[:, None, 1] - wrists[..., 1]
    rows[:, Column.LEFT_OVER_SHOULDER : Column.RIGHT_OVER_SHOULDER + 1] = over
    # A middle that jumps to the one shoulder that is seen would look like a wave.
    own = np.stack((left[:, _SHOULDERS, 0], right[:, _SHOULDERS, 0]), axis=1)
    rows[:, Column.LEFT_REACH : Column.RIGHT_REACH + 1] = wrists[..., 0] - own
    both = (left[:, _SHOULDERS, 0] + right[:, _SHOULDERS, 0]) / 2
    rows[:, Column.SHOULDERS_X] = both
    rows[:, Column.TORSO_RISE] = -spine[:, 1]
    looked = (keypoints[..., 2] > 0).any(axis=1)
    seen = ~np.isnan(shoulders[:, 0])
    rows[:, Column.POSED] = np.where(seen, 1.0, np.where(looked, 0.0, np.nan))
    tall = _body_height(left, right, spine)
    rows[:, Column.BODY_HEIGHT] = np.where(np.isnan(tall), rows[:, Column.BODY_HEIGHT], tall)


def _middle(left: Floats, right: Floats) -> Floats:
    """Return the middle of two joints, or the only one that is seen."""
    middle = (left + right) / 2
    either = np.where(np.isnan(left), right, left)
    return np.where(np.isnan(middle), either, middle)


def _head(points: Floats, middle: Floats) -> Floats:
    """Return (N,) the height of the eyes, or of what else of the head is seen."""
    eyes, ears = middle[:, _EYES, 1], middle[:, _EARS, 1]
    without_eyes = np.where(np.isnan(ears), points[:, 0, 1], ears)
    return np.where(np.isnan(eyes), without_eyes, eyes)


def _body_height(left: Floats, right: Floats, spine: Floats) -> Floats:
    """Return (N,) the height that the bones belong to: foreshortening makes it too small only."""
    torso = _length(spine)
    thigh = _longer(left[:, _KNEES] - left[:, _HIPS], right[:, _KNEES] - right[:, _HIPS])
    shin = _longer(left[:, _ANKLES] - left[:, _KNEES], right[:, _ANKLES] - right[:, _KNEES])
    breadth = np.abs(left[:, _SHOULDERS, 0] - right[:, _SHOULDERS, 0])
    whole = (torso + thigh + shin) / (_TORSO + _THIGH + _SHIN)
    known = np.fmax(whole, torso / _TORSO)
    return np.where(np.isnan(known), breadth / _BREADTH, known)


def _length(vectors: Floats) -> Floats:
    return np.hypot(vectors[:, 0], vectors[:, 1])


def _longer(first: Floats, second: Floats) -> Floats:
    return np.fmax(_length(first), _length(second))

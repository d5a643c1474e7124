"""Body joints of the candidates: decoded like their boxes, for few anchors instead of all."""

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.candidates import anchor_table, sigmoid
from vision.detection.letterbox import Letterbox
from vision.detection.nms import overlaps

__all__ = ["KEYPOINT_NAMES", "attach_keypoints", "decode_keypoints"]

KEYPOINT_NAMES = (
    "nose",
    *("left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""COCO's 17 joints in their order; left and right are the person's own."""

_VALUES = 3  # of a joint: x, y, logit of its visibility


def decode_keypoints(
    raw: NDArray[np.float32], anchors: NDArray[np.int64], letterbox: Letterbox
) -> NDArray[np.float32]:
    """Return the joints in picture pixels.

    A joint lies at twice its output plus the anchor's cell, in cells of the anchor's level
    (ultralytics ``Pose.kpts_decode``). Like boxes, joints are clipped to the picture.

    Args:
        raw: (N, 3 * joints) float32 network outputs of the anchors.
        anchors: (N,) index into the bucket's anchor table.
        letterbox: How the picture lies in the bucket.

    Returns:
        (N, joints, 3) float32: x and y in pixels, and the confidence 0..1 that the joint is seen.
    """
    # Not -1: nothing can be inferred from an array without rows.
    joints = raw.reshape(len(raw), raw.shape[1] // _VALUES, _VALUES)
    centres, strides = anchor_table(letterbox.bucket)
    cells = centres[anchors, None] - np.float32(0.5)
    in_bucket = (joints[..., :2] * 2 + cells) * strides[anchors, None, None]
    confidence = sigmoid(joints[..., 2:])
    return np.concatenate((letterbox.points_to_picture(in_bucket), confidence), axis=2)


def attach_keypoints(
    detections: sv.Detections, poses: sv.Detections, *, iou: float = 0.5
) -> sv.Detections:
    """Give the people of one network the joints that another has found.

    Pose networks miss small people whom detectors of all classes find. The pairs that overlap
    most come first, and every pose goes to one box at most.

    Args:
        detections: Any objects; changed in place.
        poses: People of the same picture, with ``data["keypoints"]``, or none at all.
        iou: 0..1; boxes that overlap less are different people.

    Returns:
        ``detections`` with ``data["keypoints"]`` (N, 17, 3) float32; zeros where there is no pose.
    """
    joints = np.zeros((len(detections), len(KEYPOINT_NAMES), _VALUES), np.float32)
    known = poses.data.get("keypoints")
    if known is not None and len(poses) and len(detections):
        ours, theirs = (found.xyxy.astype(np.float32) for found in (detections, poses))
        shared = np.nan_to_num(overlaps(ours, theirs))
        names = detections.data.get("class_name")
        if names is not None:
            shared[np.asarray(names) != "person"] = 0
        for _ in range(min(shared.shape)):
            row, pose = np.unravel_index(shared.argmax(), shared.shape)
            if shared[row, pose] < max(iou, 1e-9):
                break
            joints[row] = known[pose]
            shared[row], shared[:, pose] = 0, 0
    detections.data["keypoints"] = joints
    return detections

"""Which joints belong to which tracked person."""

import numpy as np
import supervision as sv

__all__ = ["attach_keypoints"]

_LEAST_IOU = 0.5
_JOINTS = 17


def attach_keypoints(tracked: sv.Detections, poses: sv.Detections | None) -> sv.Detections:
    """Give tracked people the joints of the pose whose box fits best.

    Args:
        tracked: Changed: ``data["keypoints"]`` (N, 17, 3) is added; zeros where no pose fits.
        poses: People with ``data["keypoints"]``; None where nobody has looked.
    """
    keypoints = np.zeros((len(tracked), _JOINTS, 3), np.float32)
    if poses is not None and len(poses) and len(tracked) and "keypoints" in poses.data:
        overlap = sv.box_iou_batch(tracked.xyxy, poses.xyxy)
        names = tracked.data.get("class_name")
        if names is not None:
            overlap[np.asarray(names) != "person"] = 0.0
        # The best pair first, then the best of those that are left.
        while overlap.max() >= _LEAST_IOU:
            row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
            keypoints[row] = poses.data["keypoints"][column]
            overlap[row, :] = 0.0
            overlap[:, column] = 0.0
    tracked.data["keypoints"] = keypoints
    return tracked

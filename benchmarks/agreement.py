"""How well two sets of boxes or masks agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from supervision import Detections, box_iou_batch

from benchmarks.peers import PeerResult


def match_boxes(ours: Detections, peer: PeerResult) -> NDArray[np.float64]:
    """Best IoU of each peer box with one of our boxes of the same class; (N,) in 0..1."""
    if len(peer.xyxy) == 0:
        return np.empty(0)
    if len(ours) == 0 or ours.class_id is None:
        return np.zeros(len(peer.xyxy))
    iou = box_iou_batch(peer.xyxy, ours.xyxy)
    iou[peer.class_id[:, None] != ours.class_id[None, :]] = 0
    return np.asarray(iou.max(axis=1), dtype=np.float64)


def match_masks(ours: Detections, peer: PeerResult) -> NDArray[np.float64]:
    """IoU of the masks of every peer object that we found too (same class, box IoU >= 0.9)."""
    if len(peer.xyxy) == 0 or len(ours) == 0 or peer.masks is None or ours.mask is None:
        return np.empty(0)
    iou = box_iou_batch(peer.xyxy, ours.xyxy)
    iou[peer.class_id[:, None] != np.asarray(ours.class_id)[None, :]] = 0
    found = []
    for theirs, row in zip(peer.masks, iou, strict=True):
        if row.max() < 0.9:
            continue
        mask = np.asarray(ours.mask[int(row.argmax())], dtype=bool)
        union = np.logical_or(mask, theirs).sum()
        found.append(np.logical_and(mask, theirs).sum() / union if union else 1.0)
    return np.asarray(found)

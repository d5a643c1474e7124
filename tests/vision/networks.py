"""Seeded random networks and pictures: parity and speed need no downloaded weights."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.export.process import ultralytics_environment

Image = NDArray[np.uint8]


def use_ultralytics(settings: Path) -> None:
    """Set what ultralytics reads at its import."""
    os.environ.update(ultralytics_environment(settings))


def random_picture(height: int, width: int, seed: int) -> Image:
    """Return soft blobs of colour; the same for the same seed."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 255, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC))


def write_random_weights(name: str, folder: Path) -> Path:
    """Write a YOLOv8 network with seeded weights that finds some hundred objects in a picture.

    Batch statistics, the spread of the class scores and their threshold are fitted to random
    pictures: freshly initialised weights would find nothing at all.
    """
    import torch
    from ultralytics import YOLO

    torch.manual_seed(3)
    wrapper = YOLO(f"{name}.yaml", verbose=False)
    model: Any = wrapper.model
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
    pictures = np.stack([random_picture(384, 640, seed) for seed in range(3)])
    batch = torch.from_numpy(pictures[..., ::-1].copy()).permute(0, 3, 1, 2) / 255
    head = model.model[-1]
    with torch.no_grad():
        model.train()
        model(batch)
        model.eval()
        for side in head.cv2:
            side[-1].weight.mul_(6)
            side[-1].bias.copy_(-0.5 * torch.arange(16).repeat(4))
        best = model(batch)[1]["scores"].amax(1).flatten()
        spread = 1.5 / best.std()
        for level in head.cv3:
            level[-1].weight.mul_(spread)
            level[-1].bias.mul_(spread).sub_((best * spread).quantile(0.985) + 1.1)
    wrapper.ckpt = {"model": model}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.pt"
    wrapper.save(path)
    add_to_manifest(path)
    return path


def add_to_manifest(path: Path) -> None:
    """Let the folder of a weights file vouch for it."""
    manifest = path.parent / "MANIFEST.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    content = path.read_bytes()
    entries[path.name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest.write_text(json.dumps(entries))


def box_iou(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (N, M) overlaps, written down independently of the code under test."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inner = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    return inner / np.maximum(areas[0][:, None] + areas[1][None] - inner, 1e-9)


def share_matched(ours: Any, peer: Any, iou: float = 0.9) -> float:
    """Return which share of the peer's boxes we have, with the same class; 1 when it has none."""
    if not len(peer.boxes):
        return 1.0
    overlap = box_iou(ours.xyxy, peer.boxes.xyxy.numpy())
    same = ours.class_id[:, None] == peer.boxes.cls.numpy()[None]
    return float(((overlap >= iou) & same).any(axis=0).mean())

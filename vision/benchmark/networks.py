"""Seeded random networks and pictures: parity and speed need no downloaded weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["add_to_manifest", "random_picture", "write_random_weights"]

Image = NDArray[np.uint8]


def random_picture(height: int, width: int, seed: int) -> Image:
    """Return (H, W, 3) uint8 BGR: soft blobs of colour, the same for the same seed."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 255, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC))


def write_random_weights(name: str, folder: Path) -> Path:
    """Write a YOLOv8 network with seeded weights that finds some hundred objects in a picture.

    Batch statistics, the spread of the class scores and their threshold are fitted to random
    pictures: freshly initialised weights would find nothing at all. The folder's
    ``MANIFEST.json`` then vouches for the file, so that a ``WeightsStore`` takes it.

    Args:
        name: A card's name, e.g. ``"yolov8n-seg"``.
        folder: Made when needed.

    Returns:
        The ``.pt`` file.
    """
    import torch
    from ultralytics import YOLO  # type: ignore[attr-defined]  # exported lazily

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

"""The painting itself: coarse to fine, every step told, the best picture kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from vision.style.canvas import Canvas
from vision.style.config import GatysOptions
from vision.style.descent import Best, Evaluate, descend
from vision.style.features import FeatureNetwork
from vision.style.levels import levels, share_done
from vision.style.losses import make_targets, picture_loss
from vision.style.sizes import remembered_steps
from vision.style.structures import OnProgress, StyleProgress

__all__ = ["Painted", "paint"]


@dataclass(slots=True)
class Painted:
    """What came of it: (H, W, 3) uint8 BGR, the loss of every step, whether it was ended early."""

    image: NDArray[np.uint8]
    losses: list[float] = field(default_factory=list)
    stopped: bool = False


def paint(
    network: FeatureNetwork,
    canvas: Canvas,
    options: GatysOptions,
    on_progress: OnProgress | None,
) -> Painted:
    """Return the picture that the steps came to."""
    painted = Painted(canvas.finish(_tensor(canvas.start, torch.device("cpu"))))
    start = _tensor(canvas.start, network.device)
    memory = remembered_steps(canvas.height, canvas.width)
    plan = levels(options.steps, canvas.height, canvas.width)
    picture = start
    for scale, steps in plan:
        small = _scaled(start, scale)
        evaluate = _evaluator(network, canvas, options, scale)
        finish = _finisher(canvas, start, small)
        on_step = _teller(painted, plan, on_progress, finish)
        begin = (small + _resized(picture - start, small)).clamp_(0, 1)
        best = descend(evaluate, begin, steps, on_step, memory=memory)
        picture = _lifted(start, small, best.picture)
        if painted.stopped:
            break
    painted.image = canvas.finish(picture)
    return painted


def _evaluator(
    network: FeatureNetwork, canvas: Canvas, options: GatysOptions, scale: float
) -> Evaluate:
    """Return what gives loss and gradient of a picture at one scale."""
    with torch.no_grad():
        content, style = (
            network(_scaled(_tensor(array, network.device), scale).expand(-1, 3, -1, -1))
            for array in (canvas.content, canvas.style)
        )
        targets = make_targets(content, style)

    def evaluate(picture: torch.Tensor) -> tuple[float, torch.Tensor]:
        leaf = picture.detach().requires_grad_(True)
        colours = leaf.expand(-1, 3, -1, -1)
        loss = picture_loss(network, colours, targets, options.style_weight)
        (gradient,) = torch.autograd.grad(loss, leaf)
        return float(loss.detach()), gradient

    return evaluate


def _teller(
    painted: Painted,
    plan: list[tuple[float, int]],
    on_progress: OnProgress | None,
    finish: Callable[[torch.Tensor], NDArray[np.uint8]],
) -> Callable[[float, Best], bool]:
    steps = sum(count for _, count in plan)

    def told(loss: float, best: Best) -> bool:
        painted.losses.append(loss)
        if on_progress is None:
            return True
        step = len(painted.losses)
        share = share_done(plan, step)
        newest = StyleProgress(step, steps, loss, share, lambda: finish(best.picture))
        painted.stopped = on_progress(newest) is False
        return not painted.stopped

    return told


def _finisher(
    canvas: Canvas, start: torch.Tensor, small: torch.Tensor
) -> Callable[[torch.Tensor], NDArray[np.uint8]]:
    return lambda picture: canvas.finish(_lifted(start, small, picture))


def _lifted(start: torch.Tensor, small: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Return a coarse picture at full size: only its changes are enlarged, so detail stays."""
    if small.shape == start.shape:
        return picture
    return (start + _resized(picture - small, start)).clamp_(0, 1)


def _tensor(array: NDArray[np.float32], device: torch.device) -> torch.Tensor:
    """Return (1, C, H, W), channels last in memory."""
    return torch.from_numpy(array).permute(2, 0, 1)[None].to(device)


def _scaled(picture: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1:
        return picture
    height, width = (max(16, round(side * scale)) for side in picture.shape[2:])
    return functional.interpolate(picture, (height, width), mode="area")


def _resized(picture: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if picture.shape == like.shape:
        return picture
    size = (like.shape[2], like.shape[3])
    if size[0] < picture.shape[2]:
        return functional.interpolate(picture, size, mode="area")
    return functional.interpolate(picture, size, mode="bilinear", align_corners=False)

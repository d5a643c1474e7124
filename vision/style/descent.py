"""L-BFGS for pictures: no step leaves what a picture may be, and a bad one is taken back.

Nocedal and Wright, "Numerical Optimization" (2006), algorithm 7.4; bounds as in Bertsekas'
projected methods: values that would only be pushed further out are held still.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch

__all__ = ["Best", "descend"]

_FIRST_STEP = 0.03  # of 0..1: the largest change that a step without experience makes
_WORSE = 1.5  # times the lowest loss: such a step is taken back

Evaluate = Callable[[torch.Tensor], tuple[float, torch.Tensor]]
OnStep = Callable[[float, "Best"], bool]


@dataclass(slots=True)
class Best:
    """The picture of the lowest loss so far, and its gradient."""

    loss: float
    picture: torch.Tensor
    gradient: torch.Tensor


def descend(
    evaluate: Evaluate, start: torch.Tensor, steps: int, on_step: OnStep, *, memory: int
) -> Best:
    """Return the best picture of some steps; of none, the start.

    Args:
        evaluate: Returns loss and gradient of a picture.
        start: Float32 picture in 0..1, of any shape.
        steps: How many.
        on_step: Told the loss of every step and the best so far; False ends the work.
        memory: How many steps are remembered, two pictures each.
    """
    loss, gradient = evaluate(start)
    best = Best(loss, start, gradient)
    picture, curvature, first_step = start, _Curvature(memory), _FIRST_STEP
    for _ in range(steps):
        direction = curvature.times(_free(picture, gradient))
        if direction is None:
            free = _free(picture, gradient)
            direction = free * (first_step / max(float(free.abs().max()), 1e-30))
        after = (picture - direction).clamp_(0, 1)
        loss, gradient_after = evaluate(after)
        if math.isfinite(loss) and loss <= best.loss * _WORSE:
            curvature.learn(after - picture, gradient_after - gradient)
            picture, gradient = after, gradient_after
        else:
            curvature, first_step = _Curvature(memory), first_step / 4
            picture, gradient = best.picture, best.gradient
        if loss < best.loss:
            best = Best(loss, picture, gradient)
        if not on_step(loss, best):
            break
    return best


def _free(picture: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the gradient without what would push black below black and white above white."""
    stuck = ((picture <= 0) & (gradient > 0)) | ((picture >= 1) & (gradient < 0))
    return gradient.masked_fill(stuck, 0.0)


class _Curvature:
    """What the last steps told about the inverse of the Hessian."""

    def __init__(self, memory: int) -> None:
        self._steps: deque[tuple[torch.Tensor, torch.Tensor, float]] = deque(maxlen=memory)

    def learn(self, step: torch.Tensor, change: torch.Tensor) -> None:
        """Remember a step and the change of the gradient, if the loss curves upwards there."""
        product = _dot(step, change)
        if product > 1e-8 * math.sqrt(_dot(step, step) * _dot(change, change)):
            self._steps.append((step, change, product))

    def times(self, gradient: torch.Tensor) -> torch.Tensor | None:
        """Return the inverse Hessian times a gradient (the two-loop recursion), or None."""
        if not self._steps:
            return None
        result, shares = gradient.clone(), []
        for step, change, product in reversed(self._steps):
            share = _dot(step, result) / product
            result.add_(change, alpha=-share)
            shares.append(share)
        _, change, product = self._steps[-1]
        result.mul_(product / _dot(change, change))
        for (step, change, product), share in zip(self._steps, reversed(shares), strict=True):
            result.add_(step, alpha=share - _dot(change, result) / product)
        return result if _dot(result, gradient) > 0 else None


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    # Both lie in memory alike, so flattening copies nothing where channels come last.
    return float(torch.dot(_flat(a), _flat(b)))


def _flat(values: torch.Tensor) -> torch.Tensor:
    return values.permute(0, 2, 3, 1).reshape(-1)

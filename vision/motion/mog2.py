"""Motion by background subtraction: a mixture of Gaussians per pixel."""

import cv2
import numpy as np

from vision.motion.clock import Clock, learning_rate
from vision.motion.judge import is_upheaval, keep_real_areas, light_explains, make_result
from vision.motion.light import (
    SAME_LIGHT,
    Cells,
    Light,
    correct,
    estimate_light,
    light_cells,
)
from vision.motion.protocol import Mask, MotionResult, Small
from vision.motion.reduce import reduce_picture
from vision.structures import Frame

__all__ = ["Mog2MotionDetector"]

_HORIZON = 20.0  # seconds that the background remembers; a thing that stops fades in a tenth of it
_WARM_UP = 0.4  # seconds, and at least
_WARM_UP_FRAMES = 4
_NEW_LIGHT = 0.25  # change of the light at which the background is learnt in the new light
_JUMP = 0.1  # change from one frame to the next that is too fast for drift
_TRUST = 2  # frames that a background is worth which was brought to new light by calculation
_SHADOW = 127  # how MOG2 marks shadows; what moves is 255


class Mog2MotionDetector:
    """MOG2 (Zivkovic, 2004) with shadow detection, on a reduced picture in constant light.

    Every frame is first brought to the light of the background, so that drift, flicker and jumps
    of the light never reach the model; when the light has changed much, the background itself is
    moved to the new light, without the things that move in front of it.

    Args:
        minimum_area: 0..1, the least share of the picture that an area covers.
        rate: Frames per second to expect.
    """

    def __init__(self, *, minimum_area: float, rate: float) -> None:
        self._minimum_area = minimum_area
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """Forget the background."""
        self._clock = Clock(self._rate)
        self._model = cv2.createBackgroundSubtractorMOG2(varThreshold=16, detectShadows=True)
        self._cells: Cells | None = None
        self._shape: tuple[int, ...] = ()
        self._change = 0.0

    def update(self, frame: Frame) -> MotionResult:
        """Return what moves in this frame; see ``MotionDetector``."""
        if frame.image.shape != self._shape:
            self.reset()
            self._shape = frame.image.shape
        small = reduce_picture(frame.image)
        step = self._clock.tick(frame.timestamp)
        steady = self._in_steady_light(small, step)
        mask = self._subtract(steady, step)
        if self._warming_up() or not cv2.countNonZero(mask):
            return MotionResult()
        return self._judge(mask, steady, small, frame)

    def _in_steady_light(self, small: Small, step: float) -> Small:
        cells = light_cells(small)
        if self._cells is None or self._warming_up():
            # Light that settles is learnt with the background: both are means of the same frames.
            share = self._share_of_new(step)
            known = cells if self._cells is None else self._cells
            self._cells = (1 - share) * known + share * cells
            return small
        light = estimate_light(self._cells, cells)
        jump = abs(light.change - self._change) > _JUMP
        self._change = light.change
        if light.change > _NEW_LIGHT:
            self._move_background(light)
            light = SAME_LIGHT
            if jump:
                # Lamps and exposure need a moment to become steady, and what is calculated is
                # less exact than what is seen: learn for a while before judging again.
                self._clock.restart(_TRUST)
        steady = correct(small, light)
        share = self._share_of_new(step)
        self._cells = (1 - share) * self._cells + share * light.undone(cells)
        return steady

    def _move_background(self, light: Light) -> None:
        """Learn the background that is known, as it looks in the new light."""
        background = np.asarray(self._model.getBackgroundImage(), np.float32)
        moved = (background * light.gain + light.offset).round().clip(0, 255).astype(np.uint8)
        self._learn_anew(moved)

    def _learn_anew(self, background: Small) -> None:
        self._model.apply(background, learningRate=1.0)
        self._cells = light_cells(background)
        self._change = 0.0

    def _subtract(self, steady: Small, step: float) -> Mask:
        share = self._share_of_new(step)
        marked = np.asarray(self._model.apply(steady, learningRate=share), np.uint8)
        _, mask = cv2.threshold(marked, _SHADOW, 255, cv2.THRESH_BINARY)
        return np.asarray(mask, np.uint8)

    def _share_of_new(self, step: float) -> float:
        """Return the weight of a new frame; at first the plain mean of all so far."""
        share = learning_rate(step, _HORIZON)
        return max(share, 1.0 / self._clock.frames) if self._warming_up() else share

    def _warming_up(self) -> bool:
        return self._clock.running < _WARM_UP or self._clock.frames <= _WARM_UP_FRAMES

    def _judge(self, mask: Mask, steady: Small, small: Small, frame: Frame) -> MotionResult:
        background = np.asarray(self._model.getBackgroundImage(), np.uint8)
        if is_upheaval(mask) and light_explains(background, steady):
            self._learn_anew(small)
            self._clock.restart(_TRUST)
            return MotionResult()
        areas = keep_real_areas(mask, background, steady, minimum_area=self._minimum_area)
        return make_result(areas, mask, frame)

"""Where objects have been: a coarse grid that every box adds its feet to."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_LONGER_SIDE: Final = 160
"""Cells along the longer side: finer than a person in most pictures."""


class HeatMap:
    """Counts how long something stood where.

    Args:
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self._scale = min(1.0, _LONGER_SIDE / max(width, height))
        shape = (max(1, round(height * self._scale)), max(1, round(width * self._scale)))
        self.counts = np.zeros(shape, np.float32)

    def add(self, boxes: NDArray[np.number], weight: float = 1.0) -> None:
        """Add the feet of boxes, a spot a third as wide as each box.

        Args:
            boxes: (N, 4) xyxy pixels.
            weight: E.g. the seconds that a frame stands for.
        """
        for left, _, right, bottom in np.asarray(boxes, np.float64) * self._scale:
            centre = (round((left + right) / 2), round(min(bottom, self.counts.shape[0] - 1)))
            radius = max(1, round((right - left) / 6))
            x0, x1 = max(0, centre[0] - radius), max(0, centre[0] + radius + 1)
            y0, y1 = max(0, centre[1] - radius), max(0, centre[1] + radius + 1)
            self.counts[y0:y1, x0:x1] += weight

    def blend(self, image: NDArray[np.uint8], opacity: float) -> None:
        """Lay the map over a picture, in place; where nothing was, it stays as it is."""
        if not self.counts.any():
            return
        colored = self.picture()
        size = (image.shape[1], image.shape[0])
        layer = cv2.resize(colored, size, interpolation=cv2.INTER_LINEAR)
        alpha = layer[..., 3:].astype(np.float32) * (opacity / 255)
        image[:] = (image * (1 - alpha) + layer[..., :3] * alpha).astype(np.uint8)

    def picture(self) -> NDArray[np.uint8]:
        """Return the map as (h, w, 4) uint8 BGRA, transparent where nothing was."""
        soft = cv2.GaussianBlur(self.counts, (0, 0), 1.2)
        peak = float(soft.max())
        # The root shows where few passed beside where many stood.
        strength = np.sqrt(soft / peak) if peak > 0 else soft
        colors = cv2.applyColorMap((strength * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
        alpha = np.clip(strength * 1.6, 0, 1) * 255
        return np.dstack((colors, alpha.astype(np.uint8)))

"""Following single objects by their look, between two detections."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError

__all__ = ["VisualTracker", "available_methods"]

_METHODS: Final = ("csrt", "kcf", "mil")
# What is searched: the box and this many of its sizes on every side.
_MARGIN: Final = 1.0
_SMALLEST: Final = 8
# The picture is made smaller until the longer side of the box is at most this.
_LONGEST: Final = 64
_MIL_REACH: Final = 12


def available_methods() -> tuple[str, ...]:
    """Return the methods that this OpenCV has, the best first; MIL is in all of them below 5."""
    return tuple(name for name in _METHODS if _maker(name) is not None)


class VisualTracker:
    """Follows one object from frame to frame; some milliseconds each.

    Only the surroundings of the box are searched, at a small size: between two detections an object
    goes no farther.

    Args:
        method: One of `available_methods`; by default the best.

    Raises:
        VisionError: ``no_visual_tracker``.
    """

    def __init__(self, method: str | None = None) -> None:
        known = available_methods()
        if not known or (method is not None and method not in known):
            raise VisionError(
                "no_visual_tracker", f"This OpenCV has no visual tracker {method or 'at all'}."
            )
        self.method = method or known[0]
        self._core: Any = None
        self._window = (0, 0, 0, 0)
        self._scale = 1.0

    def start(self, image: NDArray[np.uint8], box: NDArray[np.floating]) -> bool:
        """Begin at a box; False where it is too small, or outside of the picture.

        Args:
            image: (H, W, 3) BGR.
            box: (4,) xyxy pixels.
        """
        self._core = None
        height, width = image.shape[:2]
        limits = np.array([width, height, width, height], np.float64)
        inside = np.clip(np.asarray(box, np.float64), 0.0, limits)
        size = inside[2:] - inside[:2]
        if not np.isfinite(inside).all() or size.min() < _SMALLEST:
            return False
        reach = np.concatenate((-size, size)) * _MARGIN
        x1, y1, x2, y2 = np.clip(inside + reach, 0.0, limits).astype(int).tolist()
        self._window = (x1, y1, x2, y2)
        self._scale = min(1.0, _LONGEST / float(size.max()))
        make = _maker(self.method)
        assert make is not None
        core = make()
        x, y = (inside[:2] - (x1, y1)) * self._scale
        w, h = size * self._scale
        try:
            core.init(self._view(image), (round(x), round(y), max(round(w), 2), max(round(h), 2)))
        except cv2.error:
            # A box at the very edge may leave nothing to learn the background from.
            return False
        self._core = core
        return True

    def follow(self, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return the (4,) xyxy box in the next frame; None when the object is lost."""
        if self._core is None:
            return None
        x1, y1, x2, y2 = self._window
        if image.shape[0] < y2 or image.shape[1] < x2:
            return None
        try:
            found, (x, y, w, h) = self._core.update(self._view(image))
        except cv2.error:
            found = False
        if not found:
            self._core = None
            return None
        box = np.array([x, y, x + w, y + h], np.float64) / self._scale
        moved: NDArray[np.float32] = (box + np.array([x1, y1, x1, y1])).astype(np.float32)
        return moved

    def _view(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        x1, y1, x2, y2 = self._window
        part: NDArray[np.uint8] = image[y1:y2, x1:x2]
        if self._scale < 1.0:
            size = (
                max(round((x2 - x1) * self._scale), 4),
                max(round((y2 - y1) * self._scale), 4),
            )
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        return np.ascontiguousarray(part)


def _maker(method: str) -> Callable[[], Any] | None:
    name = {"csrt": "TrackerCSRT_create", "kcf": "TrackerKCF_create", "mil": "TrackerMIL_create"}
    for module in (cv2, getattr(cv2, "legacy", None)):
        make: Callable[[], Any] | None = getattr(module, name[method], None)
        if make is not None and method == "mil":
            return partial(_make_mil, make)
        if make is not None:
            return make
    return None


def _make_mil(make: Callable[..., Any]) -> Any:
    """Return MIL for small steps; its usual search over 25 pixels takes several times as long."""
    if not hasattr(cv2, "TrackerMIL_Params"):
        return make()
    options = cv2.TrackerMIL_Params()
    options.samplerSearchWinSize = _MIL_REACH
    return make(options)

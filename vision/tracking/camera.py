"""How the camera moved between two frames."""

from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["CameraMotion"]

_WIDTH: Final = 320
_CORNERS: Final = 200


class CameraMotion:
    """Sparse optical flow on a small picture, once per frame however many trackers ask.

    It stands in for the ``CMC`` of the ``trackers`` package, which measures at half size with a
    thousand corners: many times the cost, and no better for the few pixels a camera sways.
    """

    def __init__(self) -> None:
        self._flow: Any = None
        self._size = (0, 0)
        self._transform: NDArray[np.float32] = np.eye(2, 3, dtype=np.float32)

    def observe(self, image: NDArray[np.uint8], boxes: NDArray[Any]) -> None:
        """Measure the motion since the last frame.

        Args:
            image: (H, W, 3) BGR.
            boxes: (N, 4) of objects, which move on their own.
        """
        from trackers.utils.cmc import CMC, CMCConfig

        height, width = image.shape[:2]
        if self._flow is None or self._size != (height, width):
            self._size = (height, width)
            self._flow = CMC(
                CMCConfig(
                    method="sparseOptFlow",
                    downscale=max(1, round(width / _WIDTH)),
                    sof_max_corners=_CORNERS,
                    sof_min_distance=5,
                )
            )
        self._transform = cast("NDArray[np.float32]", self._flow.estimate(image, boxes))

    def estimate(
        self, image: NDArray[np.uint8], boxes: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """Return the (2, 3) transform from the frame before to the one last observed."""
        return self._transform

    def reset(self) -> None:
        """Forget the last frame."""
        self._flow = None
        self._transform = np.eye(2, 3, dtype=np.float32)

"""The seam of stylizers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.style.structures import OnProgress, Stylized

__all__ = ["Stylizer"]


class Stylizer(Protocol):
    """Paints a picture in a style; one picture at a time, from any thread."""

    @property
    def model(self) -> str:
        """What paints, e.g. ``vgg19`` or ``rain-princess``."""
        ...

    def stylize(
        self,
        content: NDArray[np.uint8],
        style: NDArray[np.uint8] | None,
        *,
        on_progress: OnProgress | None = None,
    ) -> Stylized:
        """Return the content in the style.

        Args:
            content: (H, W, 3) uint8 BGR.
            style: (H, W, 3) uint8 BGR, of any size; None for a network that knows one style only,
                which ignores it.
            on_progress: Told after every step, and may end the work.

        Raises:
            PictureError: ``bad_array``, ``too_small`` or ``too_large``.
            ModelError: ``out_of_memory``: the message names the largest size that fits.
        """
        ...

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...

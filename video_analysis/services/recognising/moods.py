"""Estimates of moods, where the engine has a network for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.engine import Engine
from vision.errors import VisionError

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 300.0


class Moods:
    """Tells the shares of moods in faces by their names; for one thread."""

    def __init__(self) -> None:
        self._retry_at = 0.0

    def estimate(
        self, engine: Engine, crops: Sequence[NDArray[np.uint8]]
    ) -> list[dict[str, float]]:
        """Return one mapping for each face; none at all where nothing can estimate them.

        People are recognised all the same where the network is not there, or cannot be used.
        """
        if not crops or time.monotonic() < self._retry_at:
            return []
        try:
            moods = engine.moods
            shares = moods.classify(list(crops))
        except VisionError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.warning("Moods are not estimated: %s", error.message)
            return []
        return [
            {name: float(value) for name, value in zip(moods.names, row, strict=True)}
            for row in shares
        ]

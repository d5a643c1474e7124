"""Moods of faces: shares of seven expressions, as a network for pictures of the web sees them.

It tells how a face looks, not how somebody feels, and is wrong for one in three of the pictures
that it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor

from vision.detection.hardware import available_cpus
from vision.engine.admission import AdmissionQueue
from vision.engine.validation import check_image
from vision.errors import ModelError
from vision.faces.programs import StaticPrograms
from vision.structures import Priority
from vision.weights.cards import get_face_card
from vision.weights.store import WeightsStore

__all__ = ["CARD", "MoodClassifier"]

Image = NDArray[np.uint8]

CARD: Final = "mini-xception-fer2013"
_SIDE = 64
_PROGRAMS = 2  # for a lone caller and for a crowd


class MoodClassifier:
    """Tells the shares of moods in faces; from any thread.

    Args:
        weights: Where its network lies.
        queue: Admits to the network; None is one of its own.
        threads: Processor threads to use; None for all.

    Raises:
        WeightsError: The network is not there.
        ModelError: ``bad_model_file``.
    """

    def __init__(
        self,
        weights: WeightsStore,
        *,
        queue: AdmissionQueue | None = None,
        threads: int | None = None,
    ) -> None:
        card = get_face_card(CARD)
        path = weights.fetch(card)
        self.names = card.classes
        self.accuracy = card.accuracy
        count = threads or available_cpus()
        self._owns_queue = queue is None
        self._queue = queue or AdmissionQueue(slots=count)
        try:
            network = ov.Core().read_model(path)
            self._programs = StaticPrograms(
                lambda shape: _build(network, shape), threads=count, limit=_PROGRAMS
            )
        except RuntimeError as error:
            raise ModelError("bad_model_file", f"{path.name} cannot be read.") from error

    def classify(
        self, crops: Sequence[Image], *, priority: Priority = Priority.LIVE
    ) -> NDArray[np.float32]:
        """Return the shares of `names` for each face; each row adds up to 1.

        Args:
            crops: Upright faces as `FaceEngine.crop` cuts them: all of such a crop is looked at,
                as that is what it answers best for.
            priority: Who goes first when several wait.

        Returns:
            (N, 7) float32; (0, 7) for no face.

        Raises:
            PictureError: ``bad_array``: a crop is no (H, W, 3) uint8.
            VisionError: ``engine_closed``.
        """
        for index, crop in enumerate(crops):
            check_image(crop, index)
        if not crops:
            return np.empty((0, len(self.names)), np.float32)
        outcomes = self._queue.run(
            [_prepare(crop) for crop in crops],
            lambda payloads, alone: [self._programs.run(one, alone=alone)[0] for one in payloads],
            key=(CARD,),
            priority=priority,
        )
        return np.concatenate([outcome.result for outcome in outcomes])

    def close(self) -> None:
        """Let running calls end. Idempotent."""
        if self._owns_queue:
            self._queue.close()


def _prepare(crop: Image) -> Image:
    """Return a face in shades of grey at the network's size, (1, 64, 64, 1)."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    method = cv2.INTER_AREA if min(grey.shape) > _SIDE else cv2.INTER_LINEAR
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=method)
    return np.ascontiguousarray(small[None, :, :, None], np.uint8)


def _build(network: ov.Model, shape: tuple[int, ...]) -> ov.Model:
    """Return the network for bytes: what it wants is -1 to 1."""
    model = network.clone()
    model.reshape({0: [shape[0], shape[3], shape[1], shape[2]]})
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(127.5).scale(127.5)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()

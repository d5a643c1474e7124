"""The face engine of a process: finds faces, judges them, and turns them into embeddings."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.hardware import available_cpus
from vision.engine.admission import AdmissionQueue, closed_error
from vision.engine.validation import check_image
from vision.errors import ModelError, WeightsError
from vision.faces import dlib_hog
from vision.faces.alignment import align, similarity
from vision.faces.config import FaceConfig
from vision.faces.dlib_format import FACE_SIZE
from vision.faces.dlib_network import BATCHES, DlibNetwork
from vision.faces.dlib_thread import EMBEDDING_FILE, DlibModels, DlibThread, find_dlib_file
from vision.faces.found import Found
from vision.faces.landmarks import five_landmarks
from vision.faces.protocol import STAND_IN
from vision.faces.quality import is_covered, judge, measure
from vision.faces.structures import (
    EMBEDDING_SIZE,
    QUALITY,
    Embeddings,
    no_faces,
    quality_of,
)
from vision.faces.yunet import MINIMUM_SCORE, YuNet, plan_looks
from vision.structures import Priority
from vision.weights.cards import get_face_card

__all__ = ["EMBEDDER", "LocalFaceEngine"]

logger = logging.getLogger(__name__)

Image = NDArray[np.uint8]

EMBEDDER: Final = "dlib-resnet-v1"
"""Of both runtimes: their embeddings agree to 1e-5, so they can be compared."""

_RETRY_SECONDS = 60.0
_CERTAIN, _LIKELY, _LARGE_ENOUGH = 0.905, 0.7, 32.0
# Of 94 upright faces six are less certain than that, of those upside down or lying none is more.


class LocalFaceEngine:
    """Implements ``FaceEngine`` with the models of this process.

    Args:
        config: How it is set up.
        queue: Admits to the networks; None is one of its own.
    """

    def __init__(self, config: FaceConfig, queue: AdmissionQueue | None = None) -> None:
        if config.detector not in ("auto", "yunet", "dlib-hog"):
            raise ModelError("unknown_backend", f"There is no detector {config.detector!r}.")
        if config.embedder not in ("auto", "openvino", "dlib"):
            raise ModelError("unknown_backend", f"There is no embedder {config.embedder!r}.")
        self._config = config
        self._threads = config.threads or available_cpus()
        self._owns_queue = queue is None
        self._queue = queue or AdmissionQueue(slots=self._threads)
        self._dlib = DlibThread()
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # for what may take seconds to fetch
        self._yunet: YuNet | None = None
        self._fetching: threading.Thread | None = None
        self._retry_at = 0.0
        self._network: DlibNetwork | None = None
        self._network_missing = config.embedder == "dlib"
        self._closed = False

    @property
    def detector(self) -> str:
        """Name of what finds the faces: ``yunet`` or ``dlib-hog``."""
        return STAND_IN if self._find_yunet() is None else YuNet.name

    @property
    def embedder(self) -> str:
        """Name of what makes the embeddings; only those of one name can be compared."""
        return EMBEDDER

    def detect(
        self,
        images: Sequence[Image],
        *,
        minimum_size: int = 20,
        confidence: float = MINIMUM_SCORE,
        priority: Priority = Priority.INTERACTIVE,
    ) -> list[sv.Detections]:
        """Return the faces of each picture, largest first; see ``FaceEngine``."""
        self._refuse_if_closed()
        for index, image in enumerate(images):
            check_image(image, index)
        return [self._detect_one(image, minimum_size, confidence, priority) for image in images]

    def embed(
        self,
        image: Image,
        faces: sv.Detections,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Embeddings:
        """Return the embeddings of faces of a picture, (N, 128); see ``FaceEngine``."""
        self._refuse_if_closed()
        check_image(image, 0)
        embeddings = np.full((len(faces), EMBEDDING_SIZE), np.nan, np.float32)
        usable = _usable(image, faces)
        if len(usable):
            chips = self._chips(image, faces, usable)
            embeddings[usable] = self._embed_chips(chips, priority)
        return embeddings

    def crop(self, image: Image, faces: sv.Detections) -> list[Image]:
        """Return each face upright, 150x150x3 BGR; black for boxes that are none."""
        self._refuse_if_closed()
        check_image(image, 0)
        crops = [np.zeros((FACE_SIZE, FACE_SIZE, 3), np.uint8) for _ in range(len(faces))]
        usable = _usable(image, faces)
        if len(usable):
            chips = self._chips(image, faces, usable)
            for place, chip in zip(usable, chips, strict=True):
                crops[place] = chip
        return crops

    def close(self) -> None:
        """Let running calls end and go of the models. Idempotent."""
        self._closed = True
        if self._owns_queue:
            self._queue.close()
        self._dlib.close()
        with self._loading, self._lock:
            self._yunet = self._network = None

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise closed_error()

    def _detect_one(
        self, image: Image, minimum_size: int, confidence: float, priority: Priority
    ) -> sv.Detections:
        started = time.perf_counter()
        yunet = self._find_yunet()
        if yunet is None and self._fetching is not None and priority != Priority.LIVE:
            self._fetching.join()  # what is looked at once is looked at well; live work goes on
            yunet = self._yunet
        if yunet is None:
            found = self._dlib.run(lambda models: dlib_hog.find_faces(models, image, minimum_size))
        else:
            found = self._look(yunet, image, minimum_size, confidence, priority)
        searched = time.perf_counter()
        found = _in_order(found, minimum_size)
        quality = _judge_all(image, found)
        if yunet is not None:
            self._mark_upside_down(yunet, image, found, quality, priority)
        faces = _describe(image, found, quality)
        ended = time.perf_counter()
        faces.metadata = {
            "model": YuNet.name if yunet is not None else STAND_IN,
            "embedder": self.embedder,
            "width": int(image.shape[1]),
            "height": int(image.shape[0]),
            "timings_ms": {
                "detection": round((searched - started) * 1e3, 3),
                "quality": round((ended - searched) * 1e3, 3),
                "total": round((ended - started) * 1e3, 3),
            },
        }
        return faces

    def _look(
        self, yunet: YuNet, image: Image, minimum_size: int, confidence: float, priority: Priority
    ) -> Found:
        looks = plan_looks(image.shape[0], image.shape[1], minimum_size)
        parts = []
        for look in looks:
            outcomes = self._queue.run(
                [yunet.prepare(image, look)],
                lambda payloads, alone: [yunet.forward(one, alone=alone) for one in payloads],
                key=("yunet", look.height, look.width),
                priority=priority,
            )
            parts.append(yunet.decode(outcomes[0].result, look, confidence))
        return yunet.merge(parts)

    def _mark_upside_down(
        self,
        yunet: YuNet,
        image: Image,
        found: Found,
        quality: NDArray[np.float32],
        priority: Priority,
    ) -> None:
        """Set the roll of faces that are surer the other way round, or lying on their side.

        YuNet finds them, but sees them upright: only its doubt tells, so the doubtful ones are
        turned and looked at again.
        """
        doubtful = (found.scores < _CERTAIN) & (found.scores >= _LIKELY)
        for place in np.flatnonzero(doubtful & (quality[:, 0] >= _LARGE_ENOUGH)):
            outcomes = self._queue.run(
                [yunet.turned_crops(image, found.boxes[place])],
                lambda payloads, alone: [yunet.is_upright(one, alone=alone) for one in payloads],
                key=("yunet", "turned"),
                priority=priority,
            )
            if not outcomes[0].result:
                quality[place, QUALITY.index("roll")] = 180.0

    def _chips(self, image: Image, faces: sv.Detections, which: NDArray[np.int64]) -> list[Image]:
        found = _found(faces, which)
        marks = self._dlib.run(lambda models: five_landmarks(models, image, found))
        return [align(image, similarity(points)) for points in marks]

    def _embed_chips(self, chips: list[Image], priority: Priority) -> Embeddings:
        network = self._find_network()
        if network is None:
            return self._dlib.run(lambda models: _embed_with_dlib(models, chips))
        parts = []
        start = 0
        while start < len(chips):
            size = next(size for size in BATCHES if size <= len(chips) - start)
            outcomes = self._queue.run(
                [np.stack(chips[start : start + size])],
                lambda payloads, alone: [network.embed(one, alone=alone) for one in payloads],
                key=(EMBEDDER, size),
                priority=priority,
            )
            parts.append(outcomes[0].result)
            start += size
        return np.concatenate(parts)

    def _find_yunet(self) -> YuNet | None:
        """Return YuNet, or None where dlib's HOG has to do: while its weights are fetched, too."""
        self._refuse_if_closed()
        if self._yunet is not None or self._config.detector == "dlib-hog":
            return self._yunet
        now = time.monotonic()
        if self._retry_at and (now < self._retry_at or self._loading.locked()):
            return None  # somebody else looks for the weights again, or did so a moment ago
        with self._loading:
            if self._yunet is None and time.monotonic() >= self._retry_at:
                self._load_yunet()
                self._retry_at = time.monotonic() + _RETRY_SECONDS
            return self._yunet

    def _load_yunet(self) -> None:
        weights, card = self._config.weights, get_face_card("yunet")
        if self._config.detector == "yunet":
            self._yunet = YuNet(weights.fetch(card), threads=self._threads)
            return
        path = weights.find(card)
        if path is None:
            name = "yunet-weights"
            self._fetching = threading.Thread(target=self._fetch_yunet, name=name, daemon=True)
            self._fetching.start()
        else:
            self._try_yunet(path)

    def _fetch_yunet(self) -> None:
        """Bring the weights, and use them from now on."""
        try:
            path = self._config.weights.fetch(get_face_card("yunet"))
        except WeightsError as error:
            logger.warning("YuNet is replaced by dlib's HOG: %s", error.message)
            return
        with self._loading:
            if self._yunet is None and not self._closed:
                self._try_yunet(path)

    def _try_yunet(self, path: Path) -> None:
        try:
            self._yunet = YuNet(path, threads=self._threads)
        except ModelError as error:
            logger.warning("YuNet is replaced by dlib's HOG: %s", error.message)

    def _find_network(self) -> DlibNetwork | None:
        """Return the network in OpenVINO, or None where dlib itself has to do."""
        if self._network is not None or self._network_missing:
            return self._network
        with self._lock:
            if self._network is None and not self._network_missing:
                try:
                    self._network = DlibNetwork(
                        find_dlib_file(EMBEDDING_FILE), threads=self._threads
                    )
                except ModelError as error:
                    if self._config.embedder == "openvino":
                        raise
                    logger.warning("dlib's own runtime embeds faces: %s", error.message)
                    self._network_missing = True
            return self._network


def _in_order(found: Found, minimum_size: int) -> Found:
    """Return the faces that are large enough, largest first."""
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    kept = np.flatnonzero(sides.min(axis=1, initial=np.inf) >= minimum_size)
    return found.take(kept[np.argsort(-sides[kept].prod(axis=1), kind="stable")])


def _judge_all(image: Image, found: Found) -> NDArray[np.float32]:
    """Return the (N, 5) qualities."""
    rows = [
        astuple(measure(image, box, landmarks))
        for box, landmarks in zip(found.boxes, found.landmarks, strict=True)
    ]
    return np.array(rows, np.float32).reshape(-1, len(QUALITY))


def _describe(image: Image, found: Found, quality: NDArray[np.float32]) -> sv.Detections:
    """Return faces with their quality and flaws, cut off at the edges."""
    if not len(found):
        return no_faces()
    height, width = image.shape[:2]
    faces = sv.Detections(
        xyxy=found.boxes.clip(0, (width, height, width, height)).astype(np.float32),
        confidence=found.scores,
        class_id=np.zeros(len(found), int),
        data={
            "class_name": np.full(len(found), "face", dtype="<U16"),
            "landmarks": found.landmarks,
            "quality": quality,
            "embedding": np.full((len(found), EMBEDDING_SIZE), np.nan, np.float32),
        },
    )
    flaws = []
    for index in range(len(found)):
        flaw = judge(quality_of(faces, index), float(found.scores[index]), purpose="match")
        covered = not flaw and is_covered(image, found.landmarks[index])
        flaws.append("covered" if covered else flaw)
    faces.data["flaw"] = np.array(flaws, dtype="<U16")
    return faces


def _usable(image: Image, faces: sv.Detections) -> NDArray[np.int64]:
    """Return which boxes are boxes: finite, with an area, and at least partly in the picture."""
    if not len(faces):
        return np.empty(0, np.int64)
    height, width = image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = np.clip(faces.xyxy, 0, (width, height, width, height))
        fits = np.isfinite(faces.xyxy).all(axis=1) & (inside[:, 2:] - inside[:, :2] > 0).all(axis=1)
    return np.flatnonzero(fits)


def _found(faces: sv.Detections, which: NDArray[np.int64]) -> Found:
    boxes = faces.xyxy[which].astype(np.float32)
    landmarks = faces.data.get("landmarks")
    points = None if landmarks is None else np.asarray(landmarks, np.float32)[which]
    scores = np.ones(len(which), np.float32)
    if points is None:
        points = np.repeat(((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None], 5, axis=1)
    return Found(boxes, scores, points)


def _embed_with_dlib(models: DlibModels, chips: Sequence[Image]) -> Embeddings:
    descriptors: list[Any] = [
        models.embedder.compute_face_descriptor(np.ascontiguousarray(chip[:, :, ::-1]))
        for chip in chips
    ]
    return np.array(descriptors, np.float32).reshape(-1, EMBEDDING_SIZE)

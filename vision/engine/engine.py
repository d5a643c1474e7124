"""One engine per process: the only door to the models."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.detection.candidates import Query
from vision.engine.admission import AdmissionQueue, closed_error
from vision.engine.call import Call
from vision.engine.config import Batch, EngineConfig, ModelInfo
from vision.engine.models import LoadedModel, ModelRegistry
from vision.engine.plan import make_plan
from vision.engine.validation import check_image, check_query
from vision.structures import Priority

if TYPE_CHECKING:
    from vision.faces.mood import MoodClassifier
    from vision.faces.protocol import FaceEngine
    from vision.style.pool import StylePool

__all__ = ["Engine"]


class Engine:
    """Detects objects with any installed model, from any thread.

    Models are loaded when first asked for. Pre- and post-processing run in the caller's thread;
    a list of pictures borrows helpers from a small pool, so that its stages overlap. The engine
    owns models, queue and pool; nothing is dropped when it is full: callers wait their turn.

    Args:
        config: How the engine is set up.

    Raises:
        ModelError: The configured backend, device or precision does not exist here.
    """

    def __init__(self, config: EngineConfig) -> None:
        self._on_batch = config.on_batch
        self._weights = config.weights
        self._plan = make_plan(config.backend, config.device, config.precision, config.threads)
        self._models = ModelRegistry(config, self._plan)
        self._queue = AdmissionQueue(slots=self._plan.slots, max_batch=self._plan.max_batch)
        self._helpers = ThreadPoolExecutor(
            max_workers=self._plan.slots + 1, thread_name_prefix="engine"
        )
        self._closed = False
        self._faces: FaceEngine | None = None
        self._parts_lock = threading.Lock()  # held for moments only
        self._moods: MoodClassifier | None = None
        self._making_moods = threading.Lock()
        self._styles: StylePool | None = None
        self._fp32_wanted = config.precision == "fp32"
        # On a GPU the few slots are its own: face networks run on the processor beside it.
        self._beside = self._queue if self._plan.device == "cpu" else None

    def detect(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        model: str = "yolov8n",
        confidence: float = 0.25,
        iou: float = 0.7,
        classes: Sequence[int] | None = None,
        priority: Priority = Priority.INTERACTIVE,
        input_size: int | None = None,
    ) -> list[sv.Detections]:
        """Return the objects of each picture, in order.

        Args:
            images: (H, W, 3) uint8 BGR each; sizes may differ. An empty list gives an empty one.
            model: Name of a card.
            confidence: 0..1; only objects above it are returned.
            iou: 0..1; of two boxes of one class that overlap more, the better one stays.
            classes: Class ids to look for; None looks for all, an empty sequence for none.
            priority: Who goes first when several wait; live and interactive take turns.
            input_size: Longer side of what the network sees, in pixels, a multiple of 32; None
                is the model's own. Less is faster, and loses small objects first. OpenCV's
                detectors ignore it.

        Returns:
            One ``Detections`` per picture, best object first: ``xyxy`` (N, 4) float32 pixels,
            ``confidence`` float32, ``class_id``, ``data["class_name"]``, for a segmentation model
            ``mask`` as a ``CompactMask``, for a pose model ``data["keypoints"]`` (N, 17, 3);
            ``metadata`` holds ``model``, ``backend``, ``device``,
            ``precision``, ``width``, ``height`` and ``timings_ms``.

        Raises:
            ModelError: ``unknown_model``, ``not_quantized`` or ``export_failed``.
            PictureError: ``bad_array``: an image is not (H, W, 3) uint8.
            VisionError: ``bad_threshold``, ``bad_input_size`` or ``engine_closed``.
        """
        self._refuse_if_closed()
        query = check_query(confidence, iou, classes, input_size)
        for index, image in enumerate(images):
            check_image(image, index)
        if not images:
            return []
        loaded = self._models.get(model)
        work = partial(self._detect_some, loaded, query=query, iou=iou, priority=priority)
        if len(images) == 1:
            return work(list(images), crowded=False)
        return self._share_out(list(images), work)

    @property
    def faces(self) -> "FaceEngine":
        """Finds and embeds faces, on the processor; closed with the engine.

        By the queue of the detectors where they run there, too; otherwise by one of its own.

        Raises:
            VisionError: ``engine_closed``.
        """
        from vision.faces.config import FaceConfig, create_face_engine

        with self._parts_lock:
            self._refuse_if_closed()
            if self._faces is None:
                config = FaceConfig(self._weights, threads=self._plan.threads)
                self._faces = create_face_engine(config, queue=self._beside)
            return self._faces

    @property
    def moods(self) -> "MoodClassifier":
        """Estimates the moods of faces, on the processor as `faces`; closed with the engine.

        Raises:
            VisionError: ``engine_closed``.
            WeightsError: The network is not there.
        """
        from vision.faces.mood import MoodClassifier

        with self._making_moods:  # nobody else waits while the network is read
            self._refuse_if_closed()
            if self._moods is None:
                made = MoodClassifier(self._weights, queue=self._beside, threads=self._plan.threads)
                with self._parts_lock:
                    if self._closed:
                        made.close()
                        raise closed_error()
                    self._moods = made
            return self._moods

    @property
    def styles(self) -> "StylePool":
        """Paints pictures in fast styles, on the processor; closed with the engine.

        By a queue of its own: a large picture takes seconds, in which detectors go on.

        Raises:
            VisionError: ``engine_closed``.
        """
        from vision.style.pool import StylePool

        with self._parts_lock:
            self._refuse_if_closed()
            if self._styles is None:
                self._styles = StylePool(
                    self._weights,
                    threads=self._plan.threads,
                    precision="fp32" if self._fp32_wanted else "auto",
                )
            return self._styles

    def describe(self, model: str) -> ModelInfo:
        """Return what answers when ``model`` is asked for; loads it if needed.

        Raises:
            ModelError: As ``detect``.
            VisionError: ``engine_closed``.
        """
        self._refuse_if_closed()
        return self._models.get(model).info

    def loaded(self) -> list[ModelInfo]:
        """Return what answers for each model that has been asked for; loads nothing."""
        return self._models.loaded()

    @property
    def capacity(self) -> int:
        """How many pictures may be inside the models at once; more callers wait their turn."""
        return self._plan.slots * self._plan.max_batch

    @property
    def is_asked(self) -> bool:
        """Whether live or interactive work was there a moment ago: batch work rests beside it."""
        return self._queue.is_asked

    def close(self) -> None:
        """Let running calls end, turn waiting ones away, and let go of the models. Idempotent."""
        with self._parts_lock:
            self._closed = True
        self._queue.close()
        for owned in (self._faces, self._moods, self._styles):
            if owned is not None:
                owned.close()
        self._helpers.shutdown(wait=True, cancel_futures=True)
        self._models.clear()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise closed_error()

    def _detect_some(
        self,
        loaded: LoadedModel,
        images: Sequence[NDArray[np.uint8]],
        *,
        query: Query,
        iou: float,
        priority: Priority,
        crowded: bool,
    ) -> list[sv.Detections]:
        """Take pictures through all three stages in this thread."""
        detector = loaded.detector
        calls = []
        for image in images:
            started = time.perf_counter()
            prepared = detector.pre_process(image, query)
            calls.append(Call(image, prepared, started, time.perf_counter() - started))
        for bucket, group in itertools.groupby(
            sorted(calls, key=lambda call: call.prepared.bucket),
            key=lambda call: call.prepared.bucket,
        ):
            members = list(group)
            outcomes = self._queue.run(
                [call.prepared for call in members],
                lambda payloads, alone: self._forward(loaded, payloads, alone),
                key=(loaded.info.requested, bucket),
                priority=priority,
                crowded=crowded,
            )
            for call, outcome in zip(members, outcomes, strict=True):
                call.finish(loaded, outcome, iou)
        return [call.detections for call in calls]

    def _forward(self, loaded: LoadedModel, payloads: Sequence[Any], alone: bool) -> list[Any]:
        """Compute one batch, and tell who wants to know."""
        began = time.perf_counter()
        results = loaded.detector.forward(payloads, alone=alone)
        if self._on_batch is not None:
            seconds = time.perf_counter() - began
            self._on_batch(Batch(loaded.info.model, len(payloads), seconds))
        return results

    def _share_out(
        self, images: list[NDArray[np.uint8]], work: Callable[..., list[sv.Detections]]
    ) -> list[sv.Detections]:
        """Take many pictures through the stages in this thread and some helpers.

        Helpers only speed things up: with every one of them busy for other lists, this thread
        alone still makes progress at its own priority.
        """
        size = self._queue.max_batch
        starts = iter(range(0, len(images), size))
        results: list[sv.Detections | None] = [None] * len(images)
        stop = threading.Event()

        def drain() -> None:
            try:
                # next() on a range iterator is one bytecode: threads never get the same start
                while not stop.is_set() and (start := next(starts, None)) is not None:
                    chunk = images[start : start + size]
                    results[start : start + size] = work(chunk, crowded=True)
            except BaseException:
                stop.set()
                raise

        wanted = min(-(-len(images) // size) - 1, self._plan.slots + 1)
        try:
            helpers = [self._helpers.submit(drain) for _ in range(wanted)]
        except RuntimeError as error:  # the pool was shut down meanwhile
            raise closed_error() from error
        try:
            drain()
        finally:
            # Those that have not begun find nothing left to do.
            begun = [helper for helper in helpers if not helper.cancel()]
            errors = [failure for helper in begun if (failure := helper.exception()) is not None]
        if errors:
            raise errors[0]
        return [result for result in results if result is not None]

"""Loads models on demand, once each, and stands in for those whose weights cannot be had."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from vision.detection.factory import FALLBACK_MODEL, create_detector, create_fallback
from vision.detection.protocol import StagedDetector
from vision.engine.config import EngineConfig, ModelInfo
from vision.engine.plan import Plan
from vision.errors import WeightsError
from vision.export import Exports
from vision.weights.cards import Task, get_card

__all__ = ["LoadedModel", "ModelRegistry"]

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""A fallback stands in for this long before the weights are looked for again."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A detector that is ready, and what to say about it."""

    detector: StagedDetector
    info: ModelInfo


@dataclass(slots=True)
class _Place:
    """One model's place: loaded under its own lock, so that other models are not held up."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: LoadedModel | None = None
    retry_at: float = 0.0


class ModelRegistry:
    """The models of one engine, by name.

    Args:
        config: Where weights and exports live.
        plan: Runtime, device and precision of every model.
        clock: Monotonic seconds; replaced in tests.
    """

    def __init__(
        self, config: EngineConfig, plan: Plan, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._weights = config.weights
        self._cache_dir = config.cache_dir
        self._exports = Exports(config.cache_dir)
        self._plan = plan
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._lock = threading.Lock()
        self._fallback: StagedDetector | None = None

    def get(self, name: str) -> LoadedModel:
        """Return a model, loading it on the first call; eight first callers load once.

        Raises:
            ModelError: ``unknown_model``, ``not_quantized``, ``export_failed`` or
                ``unsupported_task``.
        """
        get_card(name)  # an unknown name must not leave a place behind
        with self._lock:
            place = self._places.setdefault(name, _Place())
        loaded = place.loaded
        if loaded is not None and self._is_current(place):
            return loaded
        if loaded is not None and not place.lock.acquire(blocking=False):
            return loaded  # another caller already looks for the weights again
        if loaded is None:
            place.lock.acquire()
        try:
            if place.loaded is None or not self._is_current(place):
                place.loaded = self._load(name)
                place.retry_at = self._clock() + RETRY_SECONDS
            return place.loaded
        finally:
            place.lock.release()

    def loaded(self) -> list[ModelInfo]:
        """Return what answers for each model that has been asked for."""
        with self._lock:
            places = list(self._places.values())
        return [place.loaded.info for place in places if place.loaded is not None]

    def clear(self) -> None:
        """Forget every model."""
        with self._lock:
            self._places.clear()
            self._fallback = None

    def _is_current(self, place: _Place) -> bool:
        loaded = place.loaded
        if loaded is None:
            return False
        temporary = loaded.info.fallback and self._plan.backend != "opencv"
        return not temporary or self._clock() < place.retry_at

    def _load(self, name: str) -> LoadedModel:
        card = get_card(name)
        if self._plan.backend == "opencv":
            return self._stand_in(name, "The OpenCV backend was chosen; it uses no weights.")
        try:
            weights = self._weights.fetch(card)
        except WeightsError as error:
            logger.warning("%s is replaced by %s: %s", name, FALLBACK_MODEL, error.message)
            return self._stand_in(name, error.message)
        started = time.perf_counter()
        detector = create_detector(
            card,
            weights,
            exports=self._exports,
            cache_dir=self._cache_dir,
            backend=self._plan.backend,
            device=self._plan.device,
            precision=self._plan.precision,
            threads=self._plan.threads,
        )
        logger.info("%s loaded in %.1f s", name, time.perf_counter() - started)
        return LoadedModel(detector, _describe(detector, name, card.task, reason=""))

    def _stand_in(self, requested: str, reason: str) -> LoadedModel:
        with self._lock:
            if self._fallback is None:
                self._fallback = create_fallback()
            fallback = self._fallback
        return LoadedModel(fallback, _describe(fallback, requested, "detect", reason=reason))


def _describe(detector: StagedDetector, requested: str, task: Task, *, reason: str) -> ModelInfo:
    return ModelInfo(
        model=detector.model,
        requested=requested,
        task=task,
        backend=detector.backend,
        device=detector.device,
        precision=detector.precision,
        classes=detector.classes,
        fallback=bool(reason),
        reason=reason,
    )

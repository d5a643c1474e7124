"""The one-pass painters of a process: loaded when they are first asked for, the last few kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from vision.engine.admission import AdmissionQueue, closed_error
from vision.errors import ModelError, WeightsError
from vision.structures import Priority
from vision.style.structures import Stylized
from vision.weights.store import WeightsStore
from vision.weights.style_cards import StyleCard, get_style_card

if TYPE_CHECKING:
    from vision.style.feed_forward import FeedForwardStylizer
    from vision.style.network import Precision

__all__ = ["MOST_NETWORKS", "RETRY_SECONDS", "StylePool"]

Image = NDArray[np.uint8]

MOST_NETWORKS: Final = 3
"""Each holds the memory of what it painted last."""
RETRY_SECONDS: Final = 60.0
"""A network that could not be had is not fetched again for so long: pages ask many times."""

_PATIENCE: Final = 5.0  # seconds to wait for another caller who loads the same network
_SMALL_MULTIPLE: Final = 64


@dataclass(frozen=True, slots=True)
class _Failure:
    error: WeightsError
    until: float


class StylePool:
    """Paints with any installed one-pass network, one picture at a time; from any thread.

    A picture uses all threads: two side by side would be no faster.

    Args:
        weights: Where networks come from.
        threads: Processor threads to use; None for all.
        precision: See `StyleNetwork`.
        memory: Bytes that may be used; None for what is free when a picture comes.
        clock: Monotonic seconds; replaced in tests.
    """

    def __init__(
        self,
        weights: WeightsStore,
        *,
        threads: int | None = None,
        precision: Precision = "auto",
        memory: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._weights = weights
        self._threads = threads
        self._precision: Precision = precision
        self._memory = memory
        self._clock = clock
        self._queue = AdmissionQueue(slots=1)
        self._kept: OrderedDict[str, FeedForwardStylizer] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._failures: dict[str, _Failure] = {}
        self._closed = False
        self._lock = threading.Lock()  # held for moments only

    def has(self, network: str) -> bool:
        """Tell whether a network's file is on disk; never uses the network connection.

        Raises:
            ModelError: ``unknown_model``.
        """
        return self._weights.find(get_style_card(network)) is not None

    def stylize(
        self,
        network: str,
        image: Image,
        *,
        longer_side: int | None = None,
        keep_colours: bool = False,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Stylized:
        """Return a picture in a network's style.

        Args:
            network: Name of a card; its file is fetched if it is not there.
            image: (H, W, 3) uint8 BGR, at least 16 pixels each way.
            longer_side: Pixels to which a larger picture is reduced first.
            keep_colours: Paint only light and dark.
            priority: Who goes first when several wait.

        Raises:
            PictureError: ``bad_array`` or ``too_small``.
            WeightsError: The network cannot be had; not tried again for a minute.
                ``weights_loading``: another caller is still fetching it.
            ModelError: ``unknown_model``, ``bad_model_file`` or ``out_of_memory``.
            VisionError: ``bad_option`` or ``engine_closed``.
        """
        painter = self._painter(get_style_card(network))

        def paint(images: Sequence[Image], alone: bool) -> list[Stylized]:
            return [self._paint(painter, one, longer_side, keep_colours) for one in images]

        key = (network, longer_side, keep_colours)
        (outcome,) = self._queue.run([image], paint, key=key, priority=priority)
        painted: Stylized = outcome.result
        return painted

    def close(self) -> None:
        """Let a running picture end, turn waiting ones away, and let go of all. Idempotent."""
        with self._lock:
            self._closed = True
        self._queue.close()
        with self._lock:
            painters = list(self._kept.values())
            self._kept.clear()
        for painter in painters:
            painter.close()

    def _painter(self, card: StyleCard) -> FeedForwardStylizer:
        painter = self._find_kept(card)
        if painter is not None:
            return painter
        with self._lock:
            loading = self._loading.setdefault(card.name, threading.Lock())
        if not loading.acquire(timeout=_PATIENCE):
            raise WeightsError(
                "weights_loading", f"The network {card.name} is being fetched; try again soon."
            )
        try:
            return self._find_kept(card) or self._keep(card, self._load(card))
        finally:
            loading.release()

    def _find_kept(self, card: StyleCard) -> FeedForwardStylizer | None:
        with self._lock:
            if self._closed:
                raise closed_error()
            painter = self._kept.get(card.name)
            if painter is not None:
                self._kept.move_to_end(card.name)
            return painter

    def _load(self, card: StyleCard) -> FeedForwardStylizer:
        from vision.style.feed_forward import FeedForwardStylizer

        failure = self._failures.get(card.name)
        # What somebody puts into the weights folder meanwhile is used at once.
        if failure and self._clock() < failure.until and self._weights.find(card) is None:
            raise WeightsError(failure.error.code, failure.error.message)
        try:
            return FeedForwardStylizer(
                card,
                self._weights,
                threads=self._threads,
                precision=self._precision,
                memory=self._memory,
                small_multiple=_SMALL_MULTIPLE,
            )
        except WeightsError as error:
            self._failures[card.name] = _Failure(error, self._clock() + RETRY_SECONDS)
            raise

    def _keep(self, card: StyleCard, painter: FeedForwardStylizer) -> FeedForwardStylizer:
        """Keep a painter, and close the one that was not needed for longest."""
        dropped: list[FeedForwardStylizer] = []
        with self._lock:
            if self._closed:
                raise closed_error()
            self._kept[card.name] = painter
            while len(self._kept) > MOST_NETWORKS:
                dropped.append(self._kept.popitem(last=False)[1])
        for one in dropped:  # outside the lock: it may have to end a picture
            one.close()
        return painter

    def _paint(
        self, painter: FeedForwardStylizer, image: Image, longer_side: int | None, keep: bool
    ) -> Stylized:
        try:
            return painter.stylize(image, longer_side=longer_side, keep_colours=keep)
        except ModelError as error:
            if error.code != "out_of_memory":
                raise
        with self._lock:
            others = [one for one in self._kept.values() if one is not painter]
        for one in others:  # they can make their programs again
            one.close()
        return painter.stylize(image, longer_side=longer_side, keep_colours=keep)

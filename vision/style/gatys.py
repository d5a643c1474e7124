"""Pictures painted by optimisation: slow, and in the style of any picture (Gatys et al. 2016)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from vision.detection.hardware import available_cpus, has_bf16, has_cuda_driver
from vision.engine.validation import check_image
from vision.errors import ModelError, PictureError, VisionError, WeightsError
from vision.style.canvas import Canvas, make_canvas
from vision.style.config import GatysConfig, GatysOptions
from vision.style.features import FeatureNetwork, load_weights, random_weights
from vision.style.memory import free_memory
from vision.style.painting import Painted, paint
from vision.style.sizes import fit, largest_size, out_of_memory, require_memory
from vision.style.structures import OnProgress, Stylized
from vision.weights.feature_cards import vgg19_card
from vision.weights.store import ProgressCallback

__all__ = ["RANDOM", "TRAINED", "GatysStylizer"]

logger = logging.getLogger(__name__)

Image = NDArray[np.uint8]

TRAINED: Final = "vgg19"
RANDOM: Final = "random-vgg19"
"""Named in results and on pages: it paints, but not as well as trained features do."""

_RETRY_SECONDS = 600.0


class GatysStylizer:
    """Implements ``Stylizer``; one picture at a time, others wait.

    On one device and with the same number of threads, the same pictures and options give the same
    result.

    Args:
        config: How it is set up.

    Raises:
        ModelError: ``unknown_backend``: there are no such features, device or precision.
    """

    def __init__(self, config: GatysConfig) -> None:
        if config.features not in ("auto", "vgg19", "random"):
            raise ModelError("unknown_backend", f"There are no features {config.features!r}.")
        if config.precision not in ("auto", "fp32", "bf16"):
            raise ModelError("unknown_backend", f"There is no precision {config.precision!r}.")
        self._config = config
        self._device = _find_device(config.device)
        self._dtype = _find_dtype(config.precision, self._device)
        self._threads = config.threads or available_cpus()
        self._lock = threading.Lock()
        self._network: FeatureNetwork | None = None
        self._trained = False
        self._retry_at = 0.0
        self._closed = False

    @property
    def model(self) -> str:
        """What paints: ``vgg19``, or ``random-vgg19`` until its weights can be had."""
        return TRAINED if self._trained or self._config.features == "vgg19" else RANDOM

    @property
    def device(self) -> str:
        """Where it computes: ``cpu`` or ``cuda:0``."""
        return str(self._device)

    def prepare(self, on_progress: ProgressCallback | None = None) -> str:
        """Load the network, fetching 575 MB at the first time, and return its name.

        Args:
            on_progress: Called with (bytes so far, bytes in all) while the weights come; what it
                raises ends that and is raised here.

        Raises:
            WeightsError: VGG19 was demanded and cannot be had.
        """
        with self._lock:
            self._load(on_progress)
            return self.model

    def check(
        self,
        content: Image,
        style: Image | None,
        *,
        options: GatysOptions | None = None,
        start: Image | None = None,
    ) -> None:
        """Raise what ``stylize`` would raise of such pictures, before anything is fetched."""
        options = options or self._config.options
        self._require_memory(_check(content, style, start, options), options)

    def stylize(
        self,
        content: Image,
        style: Image | None,
        *,
        on_progress: OnProgress | None = None,
        options: GatysOptions | None = None,
        start: Image | None = None,
    ) -> Stylized:
        """Return the content in the style; see ``Stylizer``.

        Large pictures are painted coarse to fine. Losses are those of the size that was painted at
        the time; all are fractions of their targets, so they can be compared across sizes.

        Args:
            content: (H, W, 3) uint8 BGR.
            style: (H, W, 3) uint8 BGR.
            on_progress: Told after every step; False ends the work.
            options: Of this picture; None takes those of the configuration.
            start: (H, W, 3) uint8 BGR of any size, for ``options.start == "picture"`` only.

        Raises:
            PictureError: ``bad_array`` or ``too_small``: content, style or start.
            VisionError: ``bad_option``: a start is given but not wished for, or the reverse.
            ModelError: ``out_of_memory``: the message names the largest size that fits; ``closed``.
            WeightsError: VGG19 was demanded and cannot be had.
        """
        began = time.perf_counter()
        options = options or self._config.options
        canvas = _check(content, style, start, options)
        with self._lock:
            self._require_memory(canvas, options)  # before half a gigabyte is fetched for nothing
            network = self._load(None)
            with _settings(self._threads, self._device):
                painted = self._paint(network, canvas, options, on_progress)
        return Stylized(
            image=painted.image,
            losses=np.array(painted.losses, np.float64),
            seconds=time.perf_counter() - began,
            stopped=painted.stopped,
            model=self.model,
            device=self.device,
        )

    def close(self) -> None:
        """Let a running picture end, and go of the network. Idempotent."""
        with self._lock:
            self._closed = True
            self._network = None

    def _paint(
        self,
        network: FeatureNetwork,
        canvas: Canvas,
        options: GatysOptions,
        on_progress: OnProgress | None,
    ) -> Painted:
        try:
            return paint(network, canvas, options, on_progress)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            logger.warning("No memory for %d x %d pixels", canvas.width, canvas.height)
        # Not inside the handler: the exception holds the frames, and they hold the tensors.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        raise out_of_memory(canvas.height, canvas.width, self._smaller(canvas))

    def _require_memory(self, canvas: Canvas, options: GatysOptions) -> None:
        require_memory(
            canvas.height,
            canvas.width,
            self._available(),
            number_bytes=self._dtype.itemsize,
            steps=options.steps,
        )

    def _smaller(self, canvas: Canvas) -> int:
        """Return a size to be tried where even the estimate was too bold."""
        longer = max(canvas.height, canvas.width)
        aspect = min(canvas.height, canvas.width) / longer
        fits = largest_size(self._available(), aspect, number_bytes=self._dtype.itemsize)
        return min(fits, longer) * 3 // 4

    def _available(self) -> int:
        if self._config.memory is not None:
            return self._config.memory
        if self._device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self._device)
            kept = torch.cuda.memory_reserved(self._device)
            return int(free + kept - torch.cuda.memory_allocated(self._device))
        return free_memory()

    def _load(self, on_progress: ProgressCallback | None) -> FeatureNetwork:
        """Return the network: VGG19 as soon as it can be had, random features meanwhile."""
        if self._closed:
            raise ModelError("closed", "The painter has been closed.")
        due = not self._trained and time.monotonic() >= self._retry_at
        if self._config.features != "random" and due:
            try:
                path = self._config.weights.fetch(vgg19_card(), on_progress)
                self._network = self._build(load_weights(path))
                self._trained = True
            except (WeightsError, ModelError) as error:
                if self._config.features == "vgg19":
                    raise
                logger.warning("Random features stand in for VGG19: %s", error.message)
                self._retry_at = time.monotonic() + _RETRY_SECONDS
        if self._network is None:
            self._network = self._build(random_weights())
        return self._network

    def _build(self, weights: list[tuple[torch.Tensor, torch.Tensor]]) -> FeatureNetwork:
        return FeatureNetwork(weights, device=self._device, dtype=self._dtype)


def _check(
    content: Image, style: Image | None, start: Image | None, options: GatysOptions
) -> Canvas:
    check_image(content, 0)
    if style is None:
        raise PictureError("bad_array", "A picture in the style is needed.")
    check_image(style, 1)
    if (start is not None) != (options.start == "picture"):
        raise VisionError(
            "bad_option", 'A start is given exactly when the option start is "picture".'
        )
    if start is not None:
        check_image(start, 2)
    height, width = fit(*content.shape[:2], longer_side=options.size)
    return make_canvas(content, style, start, height, width, options)


def _find_device(wished: str) -> torch.device:
    if wished == "cpu" or (wished == "auto" and not _has_cuda()):
        return torch.device("cpu")
    if wished == "auto" or wished.split(":")[0] == "cuda":
        if not _has_cuda():
            raise ModelError("unknown_backend", f"There is no device {wished!r} here.")
        index = wished.partition(":")[2] or "0"
        if index.isdecimal() and int(index) < torch.cuda.device_count():
            return torch.device("cuda", int(index))
    raise ModelError("unknown_backend", f"There is no device {wished!r} here.")


def _has_cuda() -> bool:
    return has_cuda_driver() and torch.cuda.is_available()


def _find_dtype(precision: str, device: torch.device) -> torch.dtype:
    if precision == "auto":
        pays = torch.cuda.is_bf16_supported() if device.type == "cuda" else _bf16_pays()
        precision = "bf16" if pays else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _bf16_pays() -> bool:
    """Return whether processor and oneDNN compute bfloat16 without going round by float32."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return has_bf16() and supported is not None and bool(supported())


def _is_out_of_memory(error: BaseException) -> bool:
    # The processor's allocator raises a plain RuntimeError.
    said = str(error)
    return isinstance(error, torch.cuda.OutOfMemoryError) or "not enough memory" in said


@contextmanager
def _settings(threads: int, device: torch.device) -> Iterator[None]:
    """Compute with so many threads and the same results each time; undone afterwards."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(threads)
    try:
        with (
            torch.enable_grad(),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
        ):
            yield
    finally:
        torch.set_num_threads(before)

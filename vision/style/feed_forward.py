"""Pictures in one style, in a single pass of a network (Johnson et al. 2016)."""

from __future__ import annotations

import threading
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.detection.hardware import available_cpus
from vision.engine.validation import check_image
from vision.errors import PictureError, VisionError
from vision.style.colours import luminance, with_chroma_of
from vision.style.config import LEAST_SIDE
from vision.style.framing import Framing, plan_framing, reduce_picture
from vision.style.graphs import MULTIPLE
from vision.style.memory import free_memory
from vision.style.network import Precision, StyleNetwork, largest_side, needed_memory
from vision.style.sizes import out_of_memory
from vision.style.structures import OnProgress, StyleProgress, Stylized
from vision.weights.cards import WeightsFile
from vision.weights.store import WeightsStore

__all__ = ["FeedForwardStylizer"]

Image = NDArray[np.uint8]

_SMALL: Final = 320  # pixels of the longer side


class FeedForwardStylizer:
    """Paints pictures of any size in the one style that its network knows; from any thread.

    Pictures are painted whole, not in tiles: the network evens out colours over all of its input,
    so tiles of one picture would differ in tone where they meet.

    Args:
        card: Which network; its file is looked up, fetched and verified by its hash.
        weights: Where weights are.
        longer_side: Of pictures that bring none of their own, see `stylize`.
        keep_colours: Of pictures that bring none of their own, see `stylize`.
        threads: Processor threads to use; None for all.
        precision: See `StyleNetwork`.
        memory: Bytes that may be used; None for what is free when a picture comes.
        small_multiple: What the sides of the input are multiples of for pictures of at most 320
            pixels: a large one adds more around them, and makes inputs of a few sizes only. Each
            new size costs half a second, which is much for a preview.

    Raises:
        WeightsError: The network is not there.
        ModelError: ``bad_model_file``.
    """

    def __init__(
        self,
        card: WeightsFile,
        weights: WeightsStore,
        *,
        longer_side: int | None = None,
        keep_colours: bool = False,
        threads: int | None = None,
        precision: Precision = "auto",
        memory: int | None = None,
        small_multiple: int = MULTIPLE,
    ) -> None:
        self._card = card
        self._longer_side = longer_side
        self._keep_colours = keep_colours
        self._memory = memory
        self._small_multiple = small_multiple
        self._network = StyleNetwork(
            weights.fetch(card), threads=threads or available_cpus(), precision=precision
        )
        self._lock = threading.Lock()  # a picture uses all threads: side by side is no faster

    @property
    def model(self) -> str:
        """The card's name."""
        return self._card.name

    def stylize(
        self,
        content: Image,
        style: Image | None = None,
        *,
        on_progress: OnProgress | None = None,
        longer_side: int | None = None,
        keep_colours: bool | None = None,
    ) -> Stylized:
        """Return the content in the network's style; see `Stylizer`.

        Args:
            content: (H, W, 3) uint8 BGR, at least 16 pixels each way.
            style: Ignored.
            on_progress: Told once, when it is done.
            longer_side: Pixels to which a larger picture is reduced first; the result has the
                reduced size. None is the painter's, and where that has none, too, the picture's.
            keep_colours: Paint only light and dark; the colours stay those of the content. None is
                the painter's choice.

        Raises:
            PictureError: ``bad_array`` or ``too_small``.
            ModelError: ``out_of_memory``.
            VisionError: ``bad_option``: the longer side is too short.
        """
        began = time.perf_counter()
        check_image(content, 0)
        if min(content.shape[:2]) < LEAST_SIDE:
            raise PictureError(
                "too_small",
                f"A picture to be painted has at least {LEAST_SIDE} pixels each way, "
                f"not {content.shape[1]} x {content.shape[0]}.",
            )
        if longer_side is not None and longer_side < LEAST_SIDE:
            raise VisionError("bad_option", f"The longer side needs {LEAST_SIDE} pixels or more.")
        image = reduce_picture(content, longer_side or self._longer_side)
        framing = self._plan(*image.shape[:2])
        with self._lock:
            painted = self._paint(framing.add(image), framing)
        if self._keep_colours if keep_colours is None else keep_colours:
            painted = with_chroma_of(image, luminance(painted))
        if on_progress is not None:
            on_progress(StyleProgress(1, 1, None, 1.0, lambda: painted))
        return Stylized(
            image=painted,
            losses=np.empty(0),
            seconds=time.perf_counter() - began,
            stopped=False,
            model=self.model,
            device="cpu",
        )

    def close(self) -> None:
        """Let a running picture end, and let go of everything. Idempotent."""
        with self._lock:
            self._network.close()

    def _plan(self, height: int, width: int) -> Framing:
        small = max(height, width) <= _SMALL
        multiple = self._small_multiple if small else MULTIPLE
        return plan_framing(height, width, margin=self._network.margin, multiple=multiple)

    def _paint(self, pixels: Image, framing: Framing) -> Image:
        self._check_memory(*pixels.shape[1:3])
        return framing.remove(self._network.run(pixels))

    def _check_memory(self, height: int, width: int) -> None:
        """Refuse what would take the whole machine down, before it does."""
        if self._network.holds(height, width):  # its memory is taken already
            return
        needed = needed_memory(height, width)
        if needed > self._free():
            self._network.close()  # programs of other sizes can be made again
        free = self._free()
        if needed > free:
            margins = 2 * self._network.margin
            side = largest_side(height, width, free) - margins
            raise out_of_memory(height - margins, width - margins, max(0, side))

    def _free(self) -> int:
        return free_memory() if self._memory is None else self._memory

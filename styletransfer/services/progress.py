"""How a painting tells of itself while it is made, and how it is stopped."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.db import Error, connection

from common.jobs.context import JobContext
from common.jobs.errors import JobCancelled, JobFailed
from common.previews import Preview, forget_preview, write_preview
from common.storage.disk import disk_space
from styletransfer.models import Restyling
from styletransfer.services.events import publish_step
from styletransfer.services.stored import preview_slot
from vision.encoding.images import encode_jpeg

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.style import StyleProgress
    from vision.style.videos import VideoProgress
    from vision.weights import ProgressCallback

logger = logging.getLogger(__name__)

TELL_SECONDS: Final = 0.4
SHOW_SECONDS: Final = 1.0
NOTE_SECONDS: Final = 2.0
STORE_SECONDS: Final = 600.0  # of the time limit, for a last step and for the result
CURVE_POINTS: Final = 200
PREVIEW_QUALITY: Final = 85
LAST_SHARE: Final = 0.98  # the end is told by whoever stores the result

Losses = list[list[float]]


def curve(losses: Losses, points: int = CURVE_POINTS) -> Losses:
    """Return at most so many [step, loss] pairs, evenly chosen; the first and the last stay."""
    if len(losses) <= points:
        return losses
    last = len(losses) - 1
    return [losses[round(index * last / (points - 1))] for index in range(points)]


class StepWatcher:
    """Looks after every step whether to go on; passes on losses and pictures.

    What would be overdue ends a little earlier, with the best until then.

    Args:
        context: The attempt.
        restyling: What is being painted.

    Attributes:
        losses: [step, loss] of every step.
        cancelled: What ended it early; to be raised when the best so far is stored.
    """

    def __init__(self, context: JobContext, restyling: Restyling) -> None:
        self.losses: Losses = []
        self.cancelled: JobCancelled | None = None
        self._context = context
        self._restyling = restyling
        self._began = time.monotonic()
        self._told = self._shown = self._noted = 0.0
        self._heard = 0
        # An attempt before this one may have come some way.
        forget_preview(preview_slot(restyling))
        Restyling.objects.filter(pk=restyling.pk).update(losses=[])

    def prepare(self, load: Callable[[ProgressCallback], object]) -> None:
        """Have the network loaded; half a gigabyte may have to be fetched for it.

        Raises:
            JobStopped: Somebody stopped it meanwhile.
        """
        load(self._fetched)
        self._began = time.monotonic()

    def see(self, progress: StyleProgress) -> bool:
        """Take note of a step; False ends the painting."""
        if progress.loss is not None and math.isfinite(progress.loss):  # JSON knows no others
            self.losses.append([progress.step, round(progress.loss, 6)])
        self._tell(progress)
        try:
            text = f"Step {progress.step} of {progress.steps}"
            self._context.checkpoint(min(progress.share, LAST_SHARE), text)
        except JobCancelled as error:
            self.cancelled = error
            return False
        return self._context.seconds_left > STORE_SECONDS

    def _fetched(self, done: int, total: int | None) -> None:
        of = f" of {total / 1e6:.0f}" if total else ""
        self._context.checkpoint(0.0, f"Fetching VGG19: {done / 1e6:.0f}{of} MB")

    def _tell(self, progress: StyleProgress) -> None:
        now = time.monotonic()
        preview = None
        if now - self._shown >= SHOW_SECONDS:
            self._shown, preview = now, progress.step
            show_preview(self._restyling, progress.step, progress.picture())
        if preview is None and now - self._told < TELL_SECONDS:
            return
        self._told = now
        publish_step(
            self._restyling,
            step=progress.step,
            losses=self.losses[self._heard :],
            preview=preview,
            seconds_left=(now - self._began) * (1 / progress.share - 1) if progress.share else None,
        )
        self._heard = len(self.losses)
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            note(self._context, self._restyling, losses=curve(self.losses))


class FrameWatcher:
    """Looks after every frame of a video whether to go on, and shows the newest one.

    Args:
        context: The attempt.
        restyling: What is being painted.

    Attributes:
        thumbnail: A frame of the first second, (H, W, 3) uint8 BGR; none before the first frame.
    """

    def __init__(self, context: JobContext, restyling: Restyling) -> None:
        self.thumbnail: NDArray[np.uint8] | None = None
        self._context = context
        self._restyling = restyling
        self._shown = self._noted = 0.0
        forget_preview(preview_slot(restyling))

    def see(self, progress: VideoProgress) -> None:
        """Take note of a frame that is done."""
        left = _frames_left(progress)
        self._context.checkpoint(_share(progress), _frames_text(progress))
        if progress.frames in (1, 25):  # many a video begins in black
            self.thumbnail = progress.image.copy()
        now = time.monotonic()
        if now - self._shown >= SHOW_SECONDS:
            self._shown = now
            show_preview(self._restyling, progress.frames, progress.image)
            publish_step(
                self._restyling,
                step=progress.frames,
                losses=[],
                preview=progress.frames,
                seconds_left=left / progress.frames_per_second
                if left is not None and progress.frames_per_second
                else None,
            )
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            if disk_space().is_low:
                raise disk_full()
            note(self._context, self._restyling, frames=progress.frames)


def show_preview(restyling: Restyling, number: int, image: NDArray[np.uint8]) -> None:
    """Put the newest picture where open pages find it."""
    write_preview(preview_slot(restyling), Preview(number, encode_jpeg(image, PREVIEW_QUALITY)))


def note(context: JobContext, restyling: Restyling, **fields: object) -> None:
    """Write how far it is into the row, for pages that come later; the next time is another try."""
    try:
        Restyling.objects.filter(pk=restyling.pk).update(**fields)
    except Error as error:
        logger.warning("The progress of %s was not noted: %s", context.job, error)
        connection.close()


def disk_full() -> JobFailed:
    """The end of what would fill the disk."""
    return JobFailed("disk_full", "The disk of the server is full; nothing was stored.")


def _frames_left(progress: VideoProgress) -> int | None:
    return max(0, progress.total - progress.frames) if progress.total else None


def _share(progress: VideoProgress) -> float | None:
    return min(progress.frames / progress.total, LAST_SHARE) if progress.total else None


def _frames_text(progress: VideoProgress) -> str:
    of = f" of {progress.total:,}" if progress.total else ""
    return f"Frame {progress.frames:,}{of} · {progress.frames_per_second:.3g} a second"

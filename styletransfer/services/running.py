"""The work on one painting, from the stored file to the stored result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from common.inference import FastPicture, StyleQuery, get_weights_store, paint_fast
from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.models import Upload
from common.storage.work import work_folder
from common.uploads.errors import PictureRemoved, UploadRejected
from common.uploads.services import FULL, decoded_picture, read_upload, require_picture
from common.uploads.videos import local_file, video_limits
from styletransfer.errors import StyleError
from styletransfer.models import Restyling, Style
from styletransfer.services.device_turns import device_turn
from styletransfer.services.options import RestyleOptions
from styletransfer.services.pictures import show_network, style_image
from styletransfer.services.progress import FrameWatcher, StepWatcher, curve, disk_full
from styletransfer.services.storing import Painting, store_painting
from vision.encoding.images import encode_jpeg
from vision.sources.pictures import make_thumbnail
from vision.style import GatysConfig, create_gatys
from vision.style.framing import reduce_picture
from vision.weights.style_cards import get_style_card

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.style import Stylized
    from vision.style.gatys import GatysStylizer

    Image = NDArray[np.uint8]

QUALITY: Final = 95  # painted textures show what JPEG leaves out


def run_slow_job(context: JobContext) -> None:
    """Paint the picture whose job this is, step by step.

    Running it twice leaves one result. Who stops it keeps the best so far, if there was a step;
    an attempt that has lost its job leaves nothing.

    Raises:
        JobFailed: The picture or the style is gone.
        JobCancelled: It was stopped; what there was of it is stored.
        VisionError: The files cannot be decoded any more, or the picture does not fit into the
            memory: the message names the largest size.
    """
    restyling = _find(context)
    if restyling is None:
        return
    options, style = options_of(restyling), _style_of(restyling)
    context.checkpoint(0.0, "Reading the picture")
    content, pattern = _read_content(restyling, options.size), _read_style(style)
    with device_turn(context):
        context.checkpoint(message="Loading the painter")
        start = _begin(content, options)
        watcher = StepWatcher(context, restyling)
        painted = _paint(watcher, content, pattern, start, options)
    with work_folder() as folder:
        result = _write(folder / "painting.jpg", encode_jpeg(painted.image, QUALITY))
        painting = Painting(
            result=result,
            media_type="image/jpeg",
            thumbnail=_write(folder / "thumbnail.jpg", make_thumbnail(painted.image)),
            fields={
                **_facts(painted),
                "steps_made": len(painted.losses),
                "losses": curve(watcher.losses),
            },
        )
        store_painting(context, restyling, painting)
    if watcher.cancelled is not None:
        raise watcher.cancelled


def run_fast_job(context: JobContext) -> None:
    """Paint the picture whose job this is in a single pass.

    Raises:
        JobFailed: The picture or the style is gone.
        VisionError: As `common.inference.paint_fast`.
    """
    restyling = _find(context)
    if restyling is None:
        return
    style = _style_of(restyling)
    context.checkpoint(0.05, "Painting")
    with _readable(restyling):
        data = read_upload(upload=restyling.upload)
    query = StyleQuery(style.network, restyling.size, restyling.keep_colours)
    painted = _paint_fast(data, query)
    context.checkpoint(0.9, "Saving")
    with work_folder() as folder, decoded_picture(painted.jpeg) as image:
        painting = Painting(
            result=_write(folder / "painting.jpg", painted.jpeg),
            media_type="image/jpeg",
            thumbnail=_write(folder / "thumbnail.jpg", make_thumbnail(image)),
            fields={
                "model": painted.model,
                "device": "cpu",
                "seconds": round(painted.worked_ms / 1000, 3),
                "width": painted.width,
                "height": painted.height,
            },
        )
        store_painting(context, restyling, painting)
    show_network(style.network)


def run_video_job(context: JobContext) -> None:
    """Paint every frame of the video whose job this is; a part of a video is not kept.

    Raises:
        JobFailed: The video or the style is gone, or the disk is full.
        VisionError: The network cannot be had, the video cannot be decoded, or a frame does not
            fit into the memory.
    """
    from vision.style.feed_forward import FeedForwardStylizer
    from vision.style.videos import stylize_video

    restyling = _find(context)
    if restyling is None:
        return
    style = _style_of(restyling)
    context.checkpoint(0.0, "Opening the video")
    watcher = FrameWatcher(context, restyling)
    with work_folder() as folder, _readable(restyling), local_file(restyling.upload) as path:
        target = folder / "painting.mp4"
        painter = FeedForwardStylizer(
            get_style_card(style.network),
            get_weights_store(),
            keep_colours=restyling.keep_colours,
            threads=settings.SIGHTLINE_THREADS,
        )
        try:
            made = stylize_video(
                path,
                target,
                painter,
                longer_side=restyling.size,
                on_progress=watcher.see,
                on_wait=context.checkpoint,
                limits=video_limits(),
            )
        finally:
            painter.close()
        frame = watcher.thumbnail
        painting = Painting(
            result=target,
            media_type="video/mp4",
            thumbnail=None
            if frame is None
            else _write(folder / "thumbnail.jpg", make_thumbnail(frame)),
            fields={
                "model": made.model,
                "device": "cpu",
                "seconds": round(made.seconds, 3),
                "width": made.width,
                "height": made.height,
                "frames": made.frames,
                "has_sound": made.sound,
            },
        )
        store_painting(context, restyling, painting)
    show_network(style.network)


def options_of(restyling: Restyling) -> RestyleOptions:
    """Return the options that a stored painting was asked for with."""
    return RestyleOptions(
        size=restyling.size,
        steps=restyling.steps,
        style_weight=restyling.style_weight,
        keep_colours=restyling.keep_colours,
        start=restyling.start,
        start_network=restyling.start_network,
        seed=restyling.seed,
    )


def _paint(
    watcher: StepWatcher,
    content: Image,
    pattern: Image,
    start: Image | None,
    options: RestyleOptions,
) -> Stylized:
    painter = make_painter(options)
    try:
        painter.check(content, pattern, start=start)
        watcher.prepare(painter.prepare)
        return painter.stylize(content, pattern, start=start, on_progress=watcher.see)
    finally:
        painter.close()


def make_painter(options: RestyleOptions) -> GatysStylizer:
    """Return a painter on this installation's device; its network is loaded when it is used."""
    return create_gatys(
        GatysConfig(
            get_weights_store(),
            options.for_painter(),
            device=settings.SIGHTLINE_DEVICE,
            threads=settings.SIGHTLINE_THREADS,
        )
    )


def _find(context: JobContext) -> Restyling | None:
    """The painting of a job; None when it was deleted meanwhile."""
    rows = Restyling.objects.select_related("upload", "style")
    return rows.filter(job_id=context.job.pk).first()


def _style_of(restyling: Restyling) -> Style:
    if restyling.style is None:
        raise JobFailed(
            "style_deleted",
            f"The style {restyling.style_name} has been deleted; choose another one.",
        )
    return restyling.style


def _read_content(restyling: Restyling, size: int | None) -> Image:
    with _readable(restyling):
        data = read_upload(upload=restyling.upload)
    with decoded_picture(data) as picture:
        return reduce_picture(picture, size).copy()


def _read_style(style: Style) -> Image:
    try:
        return style_image(style)
    except StyleError as error:
        raise JobFailed(error.code, error.message) from error
    except OSError as error:
        raise JobFailed("style_unreadable", "The picture of the style cannot be read.") from error


def _begin(content: Image, options: RestyleOptions) -> Image | None:
    """What the first step begins with, where a fast style paints it."""
    if options.start != Restyling.Start.FAST:
        return None
    query = StyleQuery(options.start_network, options.size, keep_colours=False)
    painted = _paint_fast(encode_jpeg(content, QUALITY), query)
    with decoded_picture(painted.jpeg) as picture:
        return picture.copy()


def _paint_fast(data: bytes, query: StyleQuery) -> FastPicture:
    try:
        return paint_fast(data, query, here=True)
    except UploadRejected as error:
        raise JobFailed(error.code, error.message) from error


@contextmanager
def _readable(restyling: Restyling) -> Iterator[Upload]:
    """Say in words why a stored file cannot be read."""
    try:
        yield require_picture(restyling.upload)
    except PictureRemoved as error:
        raise JobFailed(error.code, error.message) from error
    except FileNotFoundError as error:
        raise JobFailed("picture_missing", "The stored file is gone.") from error
    except OSError as error:
        if error.errno in FULL:
            raise disk_full() from error
        raise JobFailed("picture_unreadable", "The stored file cannot be read.") from error


def _write(path: Path, data: bytes) -> Path:
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno in FULL:
            raise disk_full() from error
        raise
    return path


def _facts(painted: Stylized) -> dict[str, object]:
    height, width = painted.image.shape[:2]
    return {
        "model": painted.model,
        "device": painted.device,
        "seconds": round(painted.seconds, 3),
        "width": width,
        "height": height,
    }

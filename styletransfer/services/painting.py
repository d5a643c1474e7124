"""Pictures and videos in a style, from files to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from common.inference import get_weights_store
from styletransfer.services.files import (
    VIDEO_SUFFIX,
    check_target,
    draft_of,
    put_in_place,
    read_picture,
    write_picture,
)
from vision.errors import VisionError
from vision.style import GatysConfig, GatysOptions, create_gatys
from vision.weights.style_cards import get_style_card

if TYPE_CHECKING:
    from vision.style import OnProgress, Stylized
    from vision.style.feed_forward import FeedForwardStylizer
    from vision.style.videos import OnFrame, StylizedVideo
    from vision.weights import ProgressCallback

__all__ = ["Commission", "is_video", "paint_fast", "paint_slowly", "paint_video"]


@dataclass(frozen=True, slots=True)
class Commission:
    """What to paint, and where to.

    Attributes:
        content: File of a picture or, for a fast style, of a video.
        out: JPEG or PNG, for a video MP4.
        force: Replace a file that is there.
        size: Pixels along the longer side; None leaves the content's.
        keep_colours: Paint only light and dark.
    """

    content: Path
    out: Path
    force: bool = False
    size: int | None = None
    keep_colours: bool = False


def is_video(commission: Commission) -> bool:
    """Whether a video is to be written; whether the content is one shows when it is opened."""
    return commission.out.suffix.lower() == VIDEO_SUFFIX


def paint_slowly(
    commission: Commission,
    style: Path,
    options: GatysOptions,
    *,
    on_fetch: ProgressCallback | None = None,
    on_ready: Callable[[str], None] = lambda features: None,
    on_progress: OnProgress | None = None,
) -> Stylized:
    """Paint a picture in the style of another one, step by step.

    Args:
        commission: What to paint; its size and colours win over those of the options.
        style: File of a picture.
        options: How to paint.
        on_fetch: Told how much of the features has come, while they are fetched; what it raises
            ends that.
        on_ready: Told the name of the features before the first step.
        on_progress: Told after every step; False ends the work, and the best so far is written.

    Raises:
        VisionError: Files, options, memory.
        OSError: The result cannot be written.
    """
    if is_video(commission):
        raise VisionError("bad_target", "Videos are painted in a fast style only.")
    check_target(commission.out, is_video=False, force=commission.force)
    options = replace(options, size=commission.size, keep_colours=commission.keep_colours)
    content, pattern = read_picture(commission.content), read_picture(style)
    painter = create_gatys(GatysConfig(get_weights_store(), options))
    try:
        painter.check(content, pattern)
        on_ready(painter.prepare(on_fetch))
        painted = painter.stylize(content, pattern, on_progress=on_progress)
    finally:
        painter.close()
    write_picture(commission.out, painted.image, force=commission.force)
    return painted


def paint_fast(commission: Commission, name: str) -> Stylized:
    """Paint a picture in a fast style.

    Raises:
        VisionError: Files, no such style, no weights, memory.
        OSError: The result cannot be written.
    """
    check_target(commission.out, is_video=False, force=commission.force)
    content = read_picture(commission.content)
    painter = _load_fast(commission, name)
    try:
        painted = painter.stylize(content)
    finally:
        painter.close()
    write_picture(commission.out, painted.image, force=commission.force)
    return painted


def paint_video(
    commission: Commission, name: str, *, on_progress: OnFrame | None = None
) -> StylizedVideo:
    """Paint a video in a fast style, with its sound.

    Args:
        commission: What to paint.
        name: Of the style.
        on_progress: Told after every frame; False ends the work, and nothing is written.

    Raises:
        VisionError: Files, no such style, no weights, memory.
        OSError: The result cannot be written.
    """
    from vision.style.videos import stylize_video

    check_target(commission.out, is_video=True, force=commission.force)
    painter = _load_fast(commission, name)
    draft = draft_of(commission.out)
    try:
        made = stylize_video(
            commission.content, draft, painter, longer_side=commission.size, on_progress=on_progress
        )
        if not made.stopped:
            put_in_place(draft, commission.out, force=commission.force)
        return made
    finally:
        draft.unlink(missing_ok=True)
        painter.close()


def _load_fast(commission: Commission, name: str) -> FeedForwardStylizer:
    from vision.style.feed_forward import FeedForwardStylizer

    return FeedForwardStylizer(
        get_style_card(name),
        get_weights_store(),
        longer_side=commission.size,
        keep_colours=commission.keep_colours,
    )

"""Turns libav's frames into BGR arrays as a player would show them."""

from fractions import Fraction
from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

# AVColorSpace as frames carry it: "unspecified" says nothing, and 0 is RGB.
_UNSPECIFIED: Final = 2
_HIGH_DEFINITION: Final = 720  # lines from which players assume BT.709


class FrameConverter:
    """Converts the frames of one video to square pixels; keeps the first frame's size.

    Colours follow the frame's own matrix and range; where it names no matrix, BT.709 is assumed
    from 720 lines, BT.601 below, as players do.

    Args:
        aspect: Width of a stored pixel by its height, as it is displayed.
    """

    def __init__(self, aspect: Fraction) -> None:
        self._aspect = aspect
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None

    def convert(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 BGR, turned for display: a view, valid while it is referenced."""
        if self._size is None:
            self._size = display_size(frame.width, frame.height, self._aspect)
        width, height = self._size
        picture = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="bgr24",
            src_colorspace=_matrix(frame),
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation="BILINEAR",
            threads=1,
        )
        plane = picture.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            :height, : width * 3
        ]
        return np.rot90(rows.reshape(height, width, 3), rotation_of(frame) // -90)


def display_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Return the size in square pixels of a stored picture, before it is turned.

    Args:
        width: Pixels as stored.
        height: Pixels as stored.
        aspect: Width of a stored pixel by its height, as it is displayed.
    """
    return max(1, round(width * aspect)), height


def rotation_of(frame: VideoFrame) -> int:
    """Return by how many degrees clockwise a frame is turned for display: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) * 90 % 360


def _matrix(frame: VideoFrame) -> int | None:
    if frame.colorspace != _UNSPECIFIED or frame.format.is_rgb:
        return None
    return int(Colorspace.ITU709 if frame.height >= _HIGH_DEFINITION else Colorspace.ITU601)


def _range(frame: VideoFrame) -> int:
    if frame.format.is_rgb or frame.format.name.startswith("yuvj"):
        return int(ColorRange.JPEG)
    return int(frame.color_range) or int(ColorRange.MPEG)

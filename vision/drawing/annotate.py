"""Boxes, masks and labels on a copy of a picture; everything scales with the picture."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from supervision.detection.compact_mask import CompactMask

from vision.drawing.palette import class_color, color_to_bgr, label_color

_MASK_OPACITY: Final = 0.42


def annotate(
    image: NDArray[np.uint8],
    detections: sv.Detections,
    *,
    classes: Sequence[str] | None = None,
) -> NDArray[np.uint8]:
    """Draw detections.

    Args:
        image: (H, W, 3) uint8, BGR; left as it is.
        detections: Boxes in pixels of the image; masks, class ids, names and confidences where
            there are any.
        classes: Names by class id, in place of ``detections.data["class_name"]``.

    Returns:
        An annotated copy.
    """
    canvas = image.copy()
    if len(detections) == 0:
        return canvas
    boxes = np.asarray(detections.xyxy, np.float64)
    # Large objects first, so that small ones are never covered.
    order = np.argsort(-_areas(boxes), kind="stable").tolist()
    colors = [class_color(class_id) for class_id in _class_ids(detections)]
    labels = _labels(detections, classes)
    for index in order:
        draw_mask(canvas, detections, boxes[index], index, color_to_bgr(colors[index]))
    shorter = min(canvas.shape[:2])
    thickness = max(1, round(shorter / 320))
    for index in order:
        draw_box(canvas, boxes[index], color_to_bgr(colors[index]), thickness)
    text_size = max(10, round(shorter / 42))
    for index in order:
        draw_label(canvas, boxes[index], labels[index], colors[index], text_size, thickness)
    return canvas


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def _class_ids(detections: sv.Detections) -> list[int]:
    if detections.class_id is None:
        return [0] * len(detections)
    return [int(item) for item in detections.class_id]


def _labels(detections: sv.Detections, classes: Sequence[str] | None) -> list[str]:
    ids = _class_ids(detections)
    given = detections.data.get("class_name")
    if classes is not None:
        names = [classes[item] if 0 <= item < len(classes) else str(item) for item in ids]
    elif given is not None:
        names = [str(name) for name in given]
    else:
        names = [str(item) for item in ids]
    if detections.confidence is None:
        return names
    shares = detections.confidence.tolist()
    return [f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True)]


def draw_mask(
    canvas: NDArray[np.uint8],
    detections: sv.Detections,
    box: NDArray[np.float64],
    index: int,
    color: tuple[int, int, int],
) -> None:
    """Blend one mask into the part of the picture that it covers, never into the whole."""
    masks = detections.mask
    if masks is None:
        return
    if isinstance(masks, CompactMask):
        mask = masks.crop(index)
        left, top = (int(value) for value in masks.offsets[index])
    else:
        left, top, right, bottom = _clip(box, canvas.shape)
        mask = np.asarray(masks[index])[top:bottom, left:right]
    region = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    if region.size == 0 or region.shape[:2] != mask.shape:
        return
    paint = np.full_like(region, color)
    blended = cv2.addWeighted(region, 1 - _MASK_OPACITY, paint, _MASK_OPACITY, 0)
    np.copyto(region, blended, where=mask[..., None].astype(bool))
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(region, contours, -1, color, 1, cv2.LINE_AA)


def _clip(box: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the pixels that a box touches: left, top, and the first ones right and below."""
    height, width = shape[:2]
    left, right = np.clip((np.floor(box[0]), np.ceil(box[2])), 0, width)
    top, bottom = np.clip((np.floor(box[1]), np.ceil(box[3])), 0, height)
    return int(left), int(top), int(right), int(bottom)


def draw_box(
    canvas: NDArray[np.uint8],
    box: NDArray[np.float64],
    color: tuple[int, int, int],
    thickness: int,
) -> None:
    """Draw the outline of a box, clipped to the picture."""
    left, top, right, bottom = _clip(box, canvas.shape)
    if right <= left or bottom <= top:
        return
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), color, thickness, cv2.LINE_8)


def draw_label(
    canvas: NDArray[np.uint8],
    box: NDArray[np.float64],
    label: str,
    color: str,
    text_size: int,
    thickness: int,
) -> None:
    """Put a label above its box; without room there inside, or below a box that it would hide."""
    patch = _label_patch(label, color, text_size)
    height, width = patch.shape[:2]
    left, top, _, bottom = _clip(box, canvas.shape)
    left = max(0, min(left - thickness // 2, canvas.shape[1] - width))
    if top >= height:
        top -= height
    elif bottom - top < 2 * height <= 2 * (canvas.shape[0] - bottom):
        top = bottom
    region = canvas[top : top + height, left : left + width]
    region[:] = patch[: region.shape[0], : region.shape[1]]


@lru_cache(maxsize=512)
def _label_patch(label: str, color: str, text_size: int) -> NDArray[np.uint8]:
    """Return a label as a small BGR picture."""
    font = _font(text_size)
    margin = max(2, text_size // 4)
    text = label[:80]
    left, _, right, _ = font.getbbox(text)
    # The same height for every label, whether or not it has letters that reach up or down.
    _, top, _, bottom = font.getbbox("Ag")
    size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
    patch = Image.new("RGB", size, color)
    position = (margin - left, margin - top)
    ImageDraw.Draw(patch).text(position, text, font=font, fill=label_color(color))
    return np.ascontiguousarray(np.asarray(patch)[..., ::-1])


@lru_cache(maxsize=32)
def _font(text_size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(text_size)

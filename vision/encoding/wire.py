"""Detections as bytes for another process: compact, exact, and data only.

MessagePack around the arrays' own memory. Reading runs nothing and makes nothing but numbers, texts
and arrays of numbers, whatever the bytes are (a pickle would run what its writer likes).
"""

from typing import Any, Final

import msgpack
import numpy as np
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

__all__ = ["pack_detections", "unpack_detections"]

_NUMBERS: Final = "biuf"  # numpy's kinds that may travel as memory


def pack_detections(detections: sv.Detections) -> bytes:
    """Return detections as bytes: boxes, confidences, classes, masks as run lengths, the rest.

    Raises:
        ValueError: A column holds something other than numbers and texts.
    """
    message: bytes = msgpack.packb(
        {
            "xyxy": _pack_array(np.asarray(detections.xyxy, np.float32).reshape(-1, 4)),
            "confidence": _pack_optional(detections.confidence),
            "class_id": _pack_optional(detections.class_id),
            "tracker_id": _pack_optional(detections.tracker_id),
            "masks": _pack_masks(detections),
            "data": {name: _pack_array(column) for name, column in detections.data.items()},
            "metadata": detections.metadata,
        },
        default=_plain,
    )
    return message


def unpack_detections(message: bytes) -> sv.Detections:
    """Return the detections that ``pack_detections`` was given; masks as a ``CompactMask``.

    Raises:
        ValueError: The bytes are no packed detections.
    """
    try:
        fields = msgpack.unpackb(message)
        detections = sv.Detections(
            xyxy=_unpack_array(fields["xyxy"]),
            confidence=_unpack_optional(fields["confidence"]),
            class_id=_unpack_optional(fields["class_id"]),
            tracker_id=_unpack_optional(fields["tracker_id"]),
            mask=_unpack_masks(fields["masks"]),
            data={name: _unpack_array(column) for name, column in fields["data"].items()},
        )
        detections.metadata = dict(fields["metadata"])
    except (AttributeError, IndexError, KeyError, TypeError, msgpack.UnpackException) as error:
        raise ValueError(f"these are no packed detections: {error!r}") from error
    return detections


def _pack_array(values: Any) -> Any:
    """Return a list of texts, or type, shape and memory of numbers."""
    array = np.asarray(values)
    if array.dtype.kind in _NUMBERS:
        return (array.dtype.str, array.shape, array.tobytes())
    texts = array.tolist()
    if array.ndim != 1 or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"an array of {array.dtype} cannot travel")
    return {"texts": texts}


def _unpack_array(packed: Any) -> NDArray[Any]:
    if isinstance(packed, dict):
        # An empty list would become an array of numbers.
        return np.array(packed["texts"], dtype=np.str_)
    kind, shape, memory = packed
    dtype = np.dtype(kind)
    if dtype.kind not in _NUMBERS:
        raise ValueError(f"an array of {dtype} cannot travel")
    # Copied: what comes out of a message is as writable as what went in.
    return np.frombuffer(memory, dtype).reshape(shape).copy()


def _pack_optional(values: Any) -> Any:
    return None if values is None else _pack_array(values)


def _unpack_optional(packed: Any) -> NDArray[Any] | None:
    return None if packed is None else _unpack_array(packed)


def _pack_masks(detections: sv.Detections) -> dict[str, Any] | None:
    masks = detections.mask
    if masks is None:
        return None
    if not isinstance(masks, CompactMask):
        dense = np.asarray(masks, np.bool_)
        height, width = dense.shape[1:]
        # Cut along the picture, not the box: such a mask may reach out of its box.
        frame = np.tile(np.array([0, 0, width, height], np.float32), (len(dense), 1))
        masks = CompactMask.from_dense(dense, frame, (height, width))
    # The run lengths of the crops have no public name; they are what makes a mask small.
    runs = masks._rles
    return {
        "picture": [int(side) for side in masks.image_shape],
        "crops": _pack_array(np.asarray(masks._crop_shapes, np.int32).reshape(-1, 2)),
        "offsets": _pack_array(np.asarray(masks.offsets, np.int32).reshape(-1, 2)),
        "counts": _pack_array(np.array([len(one) for one in runs], np.int32)),
        "runs": _pack_array(_narrow(np.concatenate(runs) if runs else np.empty(0, np.int32))),
    }


def _unpack_masks(packed: dict[str, Any] | None) -> CompactMask | None:
    if packed is None:
        return None
    counts = _unpack_array(packed["counts"])
    crops, offsets = _unpack_array(packed["crops"]), _unpack_array(packed["offsets"])
    runs = _unpack_array(packed["runs"]).astype(np.int32)
    if int(counts.sum()) != len(runs) or not len(counts) == len(crops) == len(offsets):
        raise ValueError("the masks' run lengths do not belong together")
    height, width = packed["picture"]
    parts = np.split(runs, np.cumsum(counts)[:-1]) if len(counts) else []
    return CompactMask(parts, crop_shapes=crops, offsets=offsets, image_shape=(height, width))


def _narrow(runs: NDArray[Any]) -> NDArray[Any]:
    """Return run lengths in two bytes each where they fit, which is nearly always."""
    return runs.astype(np.uint16 if not runs.size or runs.max() < 65536 else np.int32)


def _plain(value: Any) -> Any:
    """Return a number of numpy's as one of Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise ValueError(f"a {type(value).__name__} cannot travel")

"""Builds a tracker by its name; only the chosen one's package is imported."""

import math
from typing import Final

from vision.errors import VisionError
from vision.tracking.protocol import Tracker

__all__ = ["TRACKERS", "create_tracker"]

TRACKERS: Final = ("bytetrack", "botsort", "ocsort", "sort", "iou", "centroid")


def create_tracker(name: str, *, rate: float) -> Tracker:
    """Return a new tracker for one source.

    A track that is not seen for 1.5 seconds (at least three updates) is over.

    Args:
        name: One of `TRACKERS`.
        rate: How often ``update`` is called per second of the source, on average.

    Raises:
        VisionError: ``unknown_tracker`` or ``bad_rate``.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise VisionError("bad_rate", f"A tracker needs a rate above 0, not {rate}.")
    match name:
        case "iou":
            from vision.tracking.iou import make_iou_tracker

            return make_iou_tracker(rate)
        case "centroid":
            from vision.tracking.centroid import make_centroid_tracker

            return make_centroid_tracker(rate)
        case "bytetrack" | "botsort" | "ocsort" | "sort":
            return _library_tracker(name, rate)
        case _:
            known = ", ".join(TRACKERS)
            raise VisionError(
                "unknown_tracker", f"There is no tracker {name!r}; there are {known}."
            )


def _library_tracker(name: str, rate: float) -> Tracker:
    from vision.tracking import library
    from vision.tracking.camera import CameraMotion

    make = {
        "bytetrack": library.make_bytetrack,
        "botsort": library.make_botsort,
        "ocsort": library.make_ocsort,
        "sort": library.make_sort,
    }[name]
    motion = CameraMotion() if name == "botsort" else None
    return library.LibraryTracker(make, rate=rate, motion=motion)

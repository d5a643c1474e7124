"""Builds a tracker by its name; only the chosen one's package is imported."""

import math
from typing import Final

from vision.errors import VisionError
from vision.tracking.patience import patience_for
from vision.tracking.protocol import Tracker

__all__ = ["TRACKERS", "create_tracker"]

TRACKERS: Final = ("bytetrack", "botsort", "ocsort", "sort", "iou", "centroid")
_FEWEST_HITS: Final = 2


def create_tracker(
    name: str, *, rate: float, patience: float | None = None, minimum_hits: int = 2
) -> Tracker:
    """Return a new tracker for one source.

    Args:
        name: One of `TRACKERS`.
        rate: How often ``update`` is called per second of the source, on average; a frame every
            four seconds is 0.25.
        patience: Seconds after which a track that was not seen is over; see
            `vision.tracking.patience.patience_for`. None is the usual.
        minimum_hits: Sightings in a row before an object gets its id, from 2 on: one alone may be
            false.

    Raises:
        VisionError: ``unknown_tracker``, ``bad_rate``, ``bad_patience`` or ``bad_minimum_hits``.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise VisionError("bad_rate", f"A tracker needs a rate above 0, not {rate}.")
    if minimum_hits < _FEWEST_HITS:
        raise VisionError(
            "bad_minimum_hits",
            f"A track begins with {_FEWEST_HITS} sightings or more, but not with {minimum_hits}.",
        )
    seconds = patience_for(rate, patience)
    match name:
        case "iou":
            from vision.tracking.iou import make_iou_tracker

            return make_iou_tracker(rate, seconds, minimum_hits)
        case "centroid":
            from vision.tracking.centroid import make_centroid_tracker

            return make_centroid_tracker(rate, seconds, minimum_hits)
        case "bytetrack" | "botsort" | "ocsort" | "sort":
            return _library_tracker(name, rate, seconds, minimum_hits)
        case _:
            known = ", ".join(TRACKERS)
            raise VisionError(
                "unknown_tracker", f"There is no tracker {name!r}; there are {known}."
            )


def _library_tracker(name: str, rate: float, patience: float, minimum_hits: int) -> Tracker:
    from vision.tracking import library
    from vision.tracking.camera import CameraMotion

    make = {
        "bytetrack": library.make_bytetrack,
        "botsort": library.make_botsort,
        "ocsort": library.make_ocsort,
        "sort": library.make_sort,
    }[name]
    motion = CameraMotion() if name == "botsort" else None
    return library.LibraryTracker(
        make, rate=rate, patience=patience, minimum_hits=minimum_hits, motion=motion
    )

"""What a tracker is."""

from typing import Protocol

import supervision as sv

from vision.structures import Frame

__all__ = ["Tracker"]


class Tracker(Protocol):
    """Gives detections of one source the ids of the objects that they show.

    Every tracker object owns its ids: they begin at 1 and none is given twice, not even after
    ``reset``. An object gets its id with its second sighting in a row, or with a later one where
    more are asked for, so a single false detection never becomes a track. Detections are only
    compared with detections of their own kind (`vision.tracking.kinds`).
    """

    @property
    def patience(self) -> float:
        """Seconds of the source after which a track that was not seen is over.

        Who comes back later gets a new id; until then the same may appear again.
        """
        ...

    def update(self, detections: sv.Detections, frame: Frame) -> sv.Detections:
        """Return those detections that belong to a confirmed track.

        Args:
            detections: What was found in the frame, in pixels.
            frame: The frame; its timestamps rise from call to call. Where they do not, the frame
                is taken to be one frame after the one before.

        Returns:
            Rows of ``detections``, with masks and data, and (N,) int ``tracker_id`` from 1.
        """
        ...

    def reset(self) -> None:
        """Forget all objects, as after a cut."""
        ...

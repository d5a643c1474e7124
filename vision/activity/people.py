"""Which detections are people who are tracked."""

import numpy as np
import supervision as sv

from vision.activity.types import Person

__all__ = ["find_people"]


def find_people(detections: sv.Detections) -> list[Person]:
    """Return the rows that are people with a track; without class names all rows are people."""
    if detections.tracker_id is None:
        return []
    names = detections.data.get("class_name")
    is_person = [True] * len(detections) if names is None else np.asarray(names) == "person"
    return [
        Person(row, int(track))
        for row, (track, person) in enumerate(zip(detections.tracker_id, is_person, strict=True))
        if person and track >= 0
    ]

"""What the pages of videos offer and how their answers are read; judging is the services' work."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from detector.models import DetectionSession
from detector.services.options import DEFAULT_CONFIDENCE, default_model
from video_analysis.services.analyses import options_as_data, options_of
from video_analysis.services.options import (
    DEFAULT_STYLES,
    MOST_EVERY,
    VideoOptions,
    parse_video_options,
)
from video_analysis.services.recognising.uploads import may_recognise_uploads
from vision.motion import METHODS
from vision.tracking import TRACKERS

LISTS = ("tasks", "styles", "classes")
NAMES = (
    *("model", "confidence", "iou", "tracker", "every", "between", "motion_method"),
    *("minimum_area", "gate", "pixels_per_metre"),
)

TASK_CHOICES = (
    ("tracking", "route", "Tracks", "Who and what moved where, for how long, how fast"),
    ("motion", "motion", "Motion", "When and where anything moved"),
    ("activity", "activity", "Activity", "What people do: walk, sit, wave, fall, meet"),
    ("faces", "users", "Faces", "Who of the people you know is there, and when"),
)
STYLE_CHOICES = (
    ("boxes", "Boxes"),
    ("masks", "Outlines"),
    ("trails", "Trails"),
    ("heat", "Heat map"),
    ("blur", "Blur people"),
    ("faces", "Blur faces"),
    ("faces-consented", "Blur faces without consent"),
)
TRACKER_LABELS = {
    "bytetrack": "ByteTrack · robust",
    "botsort": "BoT-SORT · moving cameras",
    "ocsort": "OC-SORT · long occlusions",
    "sort": "SORT · fast",
    "iou": "Overlap · fastest",
    "centroid": "Centroid · small objects",
}
METHOD_LABELS = {"mog2": "Background model (MOG2)", "difference": "Difference of frames"}
BETWEEN_LABELS = (("predict", "Predicted from their motion"), ("visual", "Followed by their looks"))


def video_choices() -> dict[str, Any]:
    """What a form about a video lets people choose from."""
    return {
        "tasks": [dict(zip(("name", "icon", "label", "hint"), row, strict=True))
                  for row in TASK_CHOICES if row[0] != "faces" or may_recognise_uploads()],
        "styles": STYLE_CHOICES,
        "trackers": [(name, TRACKER_LABELS.get(name, name)) for name in TRACKERS],
        "methods": [(name, METHOD_LABELS.get(name, name)) for name in METHODS],
        "between": BETWEEN_LABELS,
        "most_every": MOST_EVERY,
    }  # fmt: skip


def new_video_preset() -> dict[str, Any]:
    """The options that a new upload begins with."""
    return {
        "tasks": ("tracking",),
        "model": default_model("detect"),
        "confidence": DEFAULT_CONFIDENCE,
        "classes": [],
        "tracker": "bytetrack",
        "every": 1,
        "between": "predict",
        "styles": DEFAULT_STYLES,
        "motion_method": "mog2",
        "minimum_percent": 0.2,
        "gate": False,
        "pixels_per_metre": None,
    }


def video_preset(session: DetectionSession) -> dict[str, Any]:
    """The options of a video, as a start for running it again."""
    asked = options_as_data(options_of(session))
    return {**asked, "minimum_percent": round(100 * asked["minimum_area"], 4)}


def read_video_options(data: QueryDict, *, iou: float | None = None) -> VideoOptions:
    """Judge the options of a posted form.

    Args:
        data: The form; ``minimum_percent`` may stand in the place of ``minimum_area``.
        iou: What the form does not ask for, where there was one before.

    Raises:
        OptionsError: With a sentence for every field that is wrong.
    """
    given: dict[str, Any] = {name: data.get(name) for name in NAMES if data.get(name)}
    given |= {name: data.getlist(name) for name in LISTS if name in data}
    if iou is not None:
        given.setdefault("iou", iou)
    if data.get("minimum_percent"):
        given["minimum_area"] = _share(data["minimum_percent"])
    return parse_video_options(given)


def _share(percent: str) -> float | str:
    try:
        return float(percent) / 100
    except ValueError:
        return percent  # refused with a sentence where all options are judged

"""What the page of a video draws: its tracks, what happened, and where everything was when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from django.urls import reverse
from numpy.typing import NDArray

from detector.errors import OptionsError
from detector.models import DetectionSession
from video_analysis.models import Event, VideoAnalysis
from video_analysis.selectors import list_chunks, list_events, list_tracks
from video_analysis.services.hiding import hides
from vision.drawing.palette import class_color
from vision.drawing.styles import DRAWN
from vision.encoding.trajectories import TrackPoints, unpack_points

MOST_SECONDS = 120.0
TRACK_FIELDS = (
    *("number", "class_name", "class_id", "start", "end", "confidence", "path_length"),
    *("displacement", "mean_speed", "top_speed", "mean_speed_bh", "top_speed_bh"),
    *("direction_changes", "entry_side", "exit_side", "snapshot_size"),
)
# Names in the answer, and digits after the point of what is a fraction.
SHOWN_AS = (
    *(("n", None), ("class", None), ("class_id", None), ("start", 3), ("end", 3)),
    *(("confidence", 3), ("path", 1), ("displacement", 1), ("mean_speed", 1), ("top_speed", 1)),
    *(("mean_speed_bh", 2), ("top_speed_bh", 2), ("turns", None), ("entry", None)),
    ("exit", None),
)


def page_data(session: DetectionSession) -> dict[str, Any]:
    """What the scripts of the page begin with; the rest they fetch piece by piece."""
    video, pk = session.video, session.pk
    has_file = session.upload.removed_at is None
    hidden = hides_people(video)

    def address(name: str, *more: Any) -> str:
        return reverse(f"videos:{name}", args=[pk, *more])

    return {
        "id": str(pk),
        "status": session.status,
        "width": video.width,
        "height": video.height,
        "duration": round(video.duration, 3),
        "rate": round(video.rate, 3),
        "pixels_per_metre": video.pixels_per_metre,
        "timeline": video.statistics.get("timeline"),
        "hides_people": hidden,
        # What is drawn into a film is not drawn over it again.
        "has_overlay": not (hidden and set(video.styles) & set(DRAWN)),
        "urls": {
            "original": address("original") if has_file else None,
            "annotated": address("annotated") if video.annotated_id else None,
            "preview": address("preview"),
            "overlay": address("overlay"),
            "tracks": address("tracks"),
            # The zero is replaced by a number.
            "snapshot": address("snapshot", 0) if video.snapshots_id else None,
            "moment": address("moment", 0) if video.snapshots_id else None,
        },
    }


def hides_people(video: VideoAnalysis) -> bool:
    """Whether the page shows the annotated video, because people are to be unrecognisable."""
    return bool(hides(video.styles)) and video.annotated_id is not None


def summary_figures(video: VideoAnalysis) -> list[dict[str, str]]:
    """The few numbers that sum a video up: value, unit and what they are."""
    figures = video.statistics
    shown = []
    if video.tracking or video.activity or video.faces:
        classes = figures.get("classes", {}).values()
        count = figures.get("tracks", 0)
        dwell = sum(row["mean_dwell"] * row["tracks"] for row in classes) / max(1, count)
        most = max((row["most_at_once"] for row in classes), default=0)
        shown = [
            _figure(f"{count:,}", "tracks" if count != 1 else "track"),
            *([_figure(str(most), "most at once")] if count else []),
            *([_figure(f"{dwell:.1f}", "in sight on average", "s")] if count else []),
        ]
    if video.motion:
        motion = figures.get("motion", {})
        shown.append(_figure(f"{motion.get('seconds', 0):.1f}", "with motion", "s"))
        times = motion.get("events", 0)
        shown.append(_figure(f"{times:,}", "motion events" if times != 1 else "motion event"))
    return shown


def _figure(value: str, label: str, unit: str = "") -> dict[str, str]:
    return {"value": value, "unit": unit, "label": label}


def tracks_and_events(analysis: VideoAnalysis) -> dict[str, Any]:
    """Every track with its figures, and everything that happened, as JSON values.

    Times are seconds of the video, lengths pixels, speeds pixels or body heights a second.
    """
    rows = list(list_tracks(analysis).values_list(*TRACK_FIELDS))
    counts = Counter((row[1], row[2]) for row in rows)
    return {
        "classes": [
            {"name": name, "color": class_color(class_id), "count": count}
            for (name, class_id), count in sorted(counts.items(), key=lambda item: -item[1])
        ],
        "tracks": [_track(row) for row in rows],
        "events": [_event(event) for event in list_events(analysis)],
    }


def _track(row: tuple[Any, ...]) -> dict[str, Any]:
    shown = {
        name: value if digits is None else round(value, digits)
        for (name, digits), value in zip(SHOWN_AS, row[:-1], strict=True)
    }
    return {**shown, "snapshot": row[-1] > 0, "color": class_color(row[0])}


def _event(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "n": event.number,
        "kind": event.kind,
        "label": event.label,
        "tracks": event.tracks,
        "start": round(event.start, 3),
        "end": round(event.end, 3),
        "snapshot": event.snapshot_size > 0,
    }
    if event.kind == Event.Kind.MOTION:
        return shown | {
            "share": event.peak_share,
            "peak": event.peak_time,
            "area": event.area,
        }
    return shown | {"confidence": event.confidence, "reason": event.reason}


def read_span(query: Mapping[str, str]) -> tuple[float, float]:
    """Read ``from`` and ``to``, seconds of a video that are not too far apart.

    Raises:
        OptionsError: With a sentence for what is wrong.
    """
    since, until = _seconds(query, "from"), _seconds(query, "to")
    if not 0 <= until - since <= MOST_SECONDS:
        raise OptionsError({"to": f"to must be from 0 to {MOST_SECONDS:.0f} seconds after from."})
    return since, until


def _seconds(query: Mapping[str, str], name: str) -> float:
    try:
        value = float(query.get(name, ""))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:  # NaN fails this too
        raise OptionsError({name: f"{name} must be a time of the video in seconds."})
    return value


def overlay_window(analysis: VideoAnalysis, since: float, until: float) -> dict[str, Any]:
    """Where every track is from ``since`` to ``until`` seconds, as JSON values.

    A track's ``t`` are seconds, ``b`` left, top, width and height in pixels for each of them,
    ``c`` its confidence and ``p`` 1 where its place is predicted. One point before and one after
    belong to it, so that what lies between two windows can be drawn.

    Raises:
        VisionError: ``bad_trajectories``, when what is stored is damaged.
    """
    tracks: list[dict[str, Any]] = []
    for data in list_chunks(analysis, since=since, until=until).values_list("data", flat=True):
        tracks += _parts(unpack_points(bytes(data)), since, until)
    return {"from": since, "to": until, "tracks": tracks}


def _parts(points: TrackPoints, since: float, until: float) -> Iterator[dict[str, Any]]:
    for index, (start, stop) in enumerate(pairwise(points.starts)):
        times = points.times[start:stop]
        if not len(times) or times[-1] < since or times[0] > until:
            continue
        first = start + max(0, int(np.searchsorted(times, since)) - 1)
        last = start + min(len(times), int(np.searchsorted(times, until, "right")) + 1)
        yield {
            "n": int(points.track_ids[index]),
            "class_id": int(points.class_ids[index]),
            "t": _rounded(points.times[first:last], 3),
            "b": _boxes(points.boxes[first:last]),
            "c": _rounded(points.confidence[first:last], 2),
            "p": (~points.detected[first:last]).astype(int).tolist(),
        }


def _boxes(boxes: NDArray[np.float32]) -> list[float]:
    flat = boxes.astype(np.float64)
    flat[:, 2:] -= flat[:, :2]
    return _rounded(flat.reshape(-1), 1)


def _rounded(values: NDArray[Any], digits: int) -> list[float]:
    # In float64, or a rounded number is written with all the digits that float32 has.
    return np.round(values.astype(np.float64), digits).tolist()

"""What is told of a video in REST and in exports: the file, its tracks, what happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detector.models import DetectionSession
from video_analysis.models import Event, Track, VideoAnalysis

ROWS_AT_ONCE = 500


def file_facts(session: DetectionSession) -> dict[str, Any]:
    """The video as it was uploaded."""
    upload, video = session.upload, session.video
    return {
        "name": upload.name,
        "bytes": upload.size,
        "media_type": upload.media_type,
        "container": video.container,
        "codec": video.codec,
        "width": video.width,
        "height": video.height,
        "duration": round(video.duration, 3),
        "rate": round(video.rate, 3),
        "frames": video.frame_count,
        "has_audio": video.has_audio,
        "removed_at": upload.removed_at,
    }


def track_facts(track: Track, analysis: VideoAnalysis) -> dict[str, Any]:
    """One track and its figures; those in metres are None where the scale is not known."""
    scale = analysis.pixels_per_metre
    metres = {
        name: round(value / scale, 3) if scale else None
        for name, value in (
            ("path_length_m", track.path_length),
            ("mean_speed_mps", track.mean_speed),
            ("top_speed_mps", track.top_speed),
        )
    }
    return {
        "number": track.number,
        "class": track.class_name,
        "class_id": track.class_id,
        "start": round(track.start, 3),
        "end": round(track.end, 3),
        "dwell": round(track.dwell, 3),
        "points": track.points,
        "confidence": round(track.confidence, 4),
        "path_length": round(track.path_length, 1),
        "displacement": round(track.displacement, 1),
        "mean_speed": round(track.mean_speed, 2),
        "top_speed": round(track.top_speed, 2),
        "mean_speed_bh": round(track.mean_speed_bh, 3),
        "top_speed_bh": round(track.top_speed_bh, 3),
        **metres,
        "direction_changes": track.direction_changes,
        "entry_side": track.entry_side,
        "exit_side": track.exit_side,
    }


def event_facts(event: Event) -> dict[str, Any]:
    """Something that happened: motion, what somebody did, or what people did together."""
    facts: dict[str, Any] = {
        "number": event.number,
        "kind": event.kind,
        "start": round(event.start, 3),
        "end": round(event.end, 3),
    }
    if event.kind == Event.Kind.MOTION:
        return facts | {
            "peak_share": _rounded(event.peak_share, 4),
            "peak_time": _rounded(event.peak_time, 3),
            "area": event.area,
        }
    return facts | {
        "label": event.label,
        "tracks": event.tracks,
        "confidence": _rounded(event.confidence, 3),
        "reason": event.reason,
    }


def all_tracks(analysis: VideoAnalysis) -> Iterator[dict[str, Any]]:
    """Every track by number, however many they are."""
    rows = analysis.tracks.order_by("number").iterator(chunk_size=ROWS_AT_ONCE)
    return (track_facts(track, analysis) for track in rows)


def all_events(analysis: VideoAnalysis) -> Iterator[dict[str, Any]]:
    """Everything that happened, in order."""
    rows = analysis.events.order_by("number").iterator(chunk_size=ROWS_AT_ONCE)
    return (event_facts(event) for event in rows)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)

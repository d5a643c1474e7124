"""Reads of videos: sessions, tracks, trajectories, events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from common.accounts.roles import may_create
from common.permissions import Verb, get_visible_or_404, visible
from detector.filters import ORDERS, SessionFilters, filter_sessions
from detector.models import DetectionSession
from detector.selectors import SHOWN, User
from video_analysis.models import Event, Sighting, Track, TrajectoryChunk, VideoAnalysis
from vision.encoding.trajectories import unpack_trajectories
from vision.structures.trajectories import Trajectory

SHOWN_OF_VIDEO = (*SHOWN, "video", "video__annotated", "video__snapshots", "video__heat")


def list_videos(user: User, filters: SessionFilters | None = None) -> QuerySet[DetectionSession]:
    """Sessions over videos that ``user`` may see, with all that is shown, newest first.

    A class is looked for among tracks.
    """
    filters = filters or SessionFilters()
    rows = visible(user, filter_sessions(_videos(), replace(filters, class_name="")))
    if filters.owner == "me":
        rows = rows.filter(owner=user.pk)
    elif filters.owner == "others":
        rows = rows.exclude(owner=user.pk)
    if filters.class_name:
        of_class = Track.objects.filter(analysis=OuterRef("pk"), class_name=filters.class_name)
        rows = rows.filter(Exists(of_class))
    return rows.select_related(*SHOWN_OF_VIDEO).order_by(*ORDERS[filters.order])


def get_video(user: User, session_id: Any, verb: Verb = "view") -> DetectionSession:
    """One session over a video with all that is shown of it, to do ``verb`` to it.

    Raises:
        Http404: There is none, or ``user`` may not see it.
        PermissionDenied: ``user`` may see it, but not do that.
    """
    rows = _videos().select_related(*SHOWN_OF_VIDEO)
    session: DetectionSession = get_visible_or_404(user, rows, verb=verb, pk=session_id)
    return session


def list_tracks(analysis: VideoAnalysis) -> QuerySet[Track]:
    """Tracks of a video by number, without their trajectories."""
    return analysis.tracks.order_by("number")


def get_track(analysis: VideoAnalysis, number: int) -> Track:
    """One track.

    Raises:
        Http404: There is none of this number.
    """
    return get_object_or_404(analysis.tracks.select_related("chunk"), number=number)


def get_trajectory(track: Track) -> Trajectory:
    """The path of a track."""
    trajectories = unpack_trajectories(bytes(track.chunk.data))
    if track.position >= len(trajectories):
        raise Http404("The trajectory is gone.")
    return trajectories[track.position]


def list_chunks(
    analysis: VideoAnalysis, *, since: float | None = None, until: float | None = None
) -> QuerySet[TrajectoryChunk]:
    """Chunks with a track that was there at some time from ``since`` to ``until`` seconds."""
    rows = analysis.chunks.order_by("number")
    if since is not None:
        rows = rows.filter(end__gte=since)
    if until is not None:
        rows = rows.filter(start__lte=until)
    return rows


def list_events(analysis: VideoAnalysis, *kinds: str) -> QuerySet[Event]:
    """What happened in a video, in order; of these kinds, or of all."""
    rows = analysis.events.order_by("number")
    return rows.filter(kind__in=kinds) if kinds else rows


def list_sightings(user: User, analysis: VideoAnalysis) -> QuerySet[Sighting]:
    """Who was recognised in a video, and who waits for a review, in its order.

    Nobody for those who may not see people.
    """
    untold = [Sighting.State.REJECTED, Sighting.State.SHOWN]
    rows = analysis.sightings.exclude(state__in=untold)
    rows = rows.select_related("profile").order_by("start_seconds", "track_number")
    return rows if may_create(user) else rows.none()


def _videos() -> QuerySet[DetectionSession]:
    return DetectionSession.objects.filter(kind=DetectionSession.Kind.VIDEO)

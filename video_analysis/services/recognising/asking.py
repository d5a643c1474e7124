"""Questions about who was seen, and the sightings that wait for their answers."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, UUIDField, Value, When
from django.db.models.functions import Cast, Replace

from common.permissions import visible
from common.permissions.rules import Viewer
from detector.models import DetectionSession
from recognition.models import FaceReview
from video_analysis.cameras.models import Camera
from video_analysis.models import Sighting, VideoAnalysis

UUID_TEXT: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_SEEN: Final = Q(origin__in=[FaceReview.Origin.CAMERA, FaceReview.Origin.VIDEO])


def reviews_of(sightings: QuerySet[Sighting]) -> QuerySet[FaceReview]:
    """Return the reviews that ask about some sightings, answered ones too."""
    key = Cast(Replace("origin_id", Value("-"), Value("")), UUIDField())
    named = When(_SEEN & Q(origin_id__regex=UUID_TEXT), then=key)
    rows = FaceReview.objects.alias(sighting=Case(named, output_field=UUIDField()))
    return rows.filter(Exists(sightings.order_by().filter(pk=OuterRef("sighting"))))


def forget_reviews(sightings: QuerySet[Sighting]) -> int:
    """Delete what was asked about sightings that are about to go; return how many reviews went.

    To be called before they are deleted, in the same transaction: reviews are held first.
    """
    with transaction.atomic():
        keys = list(reviews_of(sightings).order_by().values_list("pk", flat=True))
        return FaceReview.objects.filter(pk__in=keys).delete()[0] if keys else 0


def of_cameras(user: Viewer) -> Q:
    """Select the reviews of cameras that a user may watch, and that hide nobody."""
    cameras = visible(user, Camera.objects.filter(faces="", hide_people=False))
    return _among(Sighting.objects.filter(camera__in=cameras.order_by().values("pk")))


def of_videos(user: Viewer) -> Q:
    """Select the reviews of videos that a user may see."""
    sessions = visible(user, DetectionSession.objects.all())
    return _among(Sighting.objects.filter(analysis__in=sessions.order_by().values("pk")))


def forget_reviews_of_camera(instance: Camera, **kwargs: object) -> None:
    """Delete what was asked about people before a camera that goes; a signal receiver."""
    forget_reviews(Sighting.objects.filter(camera=instance))


def forget_reviews_of_video(instance: VideoAnalysis, **kwargs: object) -> None:
    """Delete what was asked about people in a video that goes; a signal receiver."""
    forget_reviews(Sighting.objects.filter(analysis=instance))


def _among(sightings: QuerySet[Sighting]) -> Q:
    return Q(pk__in=reviews_of(sightings).order_by().values("pk"))

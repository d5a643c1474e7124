"""What cameras and videos keep about people: for erasing, counting and exporting it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from common.models import DerivedFile
from common.people import ExportWriter, PersonData, register_person_data
from common.people.files import discard_files
from common.previews import forget_preview
from common.storage.files import StorageUnavailable
from common.uploads.errors import PictureRemoved
from recognition.models import PrivacySettings
from recognition.services.files import read_file
from recognition.services.likeness import Likeness, reviews_about
from recognition.services.retaining import INTERVAL_SECONDS, register_expiry
from video_analysis.models import CameraEvent, Sighting, Track, VideoAnalysis, Visitor, VisitorFace
from video_analysis.services.live.pictures import SIZES, slot_name
from video_analysis.services.recognising.asking import forget_reviews
from video_analysis.services.snapshots import read_snapshot

logger = logging.getLogger(__name__)

AROUND = timedelta(seconds=2)
"""A picture is made some frames after what it shows has begun."""
EARLY = timedelta(seconds=2 * INTERVAL_SECONDS)
"""What must be gone at some moment goes before it, as nobody looks in between."""
PIECE = 200
FORGOTTEN = "forgotten_at"
"""In an analysis' statistics: when its pictures went because somebody was to be forgotten."""


# ---------------------------------------------------------------- sightings
def sightings_of(person: UUID) -> QuerySet[Sighting]:
    """Decisions that a track is somebody, and those that wait for a review that names them."""
    waiting = reviews_about(person).exclude(origin_id="").values_list("origin_id", flat=True)
    return Sighting.objects.filter(
        Q(profile=person) | Q(pk__in=list(_ids(waiting)), profile=None, visitor=None)
    )


def _ids(texts: Any) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue


def _erase_sightings(person: UUID) -> Mapping[str, int]:
    rows = sightings_of(person)
    cameras = set(rows.exclude(camera=None).order_by().values_list("camera_id", flat=True))
    transaction.on_commit(lambda: _forget_previews(cameras), robust=True)
    return {"sightings": rows.delete()[0]}


def _first_seen(person: UUID) -> datetime | None:
    rows = Sighting.objects.filter(profile=person)
    found: datetime | None = rows.aggregate(first=Min("start"))["first"]
    return found


def _forget_previews(cameras: set[int]) -> None:
    for camera in cameras:
        for size in SIZES:
            forget_preview(slot_name(camera, size))


def _export_sightings(person: UUID, writer: ExportWriter) -> None:
    rows = Sighting.objects.filter(profile=person).select_related("camera", "area")
    fields = ("id", "state", "start", "end", "start_seconds", "end_seconds", "track_number")
    writer.add_rows(
        "sightings",
        [
            {
                **{name: getattr(row, name) for name in fields},
                "camera": row.camera.name if row.camera is not None else None,
                "video": row.analysis_id,
                "area": row.area.name if row.area is not None else None,
                "faces": row.faces,
                "distance": row.distance,
                "probability": row.probability,
                "mood": row.mood,
            }
            for row in rows
        ],
    )


# ---------------------------------------------------------------- pictures of events
def _events(sightings: QuerySet[Sighting]) -> Iterator[QuerySet[CameraEvent]]:
    """Yield events whose picture shows who was seen: their own, and others before the same camera
    while they were there."""
    rows = sightings.exclude(camera=None).order_by("pk")
    seen = list(rows.values_list("camera_id", "track", "start", "end"))
    pictured = CameraEvent.objects.exclude(picture="").order_by()
    for start in range(0, len(seen), PIECE):
        part = seen[start : start + PIECE]
        yield pictured.filter(track__in=[track for _, track, _, _ in part if track])
        there = (
            Q(camera=camera, start__gte=begin - AROUND, start__lte=end + AROUND)
            for camera, _, begin, end in part
        )
        yield pictured.filter(reduce(or_, there))


def _event_pictures(sightings: QuerySet[Sighting]) -> dict[UUID, str]:
    return {
        pk: name for rows in _events(sightings) for pk, name in rows.values_list("pk", "picture")
    }


def _discard_event_pictures(sightings: QuerySet[Sighting]) -> int:
    pictures = _event_pictures(sightings)
    keys = list(pictures)
    for start in range(0, len(keys), PIECE):
        CameraEvent.objects.filter(pk__in=keys[start : start + PIECE]).update(picture="")
    discard_files(pictures.values())
    return len(pictures)


def _erase_event_pictures(person: UUID) -> Mapping[str, int]:
    return {"pictures of events": _discard_event_pictures(sightings_of(person))}


def _export_event_pictures(person: UUID, writer: ExportWriter) -> Iterator[None]:
    tracks = sightings_of(person).filter(profile=person).exclude(track=None).values("track")
    events = CameraEvent.objects.filter(track__in=tracks).exclude(picture="")
    for event in events.only("pk", "picture"):
        if data := read_file(event.picture):
            writer.add_file(f"events/{event.pk}.jpg", data)
            yield


# ---------------------------------------------------------------- files made of videos
def _analyses(person: UUID) -> QuerySet[VideoAnalysis]:
    seen = sightings_of(person).exclude(analysis=None).order_by().values("analysis")
    return VideoAnalysis.objects.filter(pk__in=seen)


def _derived(person: UUID) -> list[UUID]:
    """Return the ids of files in which the person is seen; a heat map shows nobody."""
    rows = _analyses(person).values_list("annotated_id", "snapshots_id")
    return [pk for row in rows for pk in row if pk is not None]


def _derived_files(person: UUID) -> list[str]:
    rows = DerivedFile.objects.filter(pk__in=_derived(person))
    return list(rows.order_by().values_list("file", flat=True))


def _erase_derived(person: UUID) -> Mapping[str, int]:
    doomed = _derived(person)
    for analysis in _analyses(person).filter(pk__isnull=False):
        if analysis.annotated_id or analysis.snapshots_id:
            analysis.statistics[FORGOTTEN] = timezone.now().isoformat()
            analysis.save(update_fields=["statistics"])
    DerivedFile.objects.filter(pk__in=doomed).delete()  # the files go on commit
    return {"files of videos": len(doomed)}


def _export_snapshots(person: UUID, writer: ExportWriter) -> Iterator[None]:
    rows = Sighting.objects.filter(profile=person).exclude(analysis=None)
    for sighting in rows.select_related("analysis__session__upload", "analysis__snapshots"):
        assert sighting.analysis is not None
        track = Track.objects.filter(
            analysis=sighting.analysis,
            number=sighting.track_number or 0,
            snapshot_offset__isnull=False,
        ).first()
        if track is None:
            continue
        try:
            data = read_snapshot(sighting.analysis.session, track)
        except (Http404, PictureRemoved, StorageUnavailable):
            continue
        writer.add_file(f"videos/{sighting.analysis_id}/{track.number}.jpg", data)
        yield


def _originals(person: UUID) -> list[UUID]:
    rows = _analyses(person).filter(session__upload__removed_at=None)
    return list(rows.order_by().values_list("session__upload", flat=True).distinct())


# ---------------------------------------------------------------- visitors without a name
def _faces_alike(person: UUID) -> QuerySet[VisitorFace]:
    return VisitorFace.objects.filter(pk__in=Likeness.of(person).find(VisitorFace.objects.all()))


def _erase_visitor_faces(person: UUID) -> Mapping[str, int]:
    # A visitor without a face is a number that stays one: nobody can say who it was.
    return {"faces of visitors": _faces_alike(person).delete()[0]}


def _export_nothing(person: UUID, writer: ExportWriter) -> None:
    return None


# ---------------------------------------------------------------- in time
def expire(settings: PrivacySettings, now: datetime, until: float) -> dict[str, int]:
    """Delete faces of visitors, visitors and sightings that are older than they may be.

    Sightings in videos stay with the video: its results do, and whoever is to be forgotten must be
    found in them.
    """
    hours = timedelta(hours=settings.visitor_hours)
    # Shorter than when they were seen: that counts for what is there already.
    VisitorFace.objects.filter(expires_at__gt=now + hours).update(expires_at=now + hours)
    before = now - timedelta(days=settings.sighting_days)
    undecided = Q(state=Sighting.State.UNCERTAIN, profile=None)
    unanswered = now - timedelta(days=settings.review_days)
    due: list[tuple[str, QuerySet[Any]]] = [
        ("faces of visitors", VisitorFace.objects.filter(expires_at__lte=now + EARLY)),
        ("visitors", Visitor.objects.filter(last_seen__lt=before)),
        ("sightings", Sighting.objects.filter(undecided, end__lt=unanswered)),
    ]
    went = {name: _delete_in_batches(rows, until) for name, rows in due}
    old = Sighting.objects.exclude(camera=None).filter(end__lt=before)
    sightings, pictures = _delete_with_pictures(old, until)
    went["sightings"] += sightings
    went["pictures of events"] = pictures
    return went


def _delete_with_pictures(rows: QuerySet[Sighting], until: float) -> tuple[int, int]:
    """Delete sightings, and pictures of events that outlived them: nobody could say any more whose
    pictures those are when somebody is to be forgotten."""
    gone = pictures = 0
    while time.monotonic() < until:
        keys = list(rows.order_by().values_list("pk", flat=True)[:PIECE])
        if not keys:
            break
        batch = Sighting.objects.filter(pk__in=keys)
        with transaction.atomic():
            pictures += _discard_event_pictures(batch.exclude(profile=None))
            forget_reviews(batch)
            batch.delete()
        gone += len(keys)
    return gone, pictures


def _delete_in_batches(rows: QuerySet[Any], until: float) -> int:
    gone = 0
    while time.monotonic() < until:
        keys = list(rows.order_by().values_list("pk", flat=True)[:PIECE])
        if not keys:
            break
        rows.model._default_manager.filter(pk__in=keys).delete()
        gone += len(keys)
    return gone


register_expiry("sightings", expire)
register_person_data(
    PersonData(
        name="pictures of events",
        models=("video_analysis.cameraevent",),
        erase=_erase_event_pictures,
        remaining=lambda person: {"pictures of events": len(_event_pictures(sightings_of(person)))},
        export=_export_event_pictures,
        order=10,
        files=lambda person: list(_event_pictures(sightings_of(person)).values()),
    )
)
register_person_data(
    PersonData(
        name="files of videos",
        models=("video_analysis.videoanalysis",),
        erase=_erase_derived,
        remaining=lambda person: {"files of videos": len(_derived(person))},
        export=_export_snapshots,
        order=11,
        files=_derived_files,
        uploads=_originals,
    )
)
register_person_data(
    PersonData(
        name="faces of visitors",
        models=("video_analysis.visitor", "video_analysis.visitorface"),
        erase=_erase_visitor_faces,
        remaining=lambda person: {"faces of visitors": _faces_alike(person).count()},
        export=_export_nothing,
        order=12,
    )
)
register_person_data(
    PersonData(
        name="sightings",
        models=("video_analysis.sighting",),
        erase=_erase_sightings,
        remaining=lambda person: {"sightings": sightings_of(person).count()},
        export=_export_sightings,
        order=20,  # after those who ask where the person was seen
        since=_first_seen,
    )
)

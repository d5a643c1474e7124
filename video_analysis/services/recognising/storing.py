"""Writing who was seen: each call is one short transaction that may be repeated."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from recognition.errors import GoneError
from recognition.index import Match
from recognition.models import Consent, ErasureReport, FaceReview, Profile
from recognition.services.holding import hold_profiles
from recognition.services.reviews import open_review
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Sighting
from video_analysis.services.recognising.asking import reviews_of
from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import SightingNews
from video_analysis.services.recognising.visitors import (
    KnownFaces,
    find_visitor,
    read_faces,
    see_visitor,
)

logger = logging.getLogger(__name__)

CROP_QUALITY: Final = 90
TOLD: Final = (Sighting.State.KNOWN, Sighting.State.VISITOR)


class RefusedError(Exception):
    """There must be no such row: somebody was erased, has not agreed, or was not asked about."""


def store_sighting(change: SightingChange, *, is_new: bool) -> SightingNews | None:
    """Write a sighting.

    Args:
        change: As it is now.
        is_new: Whether it was never written: a row that is gone is not made again.

    Returns:
        What is to be told of it; None for what waits for a review, or was said to be nobody.

    Raises:
        RefusedError: Nothing was written, nor should it be tried again.
        django.db.Error: Nothing was written.
    """
    try:
        # Before the transaction: nobody else waits until they are read.
        wants_faces = is_new and change.state == Sighting.State.VISITOR
        known = read_faces(change) if wants_faces else KnownFaces()
        with transaction.atomic():
            row = Sighting.objects.filter(pk=change.id).first()
            if row is None:
                if not is_new:
                    raise RefusedError
                row = _insert(change, known)
            else:
                _update(row, change)
            return _news(row, change)
    except (GoneError, IntegrityError) as error:  # erased while this was being written
        raise RefusedError from error


def _insert(change: SightingChange, known: KnownFaces) -> Sighting:
    if not Camera.objects.filter(pk=change.camera_id).exists():
        raise RefusedError
    row = Sighting(
        pk=change.id,
        camera_id=change.camera_id,
        area_id=_area(change.area_id),
        track=change.track,
        track_number=change.track_number,
        state=change.state,
        start=change.start,
        end=change.end,
        faces=change.faces,
        distance=change.match.distance,
        probability=change.match.probability,
        runner_up_distance=change.match.runner_up_distance,
        mood=dict(change.mood),
    )
    if Sighting.objects.filter(camera_id=change.camera_id, track=change.track).exists():
        row.track = None  # its track was somebody else's before
    if change.state in (Sighting.State.KNOWN, Sighting.State.SHOWN):
        row.profile_id = held_profile(change.match, change.consented_only)
    elif change.state == Sighting.State.VISITOR:
        if ErasureReport.objects.filter(started_at__gte=change.decided_at).exists():
            raise RefusedError  # it waited, and nobody can say any more whether it was them
        row.visitor = find_visitor(change, known, at=change.start)
    row.save(force_insert=True)
    if change.state == Sighting.State.UNCERTAIN:
        _ask(change)
    return row


def _update(row: Sighting, change: SightingChange) -> None:
    """Say what has gone on; who it is may have been said by a person meanwhile."""
    row.end = max(row.end, change.end)
    row.faces = change.faces
    row.mood = dict(change.mood)
    row.save(update_fields=["end", "faces", "mood"])
    if row.visitor is not None:
        see_visitor(row.visitor, change)


def held_profile(match: Match, consented_only: bool) -> UUID:
    """Return the id of who a match names; the rows of all it names are held from then on.

    Raises:
        RefusedError: There is no such person any more, or they have not agreed.
    """
    found = match.profile_id
    if found is None or found not in hold_profiles(named_by([match])):
        raise RefusedError
    if consented_only and not Consent.objects.filter(profile=found, withdrawn_at=None).exists():
        raise RefusedError
    return found


def named_by(matches: Iterable[Match]) -> set[UUID]:
    """Return the ids of all whom matches name: held together, so that nobody waits for another."""
    keys = {key for match in matches for key in (match.profile_id, match.runner_up_id)}
    return {key for key in keys if key is not None}


def _area(area_id: int | None) -> int | None:
    return Area.objects.filter(pk=area_id).values_list("pk", flat=True).first()


def _ask(change: SightingChange) -> None:
    """Have a person decide."""
    held_profile(change.match, change.consented_only)
    if not change.kept:
        raise RefusedError
    best = max(change.kept, key=lambda face: face.weight)
    review = open_review(
        origin=FaceReview.Origin.CAMERA,
        origin_id=str(change.id),
        place=change.place,
        embedding=best.embedding,
        model=change.model,
        crop=change.crop,
        quality=best.quality.as_data(),
        match=change.match,
        seen_at=change.start,
        among=reviews_of(Sighting.objects.filter(camera_id=change.camera_id)),
    )
    if review.origin_id != str(change.id):  # the same doubt waits for an answer already
        raise RefusedError


def _news(row: Sighting, change: SightingChange) -> SightingNews | None:
    if row.state not in TOLD:
        return None
    staff = Profile.objects.filter(pk=row.profile_id, kind=Profile.Kind.STAFF).exists()
    return SightingNews(
        sighting_id=row.pk,
        camera_id=change.camera_id,
        area_id=row.area_id,
        profile_id=row.profile_id,
        visitor_id=row.visitor_id,
        staff=staff,
        at=row.end,
        ended=change.ended,
        mood=(dict(change.mood_now) or None) if not staff else None,
    )

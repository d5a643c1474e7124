"""What people say of uncertain sightings."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction

from recognition.models import FaceReview, Profile
from recognition.services.reviews import register_review_listener
from video_analysis.models import Sighting
from video_analysis.services.recognising.news import SightingNews, tell_sighting


def take_answer(review: FaceReview) -> None:
    """Make an uncertain sighting somebody's, or nobody's, in the transaction of the answer.

    Visits are told when it is committed: of the beginning and of what is known so far.
    """
    try:
        rows = Sighting.objects.select_for_update().filter(pk=review.origin_id)
        row = rows.filter(state=Sighting.State.UNCERTAIN).first()
    except (ValidationError, ValueError):
        return
    if row is None:  # deleted meanwhile
        return
    row.state = Sighting.State.REJECTED if review.answer is None else Sighting.State.KNOWN
    row.profile = review.answer
    row.save(update_fields=["state", "profile"])
    if review.answer is not None and row.camera_id is not None:
        transaction.on_commit(partial(_tell, row, review.answer))


def _tell(row: Sighting, person: Profile) -> None:
    assert row.camera_id is not None
    for moment, ended in ((row.start, False), (row.end, True)):
        tell_sighting(
            SightingNews(
                sighting_id=row.pk,
                camera_id=row.camera_id,
                area_id=row.area_id,
                profile_id=person.pk,
                visitor_id=None,
                staff=person.kind == Profile.Kind.STAFF,
                at=moment,
                ended=ended,
            )
        )


for origin in (FaceReview.Origin.CAMERA, FaceReview.Origin.VIDEO):
    register_review_listener(origin, take_answer)

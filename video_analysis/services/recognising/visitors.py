"""Faces without a name: told apart for a day at most, or given a name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from recognition.errors import GoneError
from recognition.models import FaceSample, PrivacySettings, Profile
from recognition.services.profiles import create_profile
from recognition.services.samples import add_sample
from video_analysis.cameras.models import Area
from video_analysis.models import Sighting, Visitor, VisitorFace
from video_analysis.services.recognising.changes import SightingChange
from vision.faces import EMBEDDING_SIZE
from vision.faces.grouping import assign

MOST_FACES: Final = 12
"""Of one visitor; more say nothing new."""
NEW_FACES: Final = 4
"""Of one track."""


def find_visitor(change: SightingChange, *, at: datetime) -> Visitor:
    """Return whose faces these are, in the caller's transaction; a new visitor if nobody's.

    The area is held, so that two cameras do not make two visitors of one person.
    """
    area = Area.objects.select_for_update(no_key=True).get(pk=change.area_id)
    rows = VisitorFace.objects.filter(
        visitor__area=area, model=change.model, expires_at__gt=timezone.now()
    )
    found = list(rows.values_list("visitor_id", "embedding"))
    keys = sorted({key for key, _ in found}, key=str)
    owners = np.array([keys.index(key) for key, _ in found], np.int64)
    faces = np.array([np.frombuffer(bytes(data), "<f4") for _, data in found], np.float32).reshape(
        -1, EMBEDDING_SIZE
    )
    best = max(change.kept, key=lambda face: face.weight)
    number = assign(best.embedding, faces, owners)
    if number is None:
        last = area.visitors.aggregate(last=Max("number"))["last"] or 0
        visitor = Visitor.objects.create(area=area, number=last + 1, first_seen=at, last_seen=at)
    else:
        visitor = Visitor.objects.get(pk=keys[number])
    see_visitor(visitor, change)
    _keep_faces(visitor, change)
    return visitor


def see_visitor(visitor: Visitor, change: SightingChange) -> None:
    """Note when a visitor was seen last."""
    Visitor.objects.filter(pk=visitor.pk, last_seen__lt=change.end).update(last_seen=change.end)


def _keep_faces(visitor: Visitor, change: SightingChange) -> None:
    hours = PrivacySettings.objects.filter(pk=1).values_list("visitor_hours", flat=True).first()
    expires = timezone.now() + timedelta(hours=24 if hours is None else min(24, hours))
    room = min(NEW_FACES, MOST_FACES - visitor.faces.count())
    best = sorted(change.kept, key=lambda face: -face.weight)[: max(0, room)]
    VisitorFace.objects.bulk_create(
        VisitorFace(
            visitor=visitor,
            embedding=np.asarray(face.embedding, "<f4").tobytes(),
            model=change.model,
            expires_at=expires,
        )
        for face in best
    )


def name_visitor(*, actor: Any, visitor: Visitor, name: str, kind: str) -> Profile:
    """Make a visitor a person who is known from now on, by the faces that are still there.

    Sightings become those of the person; the visitor is gone.

    Raises:
        GoneError: The visitor is gone, or all faces have been forgotten.
        PeopleError: The name is none.
    """
    with transaction.atomic():
        held = Visitor.objects.select_for_update().filter(pk=visitor.pk).first()
        faces = (
            list(held.faces.filter(expires_at__gt=timezone.now()).order_by("pk")) if held else []
        )
        if held is None or not faces:
            raise GoneError("visitor's faces")
        profile = create_profile(actor=actor, kind=kind, name=name)
        for face in faces:
            add_sample(
                actor=actor,
                profile=profile,
                embedding=np.frombuffer(bytes(face.embedding), "<f4"),
                model=face.model,
                crop=b"",
                quality={},
                source=FaceSample.Source.VISITOR,
            )
        _hand_over(held, profile)
        held.delete()
    return profile


def _hand_over(visitor: Visitor, profile: Profile) -> None:
    """Make the person's what was the visitor's, whatever app it is of."""
    for relation in Visitor._meta.related_objects:
        names = {field.name for field in relation.related_model._meta.get_fields()}
        if "profile" in names:
            rows = relation.related_model._base_manager.filter(visitor=visitor)
            more = {"state": Sighting.State.KNOWN} if relation.related_model is Sighting else {}
            rows.update(visitor=None, profile=profile, **more)
    for listener in _listeners:
        listener(profile)


NamingListener: TypeAlias = Callable[[Profile], object]

_listeners: list[NamingListener] = []


def register_naming_listener(listener: NamingListener) -> None:
    """Have a function called with a person who was a visitor until now.

    It is called in the transaction, when everything of the visitor's is the person's already.
    """
    if listener not in _listeners:
        _listeners.append(listener)

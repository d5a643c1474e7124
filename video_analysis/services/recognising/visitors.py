"""Faces without a name: told apart for a day at most, or given a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from numpy.typing import NDArray

from recognition.errors import ConflictError, GoneError
from recognition.models import FaceSample, PrivacySettings, Profile
from recognition.services.consent import record_consent
from recognition.services.holding import hold_profile
from recognition.services.noting import note
from recognition.services.profiles import create_profile, merge_profiles
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


@dataclass(frozen=True, slots=True, eq=False)
class KnownFaces:
    """The faces of the visitors of an area, as they were when they were read.

    Attributes:
        newest: The largest id of their rows.
        visitors: Ids of visitors.
        owners: (N,) int64, whose each face is: a place in ``visitors``.
        faces: (N, 128) float32.
    """

    newest: int = 0
    visitors: tuple[UUID, ...] = ()
    owners: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    faces: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, EMBEDDING_SIZE), np.float32)
    )


def read_faces(change: SightingChange, before: KnownFaces | None = None) -> KnownFaces:
    """Return the faces that those of a change are compared with.

    Args:
        change: Says of which area.
        before: What was read already: only what is newer is read.
    """
    known = before or KnownFaces()
    rows = VisitorFace.objects.filter(
        visitor__area=change.area_id,
        model=change.model,
        expires_at__gt=timezone.now(),
        pk__gt=known.newest,
    )
    found = list(rows.order_by().values_list("pk", "visitor_id", "embedding"))
    if not found:
        return known
    places = {visitor: place for place, visitor in enumerate(known.visitors)}
    owners = [places.setdefault(visitor, len(places)) for _, visitor, _ in found]
    data = b"".join(bytes(embedding) for *_, embedding in found)
    faces = np.frombuffer(data, "<f4").reshape(-1, EMBEDDING_SIZE)
    return KnownFaces(
        newest=max(pk for pk, *_ in found),
        visitors=tuple(places),
        owners=np.concatenate([known.owners, np.array(owners, np.int64)]),
        faces=np.concatenate([known.faces, faces]),
    )


def find_visitor(change: SightingChange, known: KnownFaces, *, at: datetime) -> Visitor:
    """Return whose faces these are, in the caller's transaction; a new visitor if nobody's.

    The area is held, so that two cameras do not make two visitors of one person.

    Args:
        change: What was seen.
        known: What `read_faces` has said before the transaction.
        at: When a new visitor was first seen.
    """
    area = Area.objects.select_for_update(no_key=True).get(pk=change.area_id)
    key = _owner_of(change, read_faces(change, known))
    if key is not None and not VisitorFace.objects.filter(visitor=key).exists():
        key = _owner_of(change, read_faces(change))  # forgotten, or somebody's, meanwhile
    if key is None:
        last = area.visitors.aggregate(last=Max("number"))["last"] or 0
        visitor = Visitor.objects.create(area=area, number=last + 1, first_seen=at, last_seen=at)
    else:
        visitor = Visitor.objects.get(pk=key)
    see_visitor(visitor, change)
    _keep_faces(visitor, change)
    return visitor


def _owner_of(change: SightingChange, known: KnownFaces) -> UUID | None:
    best = max(change.kept, key=lambda face: face.weight)
    place = assign(best.embedding, known.faces, known.owners)
    return None if place is None else known.visitors[place]


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


def name_visitor(
    *, actor: Any, visitor: Visitor, name: str, kind: str, consent: bool = False
) -> Profile:
    """Make a visitor a person who is known from now on, by the faces that are still there.

    Sightings and visits become those of the person; the visitor is gone.

    Args:
        actor: Who says what they are called.
        visitor: Who has no name yet.
        name: Theirs.
        kind: "customer" or "staff".
        consent: Whether they have agreed to the newest text.

    Raises:
        GoneError: The visitor is gone.
        ConflictError: ``faces_forgotten``: all faces have been forgotten.
        PeopleError: The name is none, or there is no text to agree to.
    """
    with transaction.atomic():
        held = Visitor.objects.select_for_update().filter(pk=visitor.pk).first()
        if held is None:
            raise GoneError("visitor")
        faces = list(held.faces.filter(expires_at__gt=timezone.now()).order_by("pk"))
        if not faces:
            raise ConflictError(
                "faces_forgotten",
                "The faces of this visitor have been forgotten: nobody could be recognised by "
                "them. Add the person from a photo instead.",
            )
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
        if consent:
            record_consent(actor=actor, profile=profile)
        note(
            actor=actor,
            profile_id=profile.pk,
            change="visitor named",
            area=held.area_id,
            faces=len(faces),
        )
        _hand_over(held, profile)
        held.delete()
    return profile


def join_visitor(*, actor: Any, visitor: Visitor, profile: Profile) -> Profile:
    """Make a visitor part of a person who is known already; undone as any merge.

    Raises:
        GoneError: The visitor or the person is gone.
        ConflictError: ``faces_forgotten``: all faces have been forgotten.
    """
    with transaction.atomic():
        # The person first, as everywhere: before the visitor, and before the gallery changes.
        held = hold_profile(profile.pk)
        named = name_visitor(actor=actor, visitor=visitor, name=held.name, kind=held.kind)
        merge_profiles(actor=actor, target=held, source=named)
        held.refresh_from_db()
    return held


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

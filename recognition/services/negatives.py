"""Faces of which somebody has said that they are not a person."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from numpy.typing import ArrayLike

from recognition.models import NegativeEvidence, Profile
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile
from recognition.services.keeping import pack
from recognition.services.noting import note


def note_not_person(
    *, actor: Any, profile: Profile, embedding: ArrayLike, model: str
) -> NegativeEvidence:
    """Remember that a face is not this person, so that nobody like it is taken for them again.

    Args:
        actor: Who says so.
        profile: Who it is not.
        embedding: 128 numbers.
        model: Which network made them.

    Raises:
        InvalidError: ``bad_embedding``.
        GoneError: The profile was deleted.
    """
    data = pack(embedding)
    with transaction.atomic():
        held = hold_profile(profile.pk)
        said = held.negatives.filter(model=model, embedding=data).first()
        if said is not None:
            return said
        note_change([held.pk])
        made = NegativeEvidence.objects.create(
            profile=held, embedding=data, model=model, created_by=actor
        )
        note(actor=actor, profile_id=held.pk, change="a face is not this person")
    return made

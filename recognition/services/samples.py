"""Faces that show a person: added, moved, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from numpy.typing import ArrayLike

from recognition.errors import GoneError
from recognition.models import FaceSample, Profile
from recognition.services.enrolling import enrol_picture
from recognition.services.files import new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile, hold_profiles
from recognition.services.keeping import NewSample, keep_samples
from recognition.services.noting import note
from recognition.services.photos import follow_best

__all__ = ["add_sample", "delete_sample", "enrol_picture", "move_samples"]


def add_sample(
    *,
    actor: Any,
    profile: Profile,
    embedding: ArrayLike,
    model: str,
    crop: bytes,
    quality: Mapping[str, float],
    source: str,
) -> FaceSample:
    """Add a face that is known to be this person's, whatever it looks like.

    Args:
        actor: Who says so; None for the system.
        profile: Whose face it is.
        embedding: 128 numbers.
        model: Which network made them.
        crop: JPEG of 150x150 pixels; empty for none.
        quality: As `FaceQuality.as_data` tells it.
        source: Of `FaceSample.Source`.

    Raises:
        InvalidError: ``bad_embedding``.
        GoneError: The profile was deleted.
    """
    sample = NewSample(embedding=embedding, model=model, crop=crop, quality=dict(quality))
    with new_files() as files, transaction.atomic():
        held = hold_profile(profile.pk)
        note_change([held.pk])
        [added] = keep_samples(
            actor=actor, profile=held, samples=[sample], source=source, files=files
        )
        note(actor=actor, profile_id=held.pk, change="sample added", source=str(source))
    return added


def move_samples(*, actor: Any, samples: Sequence[FaceSample], target: Profile) -> int:
    """Give samples to another person; return how many were moved.

    A profile that has none left stays, and is not recognised any more.

    Raises:
        GoneError: The target was deleted.
    """
    if not samples:
        return 0
    ids = [sample.pk for sample in samples]
    with new_files() as files, transaction.atomic():
        owners = FaceSample.objects.filter(pk__in=ids).order_by()
        sources = set(owners.values_list("profile_id", flat=True)) - {target.pk}
        held = hold_profiles({target.pk, *sources})
        if target.pk not in held:
            raise GoneError("person")
        note_change(held)
        moved = FaceSample.objects.filter(pk__in=ids, profile__in=sources)
        count = moved.update(profile=held[target.pk])
        for profile in held.values():
            follow_best(profile, files)
        for source in sources & set(held):
            note(
                actor=actor,
                profile_id=source,
                change="samples moved",
                to=str(target.pk),
                count=count,
            )
    return count


def delete_sample(*, actor: Any, sample: FaceSample) -> None:
    """Delete a face; a profile whose last one it was stays, and is not recognised any more.

    Raises:
        GoneError: It was given to somebody else at this very moment.
    """
    with new_files() as files, transaction.atomic():
        rows = FaceSample.objects.filter(pk=sample.pk)
        owners = set(rows.values_list("profile_id", flat=True))
        for held in hold_profiles(owners).values():  # one, or none when it is gone already
            note_change([held.pk])
            if not rows.filter(profile=held).delete()[0]:
                raise GoneError("picture")
            follow_best(held, files)
            note(actor=actor, profile_id=held.pk, change="sample deleted")

"""Profiles of people: made, changed, split; merging is beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from recognition.errors import ConflictError, InvalidError
from recognition.models import FaceSample, Profile
from recognition.services.files import new_files
from recognition.services.gallery import note_change
from recognition.services.holding import hold_profile, raise_revision
from recognition.services.merging import merge_profiles, register_merge_listener, undo_merge
from recognition.services.noting import note
from recognition.services.photos import follow_best

__all__ = [
    "FIELDS",
    "clean_name",
    "create_profile",
    "merge_profiles",
    "register_merge_listener",
    "split_profile",
    "undo_merge",
    "update_profile",
]

LONGEST_TEXT: Final = 4_000

FIELDS: Final = ("kind", "name", "email", "preferences", "notes", "threshold")
"""What may be set of a profile."""


def create_profile(
    *,
    actor: Any,
    kind: str,
    name: str,
    email: str = "",
    preferences: str = "",
    notes: str = "",
    threshold: float | None = None,
) -> Profile:
    """Add a person, without a face yet.

    Args:
        actor: Who adds them; None for the system.
        kind: "customer" or "staff".
        name: Of at most 200 characters; several people may have the same.
        email: Empty, or an address.
        preferences: What they like.
        notes: Anything else.
        threshold: Greatest distance that counts as them; None for the installation's.

    Raises:
        InvalidError: With a sentence for every field that is wrong.
    """
    values = {
        "kind": kind,
        "name": name,
        "email": email,
        "preferences": preferences,
        "notes": notes,
        "threshold": threshold,
    }
    profile = Profile(created_by=actor)
    _set(profile, values)
    with transaction.atomic():
        profile.save(force_insert=True)
        note(actor=actor, profile_id=profile.pk, change="created", kind=str(profile.kind))
    return profile


def update_profile(
    *, actor: Any, profile: Profile, revision: int | None = None, **fields: Any
) -> Profile:
    """Change a profile and return it as it is then; what is left out stays as it was.

    Args:
        actor: Who changes it.
        profile: Which one.
        revision: Of the profile that the caller has seen; None changes it whatever it is now.
        **fields: Of `FIELDS`.

    Raises:
        InvalidError: With a sentence for every field that is wrong.
        ChangedMeanwhileError: The profile has another revision by now.
        GoneError: It was deleted.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise TypeError(f"a profile has no {', '.join(unknown)}")
    with transaction.atomic():
        held = hold_profile(profile.pk, revision)
        before = {name: getattr(held, name) for name in FIELDS}
        _set(held, fields)
        changed = sorted(name for name in FIELDS if getattr(held, name) != before[name])
        if changed:
            held.save(update_fields=changed)
            raise_revision(held)
            if "threshold" in changed:
                note_change([held.pk])
            note(actor=actor, profile_id=held.pk, change="changed", fields=changed)
    return held


def split_profile(
    *, actor: Any, profile: Profile, samples: Sequence[FaceSample], name: str
) -> Profile:
    """Make some of a profile's samples somebody else, who is new.

    Consent is not taken along: it was given by one person.

    Args:
        actor: Who splits it.
        profile: Who keeps the other samples.
        samples: Those that show somebody else; not all.
        name: Of the new person, of the same kind.

    Raises:
        InvalidError: The name is wrong, or no sample was chosen.
        ConflictError: ``all_samples``: the profile would have none left.
        GoneError: The profile was deleted.
    """
    made = Profile(created_by=actor)
    _set(made, {"kind": profile.kind, "name": name})
    with new_files() as files, transaction.atomic():
        held = hold_profile(profile.pk)
        ids = [sample.pk for sample in samples]
        chosen = held.samples.filter(pk__in=ids)
        count = chosen.count()
        if not count:
            raise InvalidError({"samples": "Choose the pictures that show somebody else."})
        if count == held.samples.count():
            raise ConflictError(
                "all_samples", "Nothing would be left of this person: choose fewer pictures."
            )
        made.save(force_insert=True)
        note_change([held.pk, made.pk])
        chosen.update(profile=made)
        for changed in (held, made):
            follow_best(changed, files)
        raise_revision(held)
        note(actor=actor, profile_id=held.pk, change="split", to=str(made.pk), count=count)
        note(actor=actor, profile_id=made.pk, change="created", kind=str(made.kind))
    return made


def clean_name(text: str) -> str:
    """Return a name as one printable line."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())


def _set(profile: Profile, values: Mapping[str, Any]) -> None:
    """Set and judge fields; what was wrong before and is left alone is no reason to refuse."""
    for name, value in values.items():
        setattr(profile, name, _cleaned(name, value))
    others = {field.name for field in Profile._meta.fields} - set(values)
    wrong: dict[str, str] = {}
    try:
        profile.clean_fields(exclude=others)
    except ValidationError as error:
        wrong = {name: " ".join(found) for name, found in error.message_dict.items()}
    # What the fields do not judge themselves.
    for name in {"preferences", "notes"} & set(values):
        if len(getattr(profile, name)) > LONGEST_TEXT:
            wrong[name] = f"This has at most {LONGEST_TEXT:,} characters."
    if profile.threshold is not None and math.isnan(float(profile.threshold)):
        wrong["threshold"] = "Enter a number."
    if wrong:
        raise InvalidError(wrong)


def _cleaned(name: str, value: Any) -> Any:
    if name == "threshold":
        return value
    text = str(value or "").replace("\x00", "")
    if name in ("name", "email"):
        return clean_name(text)
    return text.replace("\r\n", "\n").strip()
